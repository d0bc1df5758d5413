"""What a run takes over from the one before it: only what is exactly as it would make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.core.manifests.library import Library
from harness.core.manifests.reader import parse
from harness.core.model import NETWORK_POLICY
from harness.edge.stage.stage import Stage
from harness.errors import ContentError
from tests.fakes.cluster import FakeCluster

WORKLOADS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers: [{name: c, image: "localhost/policylab/nginx:lab", ports: [{containerPort: 80}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: c, image: "localhost/policylab/nginx:lab", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""
CRASHING = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: loop, namespace: shop, annotations: {policylab/prober: none}}
spec:
  replicas: 1
  selector: {matchLabels: {app: loop}}
  template:
    metadata: {labels: {app: loop}}
    spec: {containers: [{name: c, image: coredns}]}
"""
Meddle = Callable[[FakeCluster], None]


def library(workloads: str = WORKLOADS) -> Library:
    return {
        "base": parse(workloads, origin="base"),
        "deny": parse(DENY, origin="deny"),
        "loop": parse(CRASHING, origin="loop"),
    }


def stage(cluster: FakeCluster, manifests: Library | None = None) -> Stage:
    return Stage(
        cluster,
        cluster.prober(),
        manifests or library(),
        images={},
        internet=cluster.internet,
        fence=lambda: None,
    )


def left(*apply: str) -> FakeCluster:
    """A cluster on which a run ended in this state and left its workloads."""
    cluster = FakeCluster()
    earlier = stage(cluster)
    earlier.take_over()
    earlier.enter(apply)
    earlier.leave()
    cluster.calls.clear()
    return cluster


def begun(cluster: FakeCluster, manifests: Library | None = None) -> list[str]:
    """What the next run asks of the API until it is in its first state."""
    later = stage(cluster, manifests)
    later.take_over()
    entered = later.enter(["base"])
    assert not entered.settled.missing
    assert {str(pod) for pod in later.pods.known} == {"shop/web", "shop/api-1", "shop/api-2"}
    return cluster.calls


def test_workloads_that_are_right_are_neither_applied_nor_probed_anew() -> None:
    assert begun(left("base")) == []


def test_policies_do_not_outlive_the_run() -> None:
    cluster = left("base", "deny")

    assert not [key for key in cluster.objects if key[0] == NETWORK_POLICY]
    assert begun(cluster) == []


def test_policies_of_a_run_that_was_cut_off_are_removed() -> None:
    cluster = FakeCluster()
    cut_off = stage(cluster)
    cut_off.enter(["base", "deny"])
    cluster.calls.clear()

    assert begun(cluster) == ["delete NetworkPolicy shop/deny"]


def test_workload_that_crashes_by_design_does_not_outlive_the_run() -> None:
    cluster = left("base", "loop")

    assert ("Deployment", "shop", "loop") not in cluster.objects
    assert begun(cluster) == []


def test_workload_of_another_state_is_removed_and_the_others_stay() -> None:
    more = (
        WORKLOADS
        + "---"
        + WORKLOADS.rsplit("---", maxsplit=1)[-1].replace("name: web,", "name: extra,")
    )
    manifests = {**library(), "more": parse(more, origin="more")}
    cluster = FakeCluster()
    earlier = stage(cluster, manifests)
    earlier.enter(["more"])
    earlier.leave()
    cluster.calls.clear()

    assert begun(cluster, manifests) == ["delete Service shop/extra"]


def change(*where: str, value: Any) -> Meddle:
    """Somebody writes a field of the pod `web`."""

    def meddle(cluster: FakeCluster) -> None:
        body: Any = cluster.objects["Pod", "shop", "web"]
        for word in where[:-1]:
            body = body.setdefault(word, {})
        body[where[-1]] = value

    return meddle


def stranger(cluster: FakeCluster) -> None:
    meta = {"namespace": "shop", "name": "stranger", "labels": {"app": "web"}}
    container = {"name": "c", "image": "nginx"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
    )


def prober_gone(cluster: FakeCluster) -> None:
    cluster.objects["Pod", "shop", "web"]["status"]["ephemeralContainerStatuses"] = []


KUBECTL = [{"manager": "kubectl-label", "operation": "Update"}]
KUBELET = [{"manager": "kubelet", "operation": "Update", "subresource": "status"}]


@pytest.mark.parametrize(
    "meddle",
    [
        change("metadata", "managedFields", value=KUBECTL),
        change("metadata", "annotations", "policylab/applied", value="of an older manifest"),
        change("metadata", "annotations", value={}),
        change("metadata", "deletionTimestamp", value="2026-01-01T00:00:00Z"),
        change("status", "containerStatuses", value=[{"restartCount": 1}]),
        change("status", "conditions", value=[]),
        prober_gone,
        stranger,
    ],
    ids=[
        "written by kubectl",
        "of another manifest",
        "not ours",
        "on its way out",
        "was restarted",
        "not ready",
        "without its prober",
        "with a stranger beside it",
    ],
)
def test_namespace_in_which_anything_is_not_as_we_made_it_is_made_anew(meddle: Meddle) -> None:
    cluster = left("base")
    meddle(cluster)
    cluster.calls.clear()

    calls = begun(cluster)

    assert calls[:2] == ["delete Namespace shop", "apply Namespace shop"]
    assert "apply Pod shop/web" in calls
    assert ("Pod", "shop", "stranger") not in cluster.objects


def test_what_the_kubelet_writes_is_no_change_of_the_pod() -> None:
    cluster = left("base")
    change("metadata", "managedFields", value=KUBELET)(cluster)

    assert begun(cluster) == []


def test_other_manifest_or_image_makes_the_namespace_anew() -> None:
    other = library(WORKLOADS.replace("labels: {app: web}", "labels: {app: web, tier: front}"))

    assert "delete Namespace shop" in begun(left("base"), other)


def test_namespace_of_somebody_else_is_left_alone() -> None:
    cluster = FakeCluster()
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {}}}
    cluster.apply(body)

    with pytest.raises(ContentError, match="policylab did not make it"):
        stage(cluster).take_over()

    assert ("Namespace", "", "shop") in cluster.objects
