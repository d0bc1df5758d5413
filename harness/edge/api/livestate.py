"""A cluster's objects, as far as they decide flows, read by its API; no packet is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from harness.core.manifests.liveobjects import topology_of
from harness.core.manifests.reader import Resource, parse
from harness.core.manifests.text.documents import Place
from harness.core.model import CILIUM_POLICY, NETWORK_POLICY, NetworkPolicy, Service, Topology
from harness.edge.api.kube import Kube
from harness.errors import ContentError

GONE = ("Succeeded", "Failed")
"""Phases of pods that have ended, and have no network any more."""
_POLICIES = (("networking.k8s.io/v1", NETWORK_POLICY), ("cilium.io/v2", CILIUM_POLICY))


def live_state(kube: Kube) -> tuple[Topology, tuple[NetworkPolicy, ...], tuple[Resource, ...]]:
    """Who is there, the policies, and the ConfigMaps (for a list of wanted flows).

    Raises:
        ClusterNotReady: the API does not answer.
        ManifestError: a policy or Service says something that policylab does not know.
    """
    pods = [
        body
        for body in kube.list("v1", "Pod")
        if (body.get("status") or {}).get("phase") not in GONE
    ]
    topology = topology_of(kube.list("v1", "Namespace"), pods)
    found = [model for r in _resources(kube, "v1", "Service") for model in r.models]
    services = {str(model): model for model in found if isinstance(model, Service)}
    policies = [
        model
        for version, kind in _POLICIES
        for resource in _resources(kube, version, kind)
        for model in resource.models
        if isinstance(model, NetworkPolicy)
    ]
    whole = Topology(topology.namespaces, topology.pods, services)
    return whole, tuple(policies), tuple(_resources(kube, "v1", "ConfigMap"))


def live_resources(kube: Kube, origin: str) -> tuple[Resource, ...]:
    """The objects that decide flows, and ConfigMaps, read as manifests; `origin` names the cluster.

    Raises:
        ClusterNotReady: the API does not answer.
        ManifestError: an object says something that policylab does not know.
    """
    kinds = (("v1", "Namespace"), ("v1", "Pod"), ("v1", "Service"), *_POLICIES, ("v1", "ConfigMap"))
    found = (resource for version, kind in kinds for resource in _resources(kube, version, kind))
    return tuple(replace(resource, origin=origin, place=Place(0)) for resource in found)


def _resources(kube: Kube, version: str, kind: str) -> Iterator[Resource]:
    """The objects of a kind, read as manifests; none where the cluster has no such kind."""
    try:
        bodies = kube.list(version, kind)
    except ContentError:
        return
    for body in bodies:
        text = json.dumps({**body, "apiVersion": version, "kind": kind}, default=str)
        yield from parse(text, origin=f"the cluster's {kind}")
