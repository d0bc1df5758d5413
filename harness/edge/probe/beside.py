"""The prober's container beside a pod's own: its spec, its state, and the one wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.core.model import PodRef
from harness.core.probe.container import CONTAINER, prober_container
from harness.edge.api.kube import Kube, Object
from harness.edge.machine.wait import NotYet

POLL_EVERY = 0.25
"""Seconds between two looks: a pod takes seconds to start, and each look costs the API a bit."""


def equip(
    kube: Kube,
    pods: Iterable[PodRef],
    image: str,
    *,
    lacks: Callable[[Object], str],
    try_: str,
) -> dict[PodRef, Object]:
    """Put a prober beside each of these live pods that has none, and wait until all lack nothing.

    `lacks` says in words what a pod still lacks; empty words end the wait for it. Returns the pods
    as the API shows them then.

    Raises:
        ClusterNotReady: the pods still lack something in the end; the message has their states.
    """
    wanted = tuple(pods)
    container = prober_container(image)
    listed = _listed(kube, wanted)
    for pod in wanted:
        if pod not in listed or not _is_equipped(listed[pod]):
            kube.add_ephemeral(pod.namespace, pod.name, container)

    def ready() -> dict[PodRef, Object]:
        found = _listed(kube, wanted)
        states = {pod: lacks(found[pod]) if pod in found else "not listed" for pod in wanted}
        if left := [f"{pod}: {state}" for pod, state in states.items() if state]:
            raise NotYet("; ".join(left))
        return found

    what = f"{len(wanted)} pods and their probers run"
    seconds = kube.patience.pods_ready
    return kube.wait(what, ready, seconds=seconds, every=POLL_EVERY, try_=try_)


def prober_lacks(body: Object) -> str:
    """What a pod's prober lacks; empty if it runs, in a container of either kind."""
    status = body.get("status") or {}
    kinds = ("ephemeralContainerStatuses", "containerStatuses")
    for found in (entry for kind in kinds for entry in status.get(kind) or []):
        if found["name"] == CONTAINER:
            state = found.get("state") or {}
            waiting = (state.get("waiting") or {}).get("reason", "")
            return "" if "running" in state else waiting or ", ".join(state)
    return "has no prober"


def pod_lacks(body: Object) -> str:
    """What a pod still lacks; empty when it is Ready, has an address and its prober runs."""
    status = body.get("status") or {}
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or []}
    if conditions.get("Ready") == "True" and status.get("podIP"):
        return prober_lacks(body)
    states = [found.get("state") or {} for found in status.get("containerStatuses") or []]
    waiting = [state["waiting"].get("reason", "waiting") for state in states if "waiting" in state]
    return " ".join([status.get("phase", "no phase"), *waiting])


def is_at_work(body: Object) -> bool:
    """Whether a pod is ready with its prober, stays, and was never started again."""
    restarts = (found["restartCount"] for found in body["status"].get("containerStatuses") or [])
    return not pod_lacks(body) and "deletionTimestamp" not in body["metadata"] and not any(restarts)


def _listed(kube: Kube, pods: Iterable[PodRef]) -> dict[PodRef, Object]:
    found: dict[PodRef, Object] = {}
    for namespace in sorted({pod.namespace for pod in pods}):
        for body in kube.list("v1", "Pod", namespace):
            found[PodRef(namespace, body["metadata"]["name"])] = body
    return found


def _is_equipped(body: Mapping[str, Any]) -> bool:
    """Whether a pod has a prober, or is one itself (`harness.core.probe.container`)."""
    spec = body.get("spec") or {}
    kinds = ("ephemeralContainers", "containers")
    return any(found["name"] == CONTAINER for kind in kinds for found in spec.get(kind) or ())
