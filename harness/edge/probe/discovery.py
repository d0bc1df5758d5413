"""The pods that run in some namespaces, with a prober beside each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.manifests.ciliumpolicy import cilium_policies
from harness.core.manifests.liveobjects import topology_of
from harness.core.manifests.networkpolicy import network_policy
from harness.core.model import (
    CILIUM_POLICY,
    NETWORK_POLICY,
    NetworkPolicy,
    Pod,
    PodRef,
    Topology,
)
from harness.edge.api.kube import Kube
from harness.edge.probe.beside import equip, prober_lacks
from harness.errors import ProbeError


@dataclass(frozen=True, slots=True)
class Found:
    """Who is there, whom nobody can probe from (with the reason), and who has no prober yet.

    `workloads` has the pods of each workload, by its `NAMESPACE/NAME`, and `nodes` the node of each
    pod.
    """

    topology: Topology
    left_out: Mapping[str, str]
    without_prober: tuple[Pod, ...]
    workloads: Mapping[str, tuple[PodRef, ...]] = field(default_factory=dict)
    nodes: Mapping[PodRef, str] = field(default_factory=dict)

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods that take part, by namespace and name."""
        return tuple(self.topology.pods[key] for key in sorted(self.topology.pods))


def discover(kube: Kube, namespaces: Sequence[str], *, selector: str = "") -> Found:
    """The running pods of these namespaces, by label.

    Raises:
        ProbeError: a namespace does not exist, or no pod takes part.
    """
    spaces = []
    for name in namespaces:
        found = kube.get("v1", "Namespace", name)
        if found is None:
            raise ProbeError(f"there is no namespace {name}", where=kube.where)
        spaces.append(found)
    bodies = [b for name in namespaces for b in kube.list("v1", "Pod", name, selector=selector)]
    left_out = {_name(body): reason for body in bodies if (reason := _unfit(body))}
    taking_part = [body for body in bodies if _name(body) not in left_out]
    if not taking_part:
        raise ProbeError(
            "no running pod to probe from",
            where=", ".join(namespaces),
            seen="; ".join(f"{name}: {reason}" for name, reason in left_out.items()) or "no pods",
        )
    topology = topology_of(spaces, taking_part)
    bare = tuple(topology.pods[_name(b)] for b in taking_part if prober_lacks(b))
    workloads: dict[str, tuple[PodRef, ...]] = {}
    for body in taking_part:
        meta = body["metadata"]
        if owner := _workload(meta):
            key = f"{meta['namespace']}/{owner}"
            ref = PodRef(meta["namespace"], meta["name"])
            workloads[key] = (*workloads.get(key, ()), ref)
    nodes = {topology.pods[_name(b)].ref: b["spec"].get("nodeName", "") for b in taking_part}
    return Found(topology, left_out, bare, workloads, nodes)


def policies_in(
    kube: Kube, namespaces: Sequence[str], kinds: Collection[str]
) -> tuple[NetworkPolicy, ...]:
    """The policies of these kinds that stand in the namespaces.

    Raises:
        ManifestError: one cannot be read.
    """
    found: list[NetworkPolicy] = []
    for name in namespaces:
        there = kube.list("networking.k8s.io/v1", NETWORK_POLICY, name)
        found += [network_policy({"kind": NETWORK_POLICY, **body}, "the API") for body in there]
        if CILIUM_POLICY in kinds:
            for body in kube.list("cilium.io/v2", CILIUM_POLICY, name):
                found += cilium_policies({"kind": CILIUM_POLICY, **body}, "the API")
    return tuple(found)


def equip_found(kube: Kube, pods: Iterable[Pod], image: str, *, option: str = "--image") -> None:
    """Put a prober beside each of these pods, and wait until they run; they stay with the pods.

    `option` is the one that names another image.

    Raises:
        ClusterNotReady: they do not run in time; the message has their states.
    """
    try_ = f"is {image} on every node? {option}=REFERENCE takes any image with python3"
    equip(kube, [pod.ref for pod in pods], image, lacks=prober_lacks, try_=try_)


def _name(body: Mapping[str, Any]) -> str:
    return f"{body['metadata']['namespace']}/{body['metadata']['name']}"


def _workload(meta: Mapping[str, Any]) -> str:
    """The name of the workload that a pod belongs to; empty if nobody controls it.

    A Deployment's ReplicaSet has the Deployment's name and the hash that its pods have as a label.
    """
    owners = [each for each in meta.get("ownerReferences") or [] if each.get("controller")]
    if not owners:
        return ""
    name = str(owners[0].get("name", ""))
    template = (meta.get("labels") or {}).get("pod-template-hash")
    return name.removesuffix(f"-{template}") if template else name


def _unfit(body: Mapping[str, Any]) -> str:
    """Why a pod takes no part; empty if it does."""
    status = body.get("status") or {}
    if "deletionTimestamp" in body["metadata"]:
        return "is being deleted"
    if body["spec"].get("hostNetwork"):
        return "is on the host network, where policies do not reach it"
    if status.get("phase") != "Running" or not status.get("podIP"):
        return f"is {status.get('phase', 'not started')}"
    return ""
