"""Cilium's agents, which answer through their own commands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.core.model import PodRef
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.machine.process import CommandFailed
from harness.errors import ProbeError

RULES = ("sh", "-c", "cilium-dbg endpoint list; cilium-dbg bpf policy get --all -n")
"""What an agent has in force: its endpoints, and the policy maps of each."""

LOG_SECONDS = 60
"""Of an agent's log: so many seconds before somebody asks."""


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

    def tell(self, pods: Collection[PodRef]) -> Mapping[str, str]:
        """The agents' policies, endpoints and logs on the nodes of these pods, for people.

        Raises:
            ProbeError: an agent does not answer.
        """
        agents, found = self.by_node(), dict[str, str]()
        for pod in pods:
            body = self._kube.get("v1", "Pod", pod.name, pod.namespace)
            node = str(body["spec"].get("nodeName")) if body else ""
            if node in agents and f"rules-{node}.txt" not in found:
                found[f"rules-{node}.txt"] = self.ask(agents[node], RULES)
                log = self._kube.logs("kube-system", agents[node], since_seconds=LOG_SECONDS)
                found[f"agent-{node}.log"] = log
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
