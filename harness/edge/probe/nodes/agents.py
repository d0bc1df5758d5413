"""The agents of nodes, as pods: started where they are needed, and deleted at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from secrets import token_hex
from threading import Lock
from typing import Any

from harness.core.probe.container import CONTAINER
from harness.core.target import PodRef
from harness.edge.api.kube import Kube, Object
from harness.edge.api.namespaces import OWNER, wait_usable
from harness.edge.machine.wait import NotYet
from harness.errors import HarnessError

PREFIX = "policylab-nodes"
"""The beginning of the name of the namespace of a run's agents."""
LONGEST_SECONDS = 24 * 3600
"""The node ends an agent after this time by itself, if a run was killed and could not delete it."""


class Agents:
    """A pod on each node, in which probers run their agents; `of` has each node's pod.

    Several probers share the pods, from several threads: a pod asks for processor time, and a node
    has little to give. The last prober that leaves deletes them.
    """

    def __init__(self, kube: Kube, image: str) -> None:
        self._kube = kube
        self._image = image
        self._users: set[int] = set()
        self._namespace = ""
        self._turn = Lock()
        self.of: dict[str, PodRef] = {}

    def leave(self, user: object) -> None:
        """Tell that a prober needs them no more; nobody waits until the pods are gone."""
        with self._turn:
            self._users.discard(id(user))
            if self._users or not self.of:
                return
            for node, agent in self.of.items():
                self._kube.delete(_agent_pod(agent, node, self._image), grace=0)
            self._kube.delete(self._space)
            self.of = {}

    def start(self, nodes: Iterable[str], user: object) -> None:
        """Start the pod of each of these nodes that has none, for this prober.

        Raises:
            ClusterNotReady: a pod does not run in time.
        """
        with self._turn:
            self._users.add(id(user))
            if not (new := sorted(set(nodes) - set(self.of))):
                return
            try:
                self._start(new)
            except HarnessError:
                for node in new:  # the next who asks tries again, in a namespace of its own
                    self.of.pop(node, None)
                raise

    def _start(self, new: Sequence[str]) -> None:
        if not self.of:
            self._namespace = f"{PREFIX}-{token_hex(3)}"
        self._kube.apply(self._space)
        wait_usable(self._kube, self._namespace)
        for node in new:
            agent = PodRef(self._namespace, f"agent-{len(self.of)}")
            self.of[node] = agent
            self._kube.apply(_agent_pod(agent, node, self._image))

        def running() -> None:
            names = {self.of[node].name for node in new}
            states = {
                body["metadata"]["name"]: (body.get("status") or {}).get("phase", "not started")
                for body in self._kube.list("v1", "Pod", self._namespace)
                if body["metadata"]["name"] in names
            }
            left = [f"{name}: {states.get(name, 'not listed')}" for name in sorted(names)]
            if any(states.get(name) != "Running" for name in names):
                raise NotYet("; ".join(left))

        self._kube.wait(
            f"{len(new)} probers of nodes run",
            running,
            seconds=self._kube.patience.pods_ready,
            try_=f"kubectl -n {self._namespace} describe pods",
        )

    @property
    def _space(self) -> dict[str, Any]:
        meta = {"name": self._namespace, "labels": dict(OWNER)}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def container_of(body: Object | None) -> str:
    """The id of a running container of the pod, as the runtime has it; empty if none runs."""
    status = (body or {}).get("status") or {}
    for kind in ("containerStatuses", "ephemeralContainerStatuses"):
        for found in status.get(kind) or []:
            if "running" in (found.get("state") or {}) and found.get("containerID"):
                return str(found["containerID"]).rpartition("//")[2]
    return ""


def _agent_pod(agent: PodRef, node: str, image: str) -> dict[str, Any]:
    """An agent on a node, with the rights to find and to enter the namespaces of its pods."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": agent.name,
            "namespace": agent.namespace,
            "labels": dict(OWNER),
        },
        "spec": {
            "nodeName": node,
            "hostPID": True,
            "hostNetwork": True,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LONGEST_SECONDS,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {
                    "name": CONTAINER,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sleep", "infinity"],
                    # A pod that asks for nothing gets a five-hundredth of a busy node's time.
                    "resources": {"requests": {"cpu": "200m"}},
                    "securityContext": {
                        "runAsUser": 0,
                        "capabilities": {
                            "drop": ["ALL"],
                            "add": ["SYS_ADMIN", "SYS_PTRACE", "NET_BIND_SERVICE"],
                        },
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                }
            ],
        },
    }
