"""Flows that policies do not decide: judged only once they stand still."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from harness.core.model import PodRef, Protocol
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import JUDGE, Pace
from harness.core.target import PodPort, ServiceAddress
from harness.core.target.ask import Ask
from harness.edge.stage.rest import CALM_SECONDS, LOOKS, Rest
from harness.errors import ProbeError
from tests.fakes.clock import FakeClock

WEB = PodRef("shop", "web")
OPEN = Ask(WEB, ServiceAddress("shop", "api", 81, Protocol.TCP))
DECIDED = Ask(WEB, PodPort(PodRef("shop", "api"), 80, Protocol.TCP))
R, T, U = Outcome.REFUSED, Outcome.TIMEOUT, Outcome.UNSTABLE


class Script:
    """An observer that shows one outcome after the other of the open flow, then the last one."""

    def __init__(self, clock: FakeClock, *shown: Outcome) -> None:
        self.clock = clock
        self.shown = list(shown)
        self.read_at: list[tuple[float, bool]] = []

    def read(
        self, asks: Iterable[Ask], pace: Pace = JUDGE, *, closing: frozenset[Ask] = frozenset()
    ) -> dict[Ask, Answer[Observation]]:
        self.read_at.append((self.clock.monotonic(), pace is JUDGE))
        self.clock.sleep(pace.deadline)
        asks = list(asks)
        outcome = self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]
        connected = Answer(Observation(Reading(Outcome.CONNECTED)))
        return {a: Answer(Observation(Reading(outcome))) if a == OPEN else connected for a in asks}

    @property
    def looks(self) -> int:
        return sum(not judged for _, judged in self.read_at)


def judged(script: Script, seconds: float = 15.0) -> Answer[Observation]:
    rest = Rest(script, [OPEN], seconds=seconds, clock=script.clock)
    rest.wait()
    found = rest.judge([OPEN, DECIDED])
    assert found[DECIDED].unwrap().reading == Reading(Outcome.CONNECTED)
    return found[OPEN]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_flow_that_stands_still_is_judged_after_so_many_looks(clock: FakeClock) -> None:
    script = Script(clock, R)

    assert judged(script).unwrap().reading.outcome is R
    assert script.looks == LOOKS


def test_flow_that_still_changes_is_looked_at_until_it_stands_still(clock: FakeClock) -> None:
    """The proxy hears of a Service: silence at first, then it refuses."""
    script = Script(clock, T, T, R)

    assert judged(script).unwrap().reading.outcome is R
    assert script.looks == 2 + LOOKS


@pytest.mark.parametrize("other", [T, U])
def test_judgement_that_differs_from_the_looks_is_not_kept(
    clock: FakeClock, other: Outcome
) -> None:
    script = Script(clock, *[R] * LOOKS, other, R)

    assert judged(script).unwrap().reading.outcome is R


def test_flow_that_never_stands_still_is_not_judged(clock: FakeClock) -> None:
    script = Script(clock, *[R, T] * 50)

    with pytest.raises(ProbeError, match="was not stable within 4 s") as caught:
        judged(script, seconds=4.0).unwrap()
    assert "refused, timeout" in caught.value.seen


def test_looks_are_a_second_apart_once_two_of_them_differed(clock: FakeClock) -> None:
    """A kernel that sends one refusal a second is seen to refuse all along."""
    script = Script(clock, R, T, R)

    judged(script)

    moments = [at for at, _ in script.read_at]
    gaps = [later - earlier for earlier, later in pairwise(moments[2:])]
    assert min(gaps) >= CALM_SECONDS


def test_without_open_flows_nothing_is_looked_at(clock: FakeClock) -> None:
    script = Script(clock, R)
    rest = Rest(script, [], seconds=15.0, clock=clock)
    rest.wait()

    found = rest.judge([OPEN])

    assert found[OPEN].unwrap().reading.outcome is R
    assert script.looks == 0
