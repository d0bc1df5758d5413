"""On a live cluster: made-up policies do what the oracle says, and a lie is found and shrunk."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from harness.core.fuzz.cases import Case, draw_cases
from harness.core.fuzz.result import Judged, totals
from harness.edge.api.client import KubeClient
from harness.edge.api.kube import Kube
from harness.edge.cni.known import PROFILES
from harness.edge.fuzz import Finding, Fuzz, World
from harness.edge.probe.doors import ClusterDoors
from harness.plays import Live

pytestmark = pytest.mark.live

SEED, POLICIES = 7, 20


class Lying(KubeClient):
    """A cluster that takes NetworkPolicies and silently leaves out what they let in."""

    def apply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body["kind"] == "NetworkPolicy":
            body = {**body, "spec": {**body["spec"], "ingress": []}}
        return super().apply(body)


class LyingDoors(ClusterDoors):
    """The doors to the same cluster, with an API that lies."""

    def kube(self) -> Kube:
        return Lying(self.kubeconfig, self.context)


def test_policies_do_what_the_oracle_says(lab_live: Live) -> None:
    cases = list(draw_cases(SEED, POLICIES, lab_live.cluster.lane.value.profile))
    fuzz = Fuzz(lab_live.cluster, lab_live.doors, lab_live.gate.fence, jobs=1)

    found = list(fuzz.run(cases, source="a live test"))

    assert [result for result in found if not isinstance(result, Judged)] == []
    sums = totals([result for result in found if isinstance(result, Judged)])
    assert (sums.cases, sums.policies) == (len(cases), POLICIES)
    assert sums.no_verdict == 0
    assert sums.agreed > 500


def test_lie_is_found_and_shrunk_to_one_rule_of_one_policy(lab_live: Live) -> None:
    cases = draw_cases(SEED, POLICIES, PROFILES["calico"])  # NetworkPolicies alone
    cluster = lab_live.cluster
    doors = LyingDoors(cluster.kubectl, cluster.kubeconfig, cluster.context)
    fuzz = Fuzz(cluster, doors, lab_live.gate.fence, jobs=1)

    with closing(fuzz.run(cases, source="a live test")) as results:
        finding = next(result for result in results if isinstance(result, Finding))

    [policy] = finding.shrunk.case.policies
    assert len(policy["spec"]["ingress"]) == 1
    assert not policy["spec"].get("egress")
    assert finding.stays
    assert {str(cell.observed) for cell in finding.shrunk.disagreed} == {"timeout"}
    assert len(finding.text) < 6000


def test_cilium_counts_rules_that_policy_types_leaves_out(lab_live: Live) -> None:
    """Cilium 1.20.2, pkg/k8s/network_policy.go: both lists are read, whatever policyTypes says."""
    drawn = next(draw_cases(SEED, 1, lab_live.cluster.lane.value.profile))
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "one-way", "namespace": "policylab-fuzz-a"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{}],
            "ingress": [{"ports": [{"port": 8080}]}],
        },
    }
    case: Case = replace(drawn.bare, objects=(*drawn.bare.objects, policy))

    with World(lab_live.cluster, lab_live.doors, fence=lab_live.gate.fence) as world:
        judged = world.run(case)

    closed = {(cell.ask.target.port, str(cell.observed)) for cell in judged.disagreed}
    if not lab_live.cluster.lane.value.profile.ignores_rules_left_out:
        assert closed == {(8081, "timeout"), (9090, "timeout"), (8080, "timeout")}  # the last: UDP
    else:
        assert closed == set()


def test_interrupt_leaves_no_namespace(lab_live: Live) -> None:
    fuzz = Fuzz(lab_live.cluster, lab_live.doors, lab_live.gate.fence, jobs=1)
    results = fuzz.run(
        draw_cases(SEED, POLICIES, lab_live.cluster.lane.value.profile), source="a live test"
    )
    next(results)

    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt)

    left = lab_live.kube.list("v1", "Namespace", selector="app.kubernetes.io/managed-by=policylab")
    there = [n for n in left if n["metadata"]["name"].startswith("policylab-fuzz")]
    assert all("deletionTimestamp" in body["metadata"] for body in there)
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]
