"""How the three columns add up to a status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.lab.documented import Erratum, Row, parse_table
from harness.core.lab.record import Observed, Status, status_of
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading

TABLE = """
step deny: 01-deny

| from     | to               | tutorial says | why      |
|----------|------------------|---------------|----------|
| shop/web | pod/shop/db:6379 | {word}        | isolated |
"""
CONNECTED = Reading(Outcome.CONNECTED)
TIMEOUT = Reading(Outcome.TIMEOUT)
UNSTABLE = Reading(Outcome.UNSTABLE)


def row(word: str = "timeout") -> Row:
    return parse_table(TABLE.format(word=word), source="lab#1").rows[0]


def seen(outcome: Outcome, control: Reading | None = None) -> Observation:
    return Observation(Reading(outcome), control=control)


def test_silence_with_a_control_that_answered_passes() -> None:
    assert status_of(row(), TIMEOUT, seen(Outcome.TIMEOUT, CONNECTED)) == (Status.PASS, "")


@pytest.mark.parametrize(
    "control",
    [None, TIMEOUT, Reading(Outcome.REFUSED), Reading(Outcome.DNS_TIMEOUT), UNSTABLE],
    ids=str,
)
def test_silence_without_a_control_that_answered_is_not_checked(control: Reading | None) -> None:
    status, problem = status_of(row(), TIMEOUT, seen(Outcome.TIMEOUT, control))
    assert status is Status.NOT_CHECKED
    assert str(control or "none") in problem


def test_connection_by_name_shows_that_the_name_server_answers_without_policies() -> None:
    silent = Reading(Outcome.DNS_TIMEOUT)

    found = status_of(row("dns_timeout"), silent, seen(Outcome.DNS_TIMEOUT, CONNECTED))

    assert found == (Status.PASS, "")


def test_attempts_that_disagree_are_no_verdict() -> None:
    status, problem = status_of(row(), TIMEOUT, seen(Outcome.UNSTABLE, CONNECTED))
    assert status is Status.NOT_CHECKED
    assert "disagree" in problem


def test_nothing_observed_is_not_checked() -> None:
    assert status_of(row(), TIMEOUT, None)[0] is Status.NOT_CHECKED


def test_another_outcome_than_documented_fails() -> None:
    status, problem = status_of(row(), None, seen(Outcome.REFUSED))
    assert status is Status.FAIL
    assert problem == "expected timeout, observed refused"


def test_another_outcome_than_predicted_fails_even_as_documented() -> None:
    status, problem = status_of(row("connected"), TIMEOUT, seen(Outcome.CONNECTED))
    assert status is Status.FAIL
    assert "policies predict timeout" in problem


def test_an_answer_needs_no_control() -> None:
    assert status_of(row("connected"), None, seen(Outcome.CONNECTED)) == (Status.PASS, "")


def test_an_erratum_is_checked_against_what_is_true() -> None:
    erratum = Erratum("wrong-way", "it times out", "no policy", "02-fixed")
    refuted = replace(row(), actual=CONNECTED, erratum=erratum)
    assert status_of(refuted, CONNECTED, seen(Outcome.CONNECTED)) == (Status.ERRATUM, "")
    assert status_of(refuted, None, seen(Outcome.TIMEOUT, CONNECTED))[0] is Status.FAIL


def observed(word: str, predicted: Reading | None, observation: Observation) -> Observed:
    return Observed(row(word), predicted, observation)


def test_comparison_with_the_rows_outcome_is_the_verdict() -> None:
    good = observed("timeout", TIMEOUT, seen(Outcome.TIMEOUT, CONNECTED))

    assert good == row().outcome
    assert row().outcome == good
    assert good.verdict() == (Status.PASS, "")


def test_comparison_fails_where_only_the_prediction_differs() -> None:
    found = observed("connected", TIMEOUT, seen(Outcome.CONNECTED))

    assert found != row("connected").outcome
    assert found.verdict()[0] is Status.FAIL


def test_comparison_fails_where_silence_was_not_earned() -> None:
    assert observed("timeout", TIMEOUT, seen(Outcome.TIMEOUT)) != TIMEOUT


def test_comparison_takes_any_detail_where_none_is_documented() -> None:
    answered = Observation(Reading(Outcome.RESOLVED, "10.0.0.7"))

    assert observed("resolved", None, answered) == Reading(Outcome.RESOLVED)
    assert observed("resolved", None, answered) == Reading(Outcome.RESOLVED, "10.0.0.7")
    assert observed("resolved", None, answered) != Reading(Outcome.RESOLVED, "10.0.0.8")


def test_comparison_with_anything_but_a_reading_is_false() -> None:
    found = observed("connected", None, seen(Outcome.CONNECTED))

    assert found != "connected"
    assert repr(found) == "connected"
