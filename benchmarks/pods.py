"""Pods for measurements: a toolbox each, with the prober as its only container."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from harness.core.model import ContainerPort, Pod, Protocol
from harness.core.outcome import Verdict
from harness.core.policy.reachability import Matrix
from harness.core.probe.attempts import POLL
from harness.core.probe.cells import Cell
from harness.core.probe.container import prober_container
from harness.core.target import PodPort, PodRef, ports_of
from harness.edge.api.kube import Kube
from harness.edge.api.namespaces import OWNER, wait_gone, wait_usable
from harness.edge.machine.wait import NotYet
from harness.edge.probe.discovery import discover
from harness.edge.probe.observe import Observer
from harness.edge.stage.settling import POLL_EVERY, ROUNDS

NAMESPACE = "policylab-bench-pods"
READY_SECONDS = 600.0
SETTLE_SECONDS = 30.0
PORTS = (
    ContainerPort(8080, Protocol.TCP),
    ContainerPort(8081, Protocol.TCP),
    ContainerPort(8080, Protocol.UDP),
    ContainerPort(8081, Protocol.UDP),
)
DENY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny-all", "namespace": NAMESPACE},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}
_SPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": NAMESPACE, "labels": OWNER},
}


@contextmanager
def pods(kube: Kube, count: int, image: str) -> Iterator[tuple[Pod, ...]]:
    """`count` running pods; at the end they are deleted with their namespace."""
    if kube.get("v1", "Namespace", NAMESPACE):  # remains of an interrupted run
        kube.delete(_SPACE)
        wait_gone(kube, [_SPACE])
    kube.apply(_SPACE)
    try:
        wait_usable(kube, NAMESPACE)
        nodes = sorted(body["metadata"]["name"] for body in kube.list("v1", "Node"))
        for number in range(count):
            kube.apply(_pod(number, image, nodes[number % len(nodes)]))
        kube.wait(f"{count} pods run", lambda: _running(kube, count), seconds=READY_SECONDS)
        yield discover(kube, [NAMESPACE]).pods
    finally:
        for body in kube.list("v1", "Pod", NAMESPACE):
            kube.delete({"apiVersion": "v1", "kind": "Pod", **body}, grace=0)
        kube.delete(_SPACE)


def refs(ends: Sequence[Pod]) -> list[PodRef]:
    """The pods as sources of asks."""
    return [pod.ref for pod in ends]


def targets_of(ends: Sequence[Pod], ports: Sequence[ContainerPort]) -> list[PodPort]:
    """These ports of every pod."""
    return [port for pod in ends for port in ports_of(pod, ports)]


@contextmanager
def denied(kube: Kube, observer: Observer, ends: Sequence[Pod]) -> Iterator[None]:
    """All ingress denied to all pods, as soon as it is in force."""
    kube.apply(DENY)
    try:
        _wait_for(kube, observer, ends, Verdict.DENY)
        yield
    finally:
        kube.delete(DENY)
    _wait_for(kube, observer, ends, Verdict.ALLOW)


def _wait_for(kube: Kube, observer: Observer, ends: Sequence[Pod], verdict: Verdict) -> None:
    """Wait until two clients show the verdict of every pod: a pod's own view is not enough."""
    targets = targets_of(ends, PORTS[:1])
    streak = 0

    def settled() -> None:
        nonlocal streak
        cells = others(observer.matrix(refs(ends[:2]), targets, POLL))
        left = sum(cell.verdict is not verdict for cell in cells)
        streak = 0 if left else streak + 1
        if streak < ROUNDS:
            raise NotYet(f"{left} flows are not yet {verdict}; {streak} looks show it")

    kube.wait(f"every flow is {verdict}", settled, seconds=SETTLE_SECONDS, every=POLL_EVERY)


def others(seen: Matrix[Cell]) -> list[Cell]:
    """The cells without the cells from a pod to itself."""
    return [
        cell
        for ask, cell in seen
        if isinstance(ask.target, PodPort) and ask.target.pod != ask.source
    ]


def _running(kube: Kube, count: int) -> None:
    states = [body.get("status", {}).get("phase") for body in kube.list("v1", "Pod", NAMESPACE)]
    if states.count("Running") < count:
        raise NotYet(f"{states.count('Running')} of {count} run")


def _pod(number: int, image: str, node: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"bench-{number:03}", "namespace": NAMESPACE},
        "spec": {
            "nodeName": node,  # of two nodes each has half: one node takes 110 pods
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [prober_container(image)],
        },
    }
