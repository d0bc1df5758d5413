"""Waits until a change is in force: polls until every flow that it changes has flipped.

Meanwhile it also probes some flows that the change does not touch: a change that disturbs them is a
finding. It samples only flows that answer, because a wait for silence would make each look slow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Self

from harness.core.observation import Answer, Observation, Phase
from harness.core.outcome import Outcome, Reading
from harness.core.predict.settle import PASSING
from harness.core.probe.attempts import GLANCE, POLL
from harness.core.probe.latency import Change, FlowFlip, Way
from harness.core.target.ask import Ask
from harness.edge.machine.wait import NotYet
from harness.edge.probe.observe import Reader
from harness.listing import few

ROUNDS = 3
"""The number of successive rounds that must show the new state before it counts as in force."""
POLL_EVERY = 0.03
SHOWN = 5
SAMPLE = 8
"""The number of untouched flows in one poll."""


@dataclass(frozen=True, slots=True)
class Settled:
    """How a change came into force.

    Attributes:
        ms: the time until the last flow had flipped, in ms.
        missing: the flows that did not show the state at the deadline, in words; rows are judged
            anyway.
    """

    ms: float
    missing: str = ""

    def lacking(self, missing: str) -> Self:
        """The same, where this is missing as well."""
        return replace(self, missing="; ".join(filter(None, (self.missing, missing))))


@dataclass(slots=True)
class _Seen:
    """One flow's history, in seconds of the monotonic clock."""

    way: Way
    old_until: float
    first: float | None = None
    last: float = 0.0
    looks: int = 0


class Poll:
    """One look at all flows; holds when `ROUNDS` looks running showed the predicted state.

    `acknowledged` is when the API server had taken the whole change; `others` are flows that it
    does not touch, with the answers that they get. `still` must show their state as well, but are
    no flips: they showed it before.
    """

    def __init__(
        self,
        observer: Reader,
        asks: Mapping[Ask, Reading],
        *,
        acknowledged: float = 0.0,
        others: Mapping[Ask, Reading] | None = None,
        still: Mapping[Ask, Reading] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._observer = observer
        self._clock = clock
        self._still = frozenset(still or {})
        self._asks = asks = {**asks, **(still or {})}
        self._acknowledged = acknowledged
        self._others = dict(others or {})
        self._closing = frozenset(ask for ask, to in asks.items() if _way(to) is Way.CLOSES)
        self._samples = cycle(list(self._others))
        self._streak = 0
        self._since = 0.0
        self._polls = 0
        self._sampled = 0
        self._blips: list[str] = []
        self._seen = {ask: _Seen(_way(expected), acknowledged) for ask, expected in asks.items()}

    def __call__(self) -> float:
        """When the streak of right rounds began.

        Raises:
            NotYet: a flow still shows the old state, or too few rounds show the new one.
            ProbeError: there is no verdict for a flow.
        """
        now = self._clock()
        sample = list(islice(self._samples, min(SAMPLE, len(self._others))))
        found = self._observer.read([*self._asks, *sample], POLL, closing=self._closing)
        self._polls += 1
        wrong = []
        for ask, expected in self._asks.items():
            seen = found[ask].unwrap()
            right = seen.reading.satisfies(expected)
            self._note(self._seen[ask], seen, now, right=right)
            if not right:
                wrong.append(f"{ask}: {seen.reading}, not {expected}")
        self._look_at(sample, found, now)
        if wrong:
            self._streak = 0
            raise NotYet(few(wrong, SHOWN, "; "))
        self._since = self._since if self._streak else now
        self._streak += 1
        if self._streak < ROUNDS:
            raise NotYet(f"{self._streak} of {ROUNDS} rounds show it")
        return self._since

    def change(self, apply: Sequence[str], missing: str = "") -> Change:
        """What the polls saw; a flow that never flipped is only in `missing`."""
        flips = tuple(
            FlowFlip(
                str(ask),
                seen.way,
                self._ms(seen.first),
                self._ms(seen.last),
                self._ms(seen.old_until),
                seen.looks,
            )
            for ask, seen in self._seen.items()
            if seen.first is not None and seen.looks and ask not in self._still
        )
        blips = tuple(self._blips)
        return Change(tuple(apply), flips, self._polls, self._sampled, blips, missing)

    def _note(self, flow: _Seen, seen: Observation, now: float, *, right: bool) -> None:
        if seen.reading.outcome is Outcome.UNSTABLE:
            return  # a starved listener: it is open or shut, and nobody can say which
        old, new = _times(seen, flow.way)
        if right and not new:  # a refusal of Cilium's DNS proxy closes a flow by an answer
            old = []
        flow.old_until = max([flow.old_until, *(now + at for at in old)])
        if not right:
            flow.looks = 0
            return
        if not flow.looks:
            flow.last = now + (new[0] if new else 0.0)
            flow.first = flow.last if flow.first is None else flow.first
        flow.looks += 1

    def _look_at(
        self, sample: Sequence[Ask], found: Mapping[Ask, Answer[Observation]], now: float
    ) -> None:
        for ask in sample:
            seen, expected = found[ask].value, self._others[ask]
            if seen is None:
                continue  # no verdict about a flow that nobody asked about
            self._sampled += 1
            if not seen.reading.satisfies(expected):
                self._blips.append(
                    f"{ask} showed {seen.reading}, not {expected}, "
                    f"{self._ms(now):.0f} ms after the change"
                )

    def _ms(self, moment: float) -> float:
        return round((moment - self._acknowledged) * 1000, 1)


class Showing:
    """One look at the flows that have not shown their state yet; holds when none is left.

    A flow that showed it once is not asked again: with each look fewer flows are asked, so that a
    slow machine comes to an end as well. `at` has when each flow showed its state, in seconds of
    the monotonic clock: silence began with its attempt, and an answer counts from when it came. A
    look takes up to a quarter of a second, so that silence may have begun so much earlier.
    """

    def __init__(
        self,
        observer: Reader,
        expected: Mapping[Ask, Reading],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._observer = observer
        self._left = dict(expected)
        self._clock = clock
        self.at: dict[Ask, float] = {}

    def __call__(self) -> None:
        """Look at them.

        Raises:
            NotYet: a flow shows another state, or the look has no answer about it.
        """
        now, wrong = self._clock(), {}
        for ask, found in self._observer.read(self._left, GLANCE).items():
            shown = found.value.reading if found.value else found.problem
            if found.value is None or not found.value.reading.satisfies(self._left[ask]):
                wrong[ask] = f"{ask}: {shown}, not {self._left[ask]}"
                continue
            _, new = _times(found.value, _way(self._left[ask]))
            self.at[ask] = now + (new[0] if new else 0.0)
        self._left = {ask: self._left[ask] for ask in wrong}
        if wrong:
            raise NotYet(few(wrong.values(), SHOWN, "; "))


def _way(expected: Reading) -> Way:
    return Way.OPENS if expected.outcome in PASSING else Way.CLOSES


def _times(seen: Observation, way: Way) -> tuple[list[float], list[float]]:
    """When attempts showed the old state, and then the new one: seconds after the look began.

    Silence is dated by when its attempt began, an answer by when it came.
    """
    old: list[float] = []
    new: list[float] = []
    for attempt in seen.attempts:
        answered = attempt.phase is not Phase.TIMEOUT
        moment = (attempt.at + (attempt.ms if answered else 0.0)) / 1000
        if answered is (way is Way.OPENS):
            new.append(moment)
        else:
            old.append(moment)
            new.clear()
    return old, new
