from __future__ import annotations

import pytest

from harness.core.observation import Attempt, Phase
from harness.core.outcome import Outcome
from harness.core.probe.attempts import classify
from harness.errors import ProbeError


def attempts(*phases: str) -> list[Attempt]:
    return [Attempt(Phase(phase), 1.0) for phase in phases]


@pytest.mark.parametrize(
    ("phase", "outcome"),
    [
        ("connected", Outcome.CONNECTED),
        ("answered", Outcome.CONNECTED),
        ("refused", Outcome.REFUSED),
        ("reset", Outcome.RESET),
    ],
)
def test_one_answer_is_enough(phase: str, outcome: Outcome) -> None:
    assert classify(attempts(phase), wanted=3, where="a") is outcome


def test_silence_needs_all_attempts() -> None:
    assert (
        classify(attempts("timeout", "timeout", "timeout"), wanted=3, where="a") is Outcome.TIMEOUT
    )
    with pytest.raises(ProbeError, match="too few"):
        classify(attempts("timeout", "timeout"), wanted=3, where="a")


def test_attempts_that_disagree_are_unstable() -> None:
    assert classify(attempts("timeout", "connected"), wanted=3, where="a") is Outcome.UNSTABLE


def test_no_attempt_is_no_verdict() -> None:
    with pytest.raises(ProbeError, match="no attempt"):
        classify([], wanted=3, where="a")


def test_an_error_of_the_socket_is_never_a_denial() -> None:
    with pytest.raises(ProbeError, match="EMFILE"):
        classify([Attempt(Phase.ERROR, 1.0, error="EMFILE")], wanted=1, where="a")
