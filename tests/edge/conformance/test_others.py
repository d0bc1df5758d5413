"""What else is on a cluster: policies of others are told, and only our leftovers are swept."""

from __future__ import annotations

from typing import Any

import pytest

from harness.edge.conformance.others import (
    CLUSTER_WIDE,
    notes,
    standing,
    standing_of_fuzz,
    sweep,
)
from harness.errors import ClusterNotReady
from tests.fakes.cluster import FakeCluster

OURS = {"app.kubernetes.io/managed-by": "policylab"}


def space(name: str, labels: dict[str, str]) -> dict[str, Any]:
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def policy(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": "p"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }


def test_policies_of_others_are_told_and_our_own_are_not() -> None:
    cluster = FakeCluster()
    ours = ("policylab-conformance-1-red", "policylab-gate")  # the labs' gate keeps its namespace
    for name, labels in (("shop", {}), *((name, OURS) for name in ours)):
        cluster.apply(space(name, labels))
        cluster.apply(policy(name))

    run, note = notes(cluster)

    assert run.startswith("Namespaces of another run are there (policylab-conformance-1-red)")
    assert note.startswith("There are objects of the kind NetworkPolicy in other namespaces (shop)")


def test_a_bare_cluster_has_nothing_to_tell() -> None:
    assert list(notes(FakeCluster())) == []


def test_only_what_policylab_made_for_a_run_is_swept() -> None:
    cluster = FakeCluster()
    cluster.apply(space("policylab-conformance-1-red", OURS))
    cluster.apply(space("policylab-gate-conformance", OURS))
    cluster.apply(space("policylab-conformance-of-mine", {"app": "mine"}))
    cluster.apply(space("policylab-gate", OURS))
    cluster.apply(space("shop", {}))
    # Somebody who labels a namespace as we do may also begin its name as we do.
    theirs = {
        *("policylab", "shop-of-ours", "policylab-conformance-dashboard", "policylab-fuzzy"),
        *("policylab-lifecycle-old", "policylab-gate-conformance-of-mine", "policylab-nodes"),
    }
    for name in theirs:
        cluster.apply(space(name, OURS))

    assert sweep(cluster) == ["policylab-conformance-1-red", "policylab-gate-conformance"]

    left = {name for kind, _, name in cluster.objects if kind == "Namespace"}
    others = {"kube-system", "policylab-conformance-of-mine", "policylab-gate", "shop"}
    assert left == others | theirs
    assert sweep(cluster) == [], "a second time"


def test_what_a_run_with_letters_of_its_own_left_is_swept_as_well() -> None:
    cluster = FakeCluster()
    left = [
        "policylab-conformance-ab12-1-red",
        "policylab-fuzz-ab12-2-a",
        "policylab-gate-conformance-ab12",
        "policylab-lifecycle",
        "policylab-nodes-0123ab",
    ]
    for name in left:
        cluster.apply(space(name, OURS))

    assert sweep(cluster) == left


def test_the_sweeper_may_be_asked_for_one_run_alone() -> None:
    cluster = FakeCluster()
    other = ["policylab-conformance-00ff-1-red", "policylab-lifecycle", "policylab-nodes-0123ab"]
    one = [
        "policylab-conformance-ab12-1-red",
        "policylab-fuzz-ab12-2-a",
        "policylab-gate-conformance-ab12",
    ]
    for name in (*one, *other):
        cluster.apply(space(name, OURS))

    assert standing(cluster, "ab12") == one
    assert sweep(cluster, "ab12") == one

    assert {n for kind, _, n in cluster.objects if kind == "Namespace"} == {"kube-system", *other}


def test_what_fuzz_left_has_no_letters() -> None:
    cluster = FakeCluster()
    for name in ("policylab-fuzz-1-a", "policylab-fuzz-ab12-1-a", "policylab-lifecycle"):
        cluster.apply(space(name, OURS))

    assert standing_of_fuzz(cluster) == ["policylab-fuzz-1-a"]


def test_a_namespace_that_is_going_tells_of_no_other_run() -> None:
    cluster = FakeCluster()
    going = space("policylab-conformance-ab12-1-red", OURS)
    going["metadata"]["deletionTimestamp"] = "2026-11-26T22:00:00Z"
    cluster.apply(going)

    assert list(notes(cluster)) == []


@pytest.mark.parametrize(("version", "kind"), CLUSTER_WIDE)
def test_a_policy_of_the_whole_cluster_is_told(version: str, kind: str) -> None:
    cluster = FakeCluster("cilium")
    cluster.put({"apiVersion": version, "kind": kind, "metadata": {"name": "everywhere"}})

    (note,) = notes(cluster)

    assert note.startswith(f"The cluster has objects of the kind {kind} (everywhere).")


def test_a_policy_that_stands_in_two_groups_of_the_api_is_told_once() -> None:
    cluster = FakeCluster()
    # The fake shows an object without a group in each.
    cluster.put({"kind": "GlobalNetworkPolicy", "metadata": {"name": "everywhere"}})

    assert len(list(notes(cluster))) == 1


def test_policies_that_nobody_may_list_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    listed = cluster.list

    def refused(version: str, kind: str, *rest: Any, **named: Any) -> list[dict[str, Any]]:
        if kind.endswith("NetworkPolicy"):
            raise ClusterNotReady("the API server refused", seen="forbidden")
        return listed(version, kind, *rest, **named)

    monkeypatch.setattr(cluster, "list", refused)

    said = list(notes(cluster))
    assert "Whether the cluster has a NetworkPolicy is not known: forbidden" in said
    assert "Whether the cluster has a ClusterNetworkPolicy is not known: forbidden" in said
