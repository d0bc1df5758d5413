"""Cilium's agents, which answer through their own commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.machine.process import CommandFailed
from harness.errors import ProbeError


class CiliumAgents:
    """One agent on each node."""

    def __init__(self, kube: Kube, kubectl: Exec) -> None:
        self._kube = kube
        self._kubectl = kubectl

    def by_node(self) -> Mapping[str, str]:
        """The agents' pods by the names of their nodes.

        Raises:
            ProbeError: there is none.
        """
        found = {
            str(body["spec"].get("nodeName")): str(body["metadata"]["name"])
            for body in self._kube.list("v1", "Pod", "kube-system", selector="k8s-app=cilium")
        }
        if not found:
            raise ProbeError("no Cilium agent runs here", where=self._kube.where)
        return found

    def ask(self, agent: str, command: Sequence[str]) -> str:
        """The output of a command in the agent with this name (see `by_node`).

        Raises:
            ProbeError: the command fails.
        """
        try:
            found = self._kubectl.run(
                "kube-system",
                agent,
                command,
                container="agent",
                seconds=self._kube.patience.cni_answer,
            )
        except CommandFailed as error:
            raise ProbeError(
                f"Cilium's {command[0]} does not answer", where=f"in {agent}", seen=error.seen
            ) from error
        return found.stdout
