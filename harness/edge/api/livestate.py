"""A cluster's objects, as far as they decide flows, read by its API; no packet is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from harness.core.manifests.reader import Resource, parse
from harness.core.manifests.schema.kinds import DECIDING, READ
from harness.core.manifests.text.documents import Place
from harness.edge.api.kube import Kube
from harness.errors import ContentError

_NOT_ASKED = frozenset(
    (
        *("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"),
        *("Job", "CronJob", "Endpoints"),
    )
)
"""Kinds that say nothing new: their pods are on the cluster, their addresses in EndpointSlices."""


def live_resources(kube: Kube, origin: str) -> tuple[Resource, ...]:
    """The objects that decide flows, and ConfigMaps, read as manifests; `origin` names the cluster.

    An object of a kind that could decide flows and is not read is there by its name, so that no
    answer passes it over.

    Raises:
        ClusterNotReady: the API does not answer.
        ManifestError: an object says something that policylab does not know.
    """
    kinds = [(kind.api_version, kind.name) for kind in READ if kind.name not in _NOT_ASKED]
    found = (
        resource
        for version, kind in (*kinds, *DECIDING)
        for resource in _resources(kube, version, kind)
    )
    return tuple(replace(resource, origin=origin, place=Place(0)) for resource in found)


def _resources(kube: Kube, version: str, kind: str) -> Iterator[Resource]:
    """The objects of a kind, read as manifests; none where the cluster has no such kind."""
    try:
        bodies = kube.list(version, kind)
    except ContentError:
        return
    for body in bodies:
        text = json.dumps({**body, "apiVersion": version, "kind": kind}, default=str)
        yield from parse(text, origin=f"the cluster's {kind}", stored=True)
