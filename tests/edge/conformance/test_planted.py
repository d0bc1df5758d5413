"""Each planted fault of a CNI fails the case that is about it, between the API and the agent."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.core.conformance.row import Status
from harness.edge.conformance.ground import Rules
from harness.edge.conformance.running import Running
from harness.edge.conformance.shipped import shipped
from tests.fakes.cluster import FakeCluster
from tests.fakes.faults import FAULTS, Fault, PlantedDoors

ABOUT: Mapping[str, str] = {
    "ignores except": "blocks/except-ingress",
    "takes endPort for port": "ports/range-egress",
    "ignores endPort": "ports/range-of-both",
    "forgets UDP": "ports/number-without-protocol",
    "takes every port for TCP": "ports/name-udp",
    "lets the first packet pass": "isolation/deny-both",
    "applies egress only": "isolation/deny-ingress",
    "applies ingress only": "isolation/deny-egress",
    "keeps a deleted policy": "changes/delete",
    "confuses namespaces of equal labels": "peers/equal-labels-in-two-namespaces",
    "is 5 s late": "changes/update-closes",
    "drops all where a rule has no peers": "isolation/allow-all-ingress",
    "ignores ports": "ports/port-and-peer",
    "takes only the first rule": "ports/rules-do-not-mix",
    "takes only the first peer": "peers/several-pods",
    "takes only the first port": "ports/several",
    "knows no names of ports": "ports/name",
    "has one number for a name of ports": "ports/name-with-two-numbers",
    "needs the key for NotIn": "isolation/subject-not-in",
    "takes DoesNotExist for Exists": "isolation/subject-does-not-exist",
    "ignores matchExpressions": "isolation/subject-by-two-requirements",
    "takes both selectors for either": "peers/both-selectors",
    "looks for peers at home only": "peers/namespaces",
    "ignores an update": "changes/update-opens",
    "lets one policy of a namespace count": "stacks/ports-add-up",
    "lets an empty podSelector select nobody": "isolation/deny-ingress",
    "takes Ingress for the default policyTypes": "isolation/types-default-to-both",
}
CASES = {case.name: case for case in shipped()}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fails_the_case_about_it(fault: Fault) -> None:
    cluster = FakeCluster("calico", fault.lie)
    running = Running(
        cluster.value(),
        PlantedDoors(cluster, fault),
        lambda: cluster.clock.take(1.0),
        Rules(budget_ms=3000.0),
        jobs=1,
    )

    (row,) = running.run([CASES[ABOUT[fault.name]]])

    assert row.status is Status.FAILED, row.why
