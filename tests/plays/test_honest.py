"""The tutorials from the gate to the end, on a cluster in memory that does what it should."""

from __future__ import annotations

import pytest

from harness.core.lab.record import Status
from harness.core.target.family import FAMILIES
from tests.fakes.cluster import FakeCluster
from tests.fakes.run import TUTORIALS, play

RUNS = [(tutorial, cni) for tutorial, cnis in TUTORIALS.items() for cni in cnis]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("tutorial", "cni"), RUNS)
def test_every_row_is_as_documented_on_an_honest_cluster(
    tutorial: str, cni: str, family: str
) -> None:
    results = play(tutorial, FakeCluster(cni, families=FAMILIES[family]))

    assert [f"{r.name}: {r.problem}" for r in results if r.problem] == []
    refuted = [r.name for r in results if r.status is Status.ERRATUM]
    assert refuted == [r.name for r in results if r.row.erratum]
    assert len(results) == len(TUTORIALS[tutorial][cni])
