"""Measured times are told with their spread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.probe.spread import Spread
from harness.errors import ProbeError


def test_a_spread_reads_as_median_range_and_number() -> None:
    assert str(Spread.of([24.14, 22.8, 31.0])) == "24.1 ms (22.8-31.0, n=3)"


def test_one_time_is_its_own_spread() -> None:
    assert Spread.of([5.0]) == Spread(5.0, 5.0, 5.0, 5.0, 5.0, 1)


def test_quartiles_split_the_times_in_four() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 1.0, 5.0, 2.0, 4.0, 5)


def test_evidence_names_every_number() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]).as_evidence() == {
        "median": 3.0,
        "min": 1.0,
        "max": 5.0,
        "q1": 2.0,
        "q3": 4.0,
        "n": 5,
    }


def test_no_times_have_no_spread() -> None:
    with pytest.raises(ProbeError, match="nothing"):
        Spread.of([])


@given(st.lists(st.integers(0, 10**6).map(float), min_size=1, max_size=50))
def test_the_order_of_times_does_not_matter(times: list[float]) -> None:
    spread = Spread.of(times)
    assert spread == Spread.of(sorted(times))
    assert spread.minimum <= spread.q1 <= spread.median <= spread.q3 <= spread.maximum
