"""The pods of every kind of workload, as its controller would make them.

Sources: the controllers of Kubernetes 1.37 for names and labels (a StatefulSet's pods: the docs'
"Stable Network ID" and pkg/controller/statefulset/stateful_set_utils.go; a Job's: the labels of
batch/v1, well_known_labels.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from harness.core.model import Address, ContainerPort, DnsSettings, Labels, Pod, Protocol

Body = Mapping[str, Any]

MAX_PODS = 100
"""Pods that one workload is read as. They are all alike, so more would tell nothing new."""

WORKLOADS = frozenset(
    (
        *("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"),
        *("Job", "CronJob"),
    )
)
"""The kinds whose objects bring pods of other names."""
NAMED = frozenset({"Pod", "StatefulSet"})
"""The kinds whose pods have names that are known before."""

FINISHED = frozenset({"Succeeded", "Failed"})
"""The phases of a pod that has ended: it has no traffic, and its address may be another's."""

_SUSPENDED = "is suspended and has no pods"
_HIDDEN = {
    "Deployment": ("pod-template-hash",),
    "ReplicaSet": ("pod-template-hash",),
    "StatefulSet": ("controller-revision-hash",),
    "DaemonSet": ("controller-revision-hash", "pod-template-generation"),
    "Job": ("controller-uid", "batch.kubernetes.io/controller-uid"),
    "CronJob": (
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "job-name",
        "batch.kubernetes.io/job-name",
    ),
}
"""Labels that a controller gives its pods with values that nobody can know before."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of a workload; `note` says how they were counted where a reader would ask."""

    pods: tuple[Pod, ...]
    note: str = ""


def pods_of(kind: str, namespace: str, name: str, body: Body) -> Workload:
    """The pods that an object brings; kinds that are no workload bring none."""
    spec = body.get("spec") or {}
    match kind:
        case "Pod":
            return _pod(namespace, name, body)
        case "Deployment" | "ReplicaSet" | "ReplicationController":
            names, note = _names(spec.get("replicas", 1), name, 1)
        case "StatefulSet":
            first = (spec.get("ordinals") or {}).get("start", 0)
            names, note = _names(spec.get("replicas", 1), name, first)
        case "DaemonSet":
            names, note = [f"{name}-1"], "has one pod a node, and is read as one pod"
        case "Job":
            return _job(kind, namespace, name, body)
        case "CronJob":
            if spec.get("suspend"):
                return Workload((), _SUSPENDED)
            spec = (spec.get("jobTemplate") or {}).get("spec") or {}
            if spec.get("suspend"):
                return Workload((), _SUSPENDED)
            names, note = _names(_parallel(spec), name, 1)
        case _:
            return Workload(())
    template = spec.get("template") or {}
    return Workload(tuple(_replicas(kind, namespace, names, template, spec)), note)


def pod_of(
    namespace: str, name: str, labels: Labels, spec: Body, address: Address | None = None
) -> Pod:
    """A pod from its spec. A sidecar (an init container that stays, KEP-753) has ports too.

    A port that two containers declare is named once.
    """
    sidecars = (c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always")
    declared = (
        ContainerPort(p["containerPort"], Protocol(p.get("protocol") or "TCP"), p.get("name") or "")
        for container in (*sidecars, *(spec.get("containers") or []))
        for p in container.get("ports") or []
    )
    return Pod(
        namespace,
        name,
        dict(labels),
        tuple(dict.fromkeys(declared)),
        address,
        host_network=bool(spec.get("hostNetwork")),
        hostname=spec.get("hostname") or "",
        subdomain=spec.get("subdomain") or "",
        dns=_dns(spec),
    )


def _pod(namespace: str, name: str, body: Body) -> Workload:
    status = body.get("status") or {}
    if status.get("phase") in FINISHED:
        return Workload((), f"has ended ({status['phase']}) and takes no part")
    labels = (body.get("metadata") or {}).get("labels") or {}
    spec = body.get("spec") or {}
    pod = pod_of(namespace, name, labels, spec, address_of(status))
    ready = _is_ready(status)
    note = (
        "" if ready else "is not ready, so only a Service with publishNotReadyAddresses leads to it"
    )
    return Workload((replace(pod, ready=ready),), note)


def _is_ready(status: Body) -> bool:
    """Whether a pod is ready, as far as its status says it; a manifest has no status."""
    conditions = status.get("conditions") or []
    return all(c.get("status") == "True" for c in conditions if c.get("type") == "Ready")


def address_of(status: Body) -> Address | None:
    """A pod's address by its status; None where it has none yet, or one that is not readable."""
    addresses = [status.get("podIP"), *(e.get("ip") for e in status.get("podIPs") or [])]
    try:
        return next((ip_address(text) for text in addresses if text), None)
    except ValueError:
        return None


def _job(kind: str, namespace: str, name: str, body: Body) -> Workload:
    spec = body.get("spec") or {}
    ended = [
        c.get("type")
        for c in (body.get("status") or {}).get("conditions") or []
        if c.get("status") == "True"
    ]
    if set(ended) & {"Complete", "Failed"}:
        return Workload((), "has ended, so its pods take no part")
    if spec.get("suspend"):
        return Workload((), _SUSPENDED)
    names, note = _names(_parallel(spec), name, 1)
    return Workload(tuple(_replicas(kind, namespace, names, spec.get("template") or {}, {})), note)


def _parallel(spec: Body) -> int:
    wanted = spec.get("parallelism", 1)
    return int(min(wanted, spec.get("completions", wanted)))


def _names(count: int, name: str, first: int) -> tuple[list[str], str]:
    kept = min(count, MAX_PODS)
    note = f"has {count} pods, which are alike, and is read as {kept}" if kept < count else ""
    return [f"{name}-{number}" for number in range(first, first + kept)], note


def _replicas(
    kind: str, namespace: str, names: list[str], template: Body, spec: Body
) -> Iterator[Pod]:
    written = (template.get("metadata") or {}).get("labels") or {}
    inner = template.get("spec") or {}
    hidden = frozenset(key for key in _HIDDEN.get(kind, ()) if key not in written)
    for name in names:
        extra: dict[str, str] = {}
        own: dict[str, Any] = {}
        if kind == "StatefulSet":
            number = name.rpartition("-")[2]
            extra = {
                "statefulset.kubernetes.io/pod-name": name,
                "apps.kubernetes.io/pod-index": number,
            }
            own = {"hostname": name, "subdomain": spec.get("serviceName", "")}
        elif kind == "Job":
            job = name.rpartition("-")[0]
            extra = {"job-name": job, "batch.kubernetes.io/job-name": job}
        pod = pod_of(namespace, name, {**written, **extra}, {**inner, **own})
        yield replace(pod, hidden=hidden)


def _dns(spec: Body) -> DnsSettings:
    config = spec.get("dnsConfig") or {}
    options = (
        f"{o.get('name')}:{o['value']}" if o.get("value") else str(o.get("name"))
        for o in config.get("options") or []
    )
    return DnsSettings(
        spec.get("dnsPolicy") or "ClusterFirst",
        tuple(config.get("nameservers") or ()),
        tuple(config.get("searches") or ()),
        tuple(options),
    )
