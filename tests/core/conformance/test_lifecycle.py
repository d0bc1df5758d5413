"""Rows of streams: figures, budgets, and when there is no verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.conformance.lifecycle import (
    Check,
    Flow,
    Line,
    Turned,
    latency_row,
    watched_row,
)
from harness.core.conformance.row import Figure, Row, Status
from harness.core.conformance.series import Series
from harness.core.lab.profile import Budget
from harness.core.probe.latency import Way
from harness.edge.cni.known import PROFILES

BARE = replace(PROFILES["calico"], budgets={})
CHECK = Check("lifecycle/churn", "policies change")
OPEN = Flow("client -> open", is_open=True)
HELD = Flow("client -> open, held", is_open=True, held=True)
SHUT = Flow("client -> shut", is_open=False)


def line(flow: Flow, *, wrong: range = range(0), length: int = 1000, every: int = 1) -> Line:
    """A stream in which the probes of some milliseconds showed the contrary."""
    at = list(range(0, length, every))
    return Line(flow, Series(at, [(t in wrong) is not flow.is_open for t in at], length))


def row(*lines: Line, lost: int = 0, **budgets: float) -> Row:
    told = {f"{CHECK.name} {n.replace('_', ' ')}": Budget(v, "told") for n, v in budgets.items()}
    profile = replace(BARE, budgets=told)
    return watched_row(CHECK, lines, profile, period=1.0, lost={"buffers": lost})


def value(found: Row, name: str) -> float | None:
    [figure] = [figure for figure in found.figures if figure.name == name]
    return figure.value


def test_flows_that_stay_as_they_are_pass() -> None:
    found = row(line(OPEN), line(HELD), line(SHUT))

    assert found.status is Status.PASSED
    assert (value(found, "leak"), value(found, "outage")) == (0, 0)
    assert value(found, "measured every") == 1


def test_each_kind_of_flow_has_its_figure_and_the_worst_flow_counts() -> None:
    found = row(
        line(OPEN, wrong=range(10, 30)),
        line(replace(OPEN, name="client -> other"), wrong=range(10, 12)),
        line(HELD, wrong=range(10, 15)),
        line(SHUT, wrong=range(100, 107)),
    )

    assert found.status is Status.FAILED
    assert (value(found, "leak"), value(found, "outage")) == (7, 20)
    assert value(found, "outage of the held flow") == 5
    assert any("leak 7.0 ms from 100 ms on (7)" in sentence for sentence in found.evidence)


def test_budget_of_the_profile_allows_what_it_says_and_its_source_is_told() -> None:
    lines = [line(OPEN, wrong=range(10, 30)), line(SHUT)]

    assert row(*lines, outage=20).status is Status.PASSED
    assert row(*lines, outage=19).status is Status.FAILED
    assert "budget of outage: told" in row(*lines, outage=20).evidence


def test_outage_that_the_machine_may_have_made_has_no_figure() -> None:
    found = row(line(OPEN, wrong=range(10, 30)), line(SHUT), lost=20)

    assert found.status is Status.NO_VERDICT
    assert value(found, "outage") is None


def test_leak_is_certain_whatever_the_machine_lost() -> None:
    assert row(line(OPEN), line(SHUT, wrong=range(10, 30)), lost=20).status is Status.FAILED


def test_starved_stream_has_no_verdict() -> None:
    found = row(line(OPEN, every=10), line(SHUT, every=10))

    assert found.status is Status.NO_VERDICT
    assert (value(found, "leak"), value(found, "not measured")) == (None, 700)


def test_starved_stream_that_saw_a_leak_has_failed() -> None:
    found = row(line(OPEN, every=10), line(SHUT, every=10, wrong=range(50, 60)))

    assert found.status is Status.FAILED


def test_check_may_have_budgets_of_its_own() -> None:
    free = replace(CHECK, most={"outage": 100.0})

    found = watched_row(free, [line(OPEN, wrong=range(90))], BARE, period=1.0, lost={})

    assert found.status is Status.PASSED
    assert value(found, "outage") == 90


def flips(*times: float | None) -> Row:
    turned = [Turned(Way.CLOSES, time) for time in times] + [Turned(Way.OPENS, 9999.0)]
    return latency_row(CHECK, Way.CLOSES, turned, BARE, period=1.0, clocks_ms=0.5, threshold=100.0)


def test_latency_has_percentiles_of_one_way_only() -> None:
    found = flips(*map(float, range(1, 101)))

    figures = {figure.name: figure.value for figure in found.figures}
    assert figures == {"median": 50, "p95": 95, "p99": 99, "max": 100, "flips": 100}
    assert found.status is Status.PASSED


def test_threshold_is_the_budget_of_the_99th_percentile() -> None:
    found = flips(*map(float, range(1, 103)))

    assert found.status is Status.FAILED
    assert found.why == "p99: 101 ms (at most 100)"


@pytest.mark.parametrize("times", [(), (None, None), (5.0, None)])
def test_flip_that_was_not_seen_leaves_no_verdict(times: tuple[float | None, ...]) -> None:
    assert flips(*times).status is Status.NO_VERDICT


def test_flip_that_was_not_seen_counts_as_slower_than_all_others() -> None:
    found = flips(*map(float, range(1, 98)), None, None, None)

    assert [value(found, name) for name in ("median", "p95", "p99", "max")] == [50, 95, None, None]
    assert found.why == "p99: not measured (at most 100); max: not measured"
    assert "3 of 100 flips were not seen before the next change" in found.evidence


def test_row_that_was_left_out_says_why() -> None:
    found = CHECK.left_out("one node")

    assert (found.status, found.why, found.figures) == (Status.SKIPPED, "one node", ())


def test_figures_that_come_first_stay_first() -> None:
    found = watched_row(
        CHECK, [line(OPEN)], BARE, period=1.0, lost={}, figures=[Figure("first", 1.0, "ms")]
    )

    assert found.figures[0].name == "first"
