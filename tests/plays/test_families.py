"""A CNI that forgets one family of addresses: the dual lane sees it, and no other lane can."""

from __future__ import annotations

import pytest

from harness.core.lab.record import Status
from harness.core.outcome import SILENT, Outcome
from harness.core.target import PodPort
from harness.core.target.family import FAMILIES, Family
from harness.errors import ClusterNotReady
from tests.fakes import lies
from tests.fakes.cluster import FakeCluster
from tests.fakes.run import TUTORIALS, Result, play

FORGOTTEN = [
    ("lab12-zero-trust", "calico", Family.IPV6),
    ("netpol-by-example", "calico", Family.IPV6),
    ("production-isolation", "cilium", Family.IPV4),
]


def is_silent_flow(result: Result) -> bool:
    """Whether the row documents that packets between pods are dropped."""
    return isinstance(result.row.target, PodPort) and result.row.outcome.outcome in SILENT


@pytest.mark.parametrize(("tutorial", "cni", "family"), FORGOTTEN)
def test_every_denial_is_red_where_one_family_is_forgotten_and_says_which(
    tutorial: str, cni: str, family: Family
) -> None:
    cluster = FakeCluster(cni, lies.ForgetsFamily(family), families=FAMILIES["dual"])

    results = [each for each in play(tutorial, cluster) if is_silent_flow(each)]

    assert results
    assert [each.name for each in results if each.status is not Status.FAIL] == []
    for each in results:
        assert each.seen is not None
        assert each.seen.reading.outcome is Outcome.FAMILIES_DIFFER
        assert f"over {family} it connects" in each.seen.notes[0]


@pytest.mark.parametrize(("tutorial", "cni", "family"), FORGOTTEN)
def test_lane_of_the_other_family_alone_is_green_all_the_same(
    tutorial: str, cni: str, family: Family
) -> None:
    (other,) = (each for each in Family if each is not family)
    cluster = FakeCluster(cni, lies.ForgetsFamily(family), families=(other,))

    results = play(tutorial, cluster)

    assert [f"{each.name}: {each.problem}" for each in results if each.problem] == []
    assert len(results) == len(TUTORIALS[tutorial][cni])


@pytest.mark.parametrize("family", Family)
def test_gate_stops_a_run_on_a_cluster_that_enforces_nothing_over_one_family(
    family: Family,
) -> None:
    lie = lies.ForgetsFamily(family, gate=True)

    with pytest.raises(ClusterNotReady, match="the gate") as caught:
        play("netpol-by-example", FakeCluster("calico", lie, families=FAMILIES["dual"]))
    assert "families_differ" in caught.value.seen
