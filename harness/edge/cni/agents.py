"""Cilium's agents: what they say of themselves, asked by their own commands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.edge.api.kube import Kube
from harness.edge.machine.process import CommandFailed, run
from harness.errors import ProbeError

SECONDS = 20.0


class CiliumAgents:
    """One agent on each node. `kubectl` are the words that calls to the cluster begin with."""

    def __init__(self, kube: Kube, kubectl: Collection[str]) -> None:
        self._kube = kube
        self._kubectl = tuple(kubectl)

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
        """What a command prints in the agent of that name (see `by_node`).

        Raises:
            ProbeError: the command fails.
        """
        words = [*self._kubectl, "exec", "--namespace=kube-system", agent, "--container=agent"]
        try:
            return run([*words, "--", *command], timeout=SECONDS).stdout
        except CommandFailed as error:
            raise ProbeError(
                f"Cilium's {command[0]} does not answer", where=f"in {agent}", seen=error.seen
            ) from error
