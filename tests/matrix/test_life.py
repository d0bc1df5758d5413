"""`make matrix`: agents end and a node goes, on clusters of two nodes that are made for that.

Each row must be measured, and must keep the budgets of the CNI's profile. About 6 min each.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.core.conformance.lifecycle import STARVED
from harness.core.conformance.row import Row, Status
from harness.edge.cluster.lane import Lane
from harness.edge.cluster.opening import Cluster, ClusterSpec, delete_cluster, open_cluster
from harness.edge.cni.known import CNIS
from harness.edge.conformance.life.lifecycle import lifecycle
from harness.edge.conformance.life.site import site_of
from harness.plays import doors_of
from harness.progress import Quiet

pytestmark = pytest.mark.live

NAME = "policylab-life"


def is_sound(row: Row) -> bool:
    """Whether the row passed, or the machine had no time for it; then the row says so."""
    return row.status is Status.PASSED or (
        row.status is Status.NO_VERDICT and STARVED in row.evidence
    )


@pytest.fixture(params=CNIS)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    spec = ClusterSpec(lane=Lane(cni=request.param), name=NAME, workers=1)
    try:
        yield open_cluster(spec, Quiet())
    finally:
        delete_cluster(NAME)


def test_flows_stay_as_they_are_while_agents_end_and_a_node_goes(cluster: Cluster) -> None:
    site = site_of(cluster, doors_of(cluster), cluster.refs["toolbox"])

    found = list(lifecycle(site, cluster.lane.value.profile, Quiet()))

    assert [(row.name, row.why) for row in found if not is_sound(row)] == []
    assert [row.name.partition("/")[2] for row in found] == [
        "quiet",
        "churn",
        "birth-init",
        "birth",
        "agent-deleted",
        "agent-killed",
        "agent-rolled",
        "node-drained",
        "node-readded",
    ]
