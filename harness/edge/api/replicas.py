"""The live pods of a Deployment, once its rollout has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.manifests.reader import Resource
from harness.edge.api.kube import Kube
from harness.edge.machine.wait import NotYet

REVISION = "deployment.kubernetes.io/revision"
"""The controller's mark on a Deployment and its ReplicaSets; the current one has an equal mark."""


def live_replicas(kube: Kube, deployment: Resource, wanted: int) -> list[str]:
    """The names of its pods, sorted: each pod keeps its number while it lives.

    All pods of the current template exist, and no other pods of the Deployment. They need not be
    ready.

    Raises:
        NotYet: the controller has not seen the template, or pods are missing or still ending.
    """
    body = kube.get("apps/v1", "Deployment", deployment.name, deployment.namespace)
    if body is None:
        raise NotYet("there is no such Deployment")
    if body.get("status", {}).get("observedGeneration") != body["metadata"]["generation"]:
        raise NotYet("the Deployment's controller has not seen the template yet")
    revisions = {
        found["metadata"]["uid"]: _revision(found)
        for found in kube.list("apps/v1", "ReplicaSet", deployment.namespace)
        if owner_of(found) == body["metadata"]["uid"]
    }
    pods = [p for p in kube.list("v1", "Pod", deployment.namespace) if owner_of(p) in revisions]
    current = sorted(
        str(pod["metadata"]["name"])
        for pod in pods
        if revisions[owner_of(pod)] == _revision(body)
        and "deletionTimestamp" not in pod["metadata"]
    )
    if len(current) != wanted or len(pods) != wanted:
        raise NotYet(f"{len(current)} of {wanted} pods, and {len(pods) - len(current)} old ones")
    return current


def owner_of(body: Mapping[str, Any]) -> str:
    """The uid of the object that controls this one; empty if there is none."""
    owners = body["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def _revision(body: Mapping[str, Any]) -> str:
    return str((body["metadata"].get("annotations") or {}).get(REVISION, ""))
