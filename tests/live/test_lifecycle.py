"""On a live cluster: pods are born isolated, churn disturbs nobody, and flips are timed.

Nothing is restarted here; `make matrix` does that. About 40 s.
"""

from __future__ import annotations

import pytest

from harness.core.conformance.lifecycle import STARVED
from harness.core.conformance.row import Row, Status
from harness.edge.conformance.life.ground import NAMESPACE
from harness.edge.conformance.life.lifecycle import Plan, latency, lifecycle
from harness.edge.conformance.life.site import site_of
from harness.plays import Live
from harness.progress import Quiet

pytestmark = pytest.mark.live

PLAN = Plan(restarts=False, quiet=1.0, churn=5.0, births=2)
FLIPS = 20


def is_sound(row: Row) -> bool:
    """Whether the row passed, or the machine had no time for it; then the row says so."""
    return row.status is Status.PASSED or (
        row.status is Status.NO_VERDICT and STARVED in row.evidence
    )


def value(row: Row, name: str) -> float:
    [found] = [figure.value for figure in row.figures if figure.name == name]
    assert found is not None
    return found


def test_flows_stay_as_they_are_and_pods_are_born_isolated(lab_live: Live) -> None:
    site = site_of(lab_live.cluster, lab_live.doors, lab_live.cluster.refs["toolbox"])

    found = list(lifecycle(site, lab_live.cluster.lane.value.profile, Quiet(), PLAN))

    assert [(row.name, row.why) for row in found if not is_sound(row)] == []
    assert {row.name.partition("/")[2] for row in found} == {
        "quiet",
        "churn",
        "birth-init",
        "birth",
    }
    for row in found:
        assert 0 < value(row, "measured every") < 3
    assert site.kube.get("v1", "Namespace", NAMESPACE) is None


def test_each_flip_of_a_policy_is_seen_in_both_ways(lab_live: Live) -> None:
    site = site_of(lab_live.cluster, lab_live.doors, lab_live.cluster.refs["toolbox"])

    found = list(latency(site, lab_live.cluster.lane.value.profile, Quiet(), flips=FLIPS))

    assert [(row.name, row.why) for row in found if not is_sound(row)] == []
    for row in found:
        assert value(row, "flips") >= FLIPS / 2
        assert value(row, "median") <= value(row, "p95") <= value(row, "max")
