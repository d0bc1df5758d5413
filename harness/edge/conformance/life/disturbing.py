"""What happens to a CNI in its life, done on purpose: its agents end, policies churn, a node goes.

Each function waits until the disturbance is over, and tells when what happened, in sentences whose
times are those of the stream that runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.edge.api.kube import Kube, Object
from harness.edge.conformance.life.constant import Look
from harness.edge.conformance.life.ground import NAMESPACE, Ground, NodeShell, Site
from harness.edge.machine.wait import NotYet
from harness.errors import ProbeError

SYSTEM = "kube-system"
AFTER_SECONDS = 5.0
"""How long a stream goes on after a disturbance is over: an agent programs anew after its start."""
QUIET_SECONDS = 10.0


class Agents:
    """The CNI's agents."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kube = site.kube

    def pods(self) -> list[dict[str, Any]]:
        """The agents' pods.

        Raises:
            ProbeError: there is no such DaemonSet, or it has no pod.
        """
        labels = self._set()["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found = self._kube.list("v1", "Pod", SYSTEM, selector=selector)
        if not found:
            raise ProbeError(f"no agent of the CNI runs: {self._site.daemon_set}", where=SYSTEM)
        return found

    def delete(self) -> None:
        """Delete the agents' pods at once, and wait until new ones are ready.

        Raises:
            ClusterNotReady: they are not ready in time.
        """
        old = self.pods()
        for body in old:
            self._kube.delete({"apiVersion": "v1", "kind": "Pod", **body})
        gone = {body["metadata"]["uid"] for body in old}
        self._ready(lambda body: body["metadata"]["uid"] not in gone)

    def kill(self, shell: NodeShell) -> None:
        """Send SIGKILL to the first container's process of each agent, and wait for the next one.

        Raises:
            ClusterNotReady: they are not ready in time.
            CommandFailed: the node's runtime does not send the signal.
        """
        old = {}
        for body in self.pods():
            name = body["spec"]["containers"][0]["name"]
            found = next(c for c in body["status"]["containerStatuses"] if c["name"] == name)
            container = found["containerID"].partition("://")[2]
            old[body["metadata"]["uid"]] = found["containerID"]
            words = ("ctr", "--namespace=k8s.io", "tasks", "kill", "--signal=SIGKILL", container)
            shell(body["spec"]["nodeName"], *words)
        self._ready(
            lambda body: (
                old.get(body["metadata"]["uid"])
                not in [c.get("containerID") for c in body["status"].get("containerStatuses") or []]
            )
        )

    def roll(self) -> None:
        """`kubectl rollout restart`, and wait for its end.

        Raises:
            CommandFailed: kubectl fails, or the rollout does not end in time.
        """
        seconds = self._kube.patience.cluster_ready
        for words in (("restart",), ("status", f"--timeout={seconds:g}s")):
            self._site.admin(
                "rollout",
                words[0],
                f"daemonset/{self._site.daemon_set}",
                f"--namespace={SYSTEM}",
                *words[1:],
                seconds=seconds + self._kube.patience.api_answer,
            )

    def wait(self) -> None:
        """Wait until every node has a ready agent.

        Raises:
            ClusterNotReady: not in time.
        """
        self._ready(lambda _: True)

    def gone(self, node: str) -> None:
        """Whether no agent of this node is left.

        Raises:
            NotYet: one is.
        """
        if left := [b["metadata"]["name"] for b in self.pods() if b["spec"]["nodeName"] == node]:
            raise NotYet(f"{', '.join(left)} is still there")

    def _set(self) -> dict[str, Any]:
        found = self._kube.get("apps/v1", "DaemonSet", self._site.daemon_set, SYSTEM)
        if found is None:
            raise ProbeError(f"there is no DaemonSet {self._site.daemon_set}", where=SYSTEM)
        return found

    def _ready(self, is_new: Callable[[Object], bool]) -> None:
        def ready() -> None:
            wanted = int(self._set()["status"].get("desiredNumberScheduled", 0))
            states = {
                body["metadata"]["name"]: "new and ready" if is_new(body) and _ready(body) else "no"
                for body in self.pods()
            }
            if not wanted or list(states.values()) != ["new and ready"] * wanted:
                raise NotYet(f"{wanted} wanted: {states}")

        seconds = self._kube.patience.cluster_ready
        self._kube.wait("each node has a new agent that is ready", ready, seconds=seconds)


def _ready(body: Object) -> bool:
    conditions = {c["type"]: c["status"] for c in body["status"].get("conditions") or []}
    return conditions.get("Ready") == "True"


Disturbance = Callable[[], str]
"""Does something, waits until it is over, and says what it did."""


def during(
    ground: Ground, disturb: Disturbance, notes: list[str], *, after: float = AFTER_SECONDS
) -> Callable[[Callable[[], Look]], None]:
    """A disturbance for `Ground.pour`: it begins after a quiet second, and the stream outlives it.

    `notes` gets what was done and when.
    """

    def do(look: Callable[[], Look]) -> None:
        clock = ground.site.kube.clock
        clock.sleep(1.0)
        began = look().ms
        did = disturb()
        ended = look().ms
        notes.append(f"{did}, from {began:.0f} ms to {ended:.0f} ms of the stream")
        clock.sleep(after)

    return do


def strangers(number: int) -> dict[str, Any]:
    """A policy about every pod, which lets in whom nobody is, another one each time."""
    stranger = {"podSelector": {"matchLabels": {"who": f"nobody-{number}"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "others", "namespace": NAMESPACE},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [stranger], "ports": [{"port": 1 + number % 1000}]}],
        },
    }


def churn(ground: Ground, seconds: float) -> str:
    """Apply, change and delete policies that decide nothing about the flows, as fast as one can.

    One selects every pod and lets in somebody else each time; one says again what a policy of the
    ground says, and goes again.
    """
    kube = ground.site.kube
    again = next(p for p in ground.policies if p["metadata"]["name"] == "open-ingress")
    twin = {**again, "metadata": {**again["metadata"], "name": "open-ingress-again"}}
    end = kube.clock.monotonic() + seconds
    changes = 0
    try:
        while kube.clock.monotonic() < end:
            kube.apply(strangers(changes))
            kube.apply(twin)
            changes += 2
            if changes % 4 == 0:
                kube.delete(strangers(changes))
                kube.delete(twin)
                changes += 2
    finally:
        kube.delete(strangers(0))
        kube.delete(twin)
    return f"{changes} changes of policies that decide nothing about these flows"


def goes(site: Site, shell: NodeShell, node: str) -> str:
    """Drain a node, delete its object, let its kubelet register it anew, and wait for it.

    It comes back when the API has given up its pods (after some 40 s): an agent that outlives its
    node's object does not write again what it noted there. On Calico 3.30.1 that were the addresses
    of its tunnel, and no other node reached the pods any more.

    Whatever happens, its kubelet is started again and the node takes pods again.

    Raises:
        ClusterNotReady: it is not ready in time.
        CommandFailed: kubectl does not drain it, or its kubelet does not start.
    """
    kube, agents = site.kube, Agents(site)
    seconds, answer = kube.patience.cluster_ready, kube.patience.api_answer
    words = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={seconds:g}s")
    try:
        site.admin("drain", node, *words, seconds=seconds + answer)
        kube.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
        what = f"the agent of {node} is gone with its node"
        kube.wait(what, lambda: agents.gone(node), seconds=seconds)
    finally:
        shell(node, "systemctl", "restart", "kubelet")
        kube.wait(f"{node} is ready", lambda: _node_ready(kube, node), seconds=seconds)
        site.admin("uncordon", node, seconds=answer)
    agents.wait()
    return f"{node} was drained, deleted from the API and registered again"


def _node_ready(kube: Kube, node: str) -> None:
    found = kube.get("v1", "Node", node)
    if found is None or not _ready(found):
        raise NotYet("absent" if found is None else "not ready")
