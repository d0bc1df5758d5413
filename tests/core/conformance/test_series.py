"""Leaks, outages and gaps out of a stream, against a plain model that looks at each moment."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.conformance.series import Series, percentile, settled, watch
from harness.errors import ProbeError

REACH = 5


@st.composite
def streams(draw: st.DrawFn) -> Series:
    """Probes at whole milliseconds, so that a model can look at each of them."""
    steps = draw(st.lists(st.integers(1, 12), min_size=1, max_size=30))
    at = [float(moment) for moment in accumulate(steps, initial=draw(st.integers(0, 50)))]
    passed = draw(st.lists(st.booleans(), min_size=len(at), max_size=len(at)))
    return Series(at, passed, at[-1] + draw(st.integers(0, 12)))


def model(series: Series, *, is_open: bool) -> tuple[int, int]:
    """How many whole milliseconds were wrong, and how many nobody looked at."""
    wrong = unmeasured = 0
    for moment in range(int(series.at[0]), int(series.until)):
        last = max(n for n, at in enumerate(series.at) if at <= moment)
        if moment - series.at[last] >= REACH:
            unmeasured += 1
        elif series.passed[last] is not is_open:
            wrong += 1
    return wrong, unmeasured


@given(streams(), st.booleans())
def test_each_moment_is_right_wrong_or_not_measured(series: Series, is_open: bool) -> None:
    found = watch(series, is_open=is_open, reach=REACH)

    assert (found.wrong_ms, found.unmeasured_ms) == model(series, is_open=is_open)
    assert sum(interval.probes for interval in found.wrong) == sum(
        passed is not is_open for passed in series.passed
    )


@given(streams())
def test_intervals_do_not_overlap_and_none_is_empty_but_at_the_very_end(series: Series) -> None:
    intervals = watch(series, is_open=True, reach=REACH).wrong

    assert all(before.end < after.begin for before, after in pairwise(intervals))
    assert all(one.ms > 0 or one.end == series.until for one in intervals)


@given(streams(), st.integers(0, 100))
def test_gap_of_the_prober_adds_no_wrong_time_beyond_its_reach(series: Series, pause: int) -> None:
    """A prober that sleeps longer before its last probe has a longer gap and nothing else."""
    later = Series([*series.at[:-1], series.at[-1] + pause], series.passed, series.until + pause)

    before, after = (watch(one, is_open=True, reach=REACH) for one in (series, later))

    distance = series.at[-1] - series.at[-2]
    assert after.wrong_ms - before.wrong_ms <= max(0, REACH - distance)
    assert after.unmeasured_ms - before.unmeasured_ms >= pause - max(0, REACH - distance)


@given(streams())
def test_flow_is_settled_at_the_first_probe_after_the_last_wrong_one(series: Series) -> None:
    found = settled(series, is_open=True)

    if not series.passed[-1]:
        assert found is None
    else:
        assert found is not None
        before = [p for at, p in zip(series.at, series.passed, strict=True) if at < found]
        after = [p for at, p in zip(series.at, series.passed, strict=True) if at >= found]
        assert all(after)
        assert before[-1:] in ([], [False])


def test_single_lost_probe_is_an_outage_until_the_next_one() -> None:
    found = watch(Series([0, 1, 2, 3], [True, False, True, True], 4), is_open=True, reach=REACH)

    [interval] = found.wrong
    assert (interval.begin, interval.end, interval.probes) == (1, 2, 1)
    assert found.every == 1


def test_probes_around_a_gap_are_two_outages() -> None:
    """Nobody knows what was between them, so the time between them is in no outage."""
    found = watch(Series([0, 1, 40, 41], [False] * 4, 42), is_open=True, reach=REACH)

    assert [interval.ms for interval in found.wrong] == [6, 2]
    assert found.unmeasured_ms == 34


def test_part_of_a_stream_ends_where_it_is_cut() -> None:
    cut = Series([0, 1, 2, 3, 4], [True] * 5, 5).between(1, 3)

    assert (list(cut.at), cut.until) == ([1, 2], 3)


@pytest.mark.parametrize("at", [[], [1.0]])
def test_nothing_is_said_of_fewer_than_two_probes(at: list[float]) -> None:
    with pytest.raises(ProbeError, match="too few probes"):
        watch(Series(at, [True] * len(at), 10), is_open=True, reach=REACH)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(1, 100))
def test_percentile_is_a_value_that_enough_others_do_not_exceed(
    values: list[float], percent: int
) -> None:
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_percentile_of_nothing_is_no_number() -> None:
    with pytest.raises(ProbeError, match="nothing was measured"):
        percentile([], 50)
