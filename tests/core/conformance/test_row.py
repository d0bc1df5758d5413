"""The value in which every check of a conformance run ends."""

from __future__ import annotations

import json

import pytest

from harness.core.conformance.judging import made_up_row
from harness.core.conformance.report import row_json
from harness.core.conformance.row import Figure, Level, Row, Status, counts, status_of


def row(status: Status, why: str = "") -> Row:
    return Row("restart", Level.EXTENDED, ("lifecycle",), status, why)


def test_a_figure_over_its_budget_fails_and_says_so() -> None:
    status, why = status_of([Figure("leak", 0, "ms", 0), Figure("outage", 80.5, "ms", 50)])

    assert status is Status.FAILED
    assert why == "outage: 80.5 ms (at most 50)"


def test_a_figure_that_was_not_measured_is_no_pass() -> None:
    status, why = status_of([Figure("leak", None, "ms", 0)])

    assert (status, why) == (Status.NO_VERDICT, "leak: not measured (at most 0)")


def test_a_figure_without_a_budget_passes() -> None:
    assert status_of([Figure("outage", 80, "ms")]) == (Status.PASSED, "")


@pytest.mark.parametrize(("status", "why"), [(Status.FAILED, ""), (Status.PASSED, "why?")])
def test_a_row_says_why_exactly_if_it_did_not_pass(status: Status, why: str) -> None:
    with pytest.raises(ValueError, match="says why"):
        row(status, why)


def test_rows_are_counted_by_their_status() -> None:
    found = counts([row(Status.PASSED), row(Status.SKIPPED, "no SCTP"), row(Status.PASSED)])

    assert found == {
        Status.PASSED: 2,
        Status.FAILED: 0,
        Status.SKIPPED: 1,
        Status.NO_VERDICT: 0,
    }


def test_a_row_is_plain_data_for_reports() -> None:
    found = json.loads(json.dumps(row_json(row(Status.SKIPPED, "no SCTP"))))

    assert (found["status"], found["why"], found["level"]) == ("skipped", "no SCTP", "extended")


def test_made_up_policies_without_a_verdict_are_counted_where_they_are_not_told() -> None:
    found = made_up_row("made-up", 0, [], ["a: x", "b: x", "c: x", "d: x"], {})

    assert (found.status, found.why) == (Status.NO_VERDICT, "a: x; b: x; c: x; and 1 more")
