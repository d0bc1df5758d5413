"""When a change counts as in force, and what is noted of each flow meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from harness.core.model import Protocol
from harness.core.observation import Answer, Attempt, Observation, Phase
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import JUDGE, Pace
from harness.core.probe.latency import Way
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.machine.wait import NotYet
from harness.edge.stage.settling import ROUNDS, SAMPLE, Poll, Showing
from harness.errors import ProbeError

WEB, API = PodRef("shop", "web"), PodRef("shop", "api")
ASK = Ask(WEB, PodPort(API, 80, Protocol.TCP))
OPEN, SHUT = Reading(Outcome.CONNECTED), Reading(Outcome.TIMEOUT)
ANSWERED = (Attempt(Phase.TIMEOUT, 40.0), Attempt(Phase.ANSWERED, 1.0, at=40.0))
SILENT = (Attempt(Phase.TIMEOUT, 200.0),)


class Script:
    """An observer that shows one reading after the other; every other flow is open."""

    def __init__(self, *shown: Reading | ProbeError, others: Sequence[Reading] = ()) -> None:
        self.shown = list(shown)
        self.others = list(others)
        self.asked: list[list[Ask]] = []
        self.clock = 0.0

    def read(
        self, asks: Iterable[Ask], pace: Pace = JUDGE, *, closing: frozenset[Ask] = frozenset()
    ) -> dict[Ask, Answer[Observation]]:
        asks = list(asks)
        self.asked.append(asks)
        self.clock += 0.1
        seen = _seen(self.shown.pop(0))
        other = self.others.pop(0) if self.others else OPEN
        return {ask: seen if ask == ASK else Answer(Observation(other)) for ask in asks}


def _seen(shown: Reading | ProbeError) -> Answer[Observation]:
    if isinstance(shown, ProbeError):
        return Answer(problem=shown)
    return Answer(Observation(shown, ANSWERED if shown == OPEN else SILENT))


def polled(script: Script, expected: Reading, **more: Any) -> Poll:
    poll = Poll(
        script,
        {ASK: expected},
        clock=lambda: script.clock,
        **more,
    )
    while script.shown:
        try:
            poll()
        except NotYet:
            continue
        assert not script.shown, "it held too early"
    return poll


def test_change_holds_after_so_many_looks_running() -> None:
    polled(Script(OPEN, *[SHUT] * ROUNDS), SHUT)


def test_flow_that_goes_back_starts_the_count_anew() -> None:
    poll = polled(Script(SHUT, OPEN, *[SHUT] * ROUNDS), SHUT)

    (flip,) = poll.change(["deny"]).flips
    assert flip.way is Way.CLOSES
    assert (flip.first_ms, flip.old_until, flip.last_ms) == (0.0, 141.0, 200.0)
    assert flip.looks == ROUNDS


def test_opening_is_dated_by_the_attempt_that_was_answered() -> None:
    poll = polled(Script(*[OPEN] * ROUNDS), OPEN)

    (flip,) = poll.change(["none"]).flips
    assert flip.way is Way.OPENS
    assert flip.last_ms == 41.0


def test_flow_that_never_flipped_is_missing_and_not_timed() -> None:
    poll = polled(Script(OPEN, OPEN), SHUT)

    change = poll.change(["deny"], "web still reaches api")
    assert change.flips == ()
    assert change.missing == "web still reaches api"
    assert change.polls == 2


def test_look_at_a_starved_listener_dates_nothing() -> None:
    starved = Reading(Outcome.UNSTABLE)
    poll = polled(Script(OPEN, starved, OPEN, OPEN), OPEN)

    (flip,) = poll.change(["n"]).flips
    assert flip.last_ms == flip.first_ms


def test_untouched_flow_that_falls_silent_for_a_moment_is_told() -> None:
    other = Ask(WEB, PodPort(API, 81, Protocol.TCP))
    poll = polled(Script(*[SHUT] * ROUNDS, others=[OPEN, SHUT, OPEN]), SHUT, others={other: OPEN})

    change = poll.change(["deny"])
    assert change.sampled == ROUNDS
    (blip,) = change.blips
    assert "81" in blip
    assert "timeout, not connected" in blip


def test_untouched_flows_are_looked_at_in_turn_and_few_at_a_time() -> None:
    others = {(WEB, PodPort(API, port, Protocol.TCP)): OPEN for port in range(1000, 1020)}
    script = Script(*[SHUT] * ROUNDS)
    polled(script, SHUT, others=others)

    assert {len(asked) for asked in script.asked} == {1 + SAMPLE}
    assert len({ask for asked in script.asked for ask in asked}) == 1 + len(others)


def test_tool_that_breaks_is_no_sign_of_anything() -> None:
    poll = Poll(Script(ProbeError("gone")), {ASK: SHUT})

    with pytest.raises(ProbeError, match="gone"):
        poll()


def test_closing_is_dated_between_two_attempts_of_one_look() -> None:
    """Open at 0 and 40 ms, silent from 80 ms on: no need to wait for the next look."""

    class Closing(Script):
        def read(
            self, asks: Iterable[Ask], pace: Pace = JUDGE, *, closing: frozenset[Ask] = frozenset()
        ) -> dict[Ask, Answer[Observation]]:
            super().read(asks, pace)
            assert list(closing) == [ASK]
            attempts = (
                Attempt(Phase.ANSWERED, 1.0, at=0.0),
                Attempt(Phase.ANSWERED, 1.0, at=40.0),
                Attempt(Phase.TIMEOUT, 120.0, at=80.0),
                Attempt(Phase.TIMEOUT, 80.0, at=120.0),
            )
            return {ASK: Answer(Observation(SHUT, attempts))}

    poll = Poll(Closing(SHUT), {ASK: SHUT}, clock=lambda: 0.0)
    with pytest.raises(NotYet, match="1 of"):
        poll()

    (flip,) = poll.change(["deny"]).flips
    assert (flip.old_until, flip.last_ms) == (41.0, 80.0)


def test_flow_that_showed_its_state_is_not_asked_again() -> None:
    other = Ask(API, PodPort(WEB, 80, Protocol.TCP))
    script = Script(ProbeError("no answer"), SHUT, OPEN)
    showing = Showing(script, {ASK: OPEN, other: OPEN}, clock=lambda: script.clock)

    for missing in ("no answer", "timeout"):
        with pytest.raises(NotYet, match=f"{ASK}: {missing}"):
            showing()
    showing()

    assert script.asked == [[ASK, other], [ASK], [ASK]]
    # The other one in the first look; this one in the third, by an answer after 41 ms.
    assert showing.at == {other: 0.0, ASK: pytest.approx(0.241)}
