"""Flows that the oracle leaves open: they are judged only when their outcome is stable.

What a policy change decides is waited for by its prediction (`harness.edge.stage.settling`). What
the API leaves open has no prediction: ICMP, the network of a node, a port that a Service lacks.
Such a flow may still be on its way to another answer, so it is looked at until several looks
running agree with each other and with the judgement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome
from harness.core.probe.attempts import Pace
from harness.core.target.ask import Ask
from harness.edge.machine.clock import Clock
from harness.edge.machine.wait import NotYet, wait_for
from harness.edge.probe.observe import Reader
from harness.errors import NotSettled, ProbeError

LOOKS = 3
"""The number of successive looks that must agree."""
LOOK = Pace(offsets=(0.0,), deadline=0.2, latest=True)
LOOK_EVERY = 0.03
CALM_SECONDS = 1.05
"""Seconds between two looks, after two looks differed.

kube-proxy refuses by an ICMP message. The kernel sends six of them to one address, and then one a
second (net.ipv4.icmp_ratelimit, icmp(7)): to ask faster is to see refusals and silence in turn.
"""


class Rest:
    """Looks at undecided flows, and judges them when their outcome is stable.

    A flow that still changes after `seconds` has no verdict.
    """

    def __init__(
        self, observer: Reader, undecided: Iterable[Ask], *, seconds: float, clock: Clock
    ) -> None:
        self._observer = observer
        self._seconds = seconds
        self._clock = clock
        self._end = clock.monotonic() + seconds
        self._shown: dict[Ask, list[Outcome]] = {ask: [] for ask in undecided}
        self._calm = False

    def judge(self, asks: Iterable[Ask]) -> dict[Ask, Answer[Observation]]:
        """Judge these asks at once, and again those of them that were undecided and still move."""
        found = self._observer.read(asks)
        while moving := self._moving(found):
            if self._clock.monotonic() >= self._end:
                return found | {ask: self._no_verdict(ask) for ask in moving}
            self.wait()
            found |= self._observer.read(moving)
        return found

    def wait(self) -> None:
        """Look until the flows are stable, or until the deadline."""
        if not self._shown:
            return
        streak = 0

        def still() -> None:
            nonlocal streak
            streak = streak + 1 if self._look() else 1
            if streak < LOOKS:
                raise NotYet(f"{streak} of {LOOKS} looks agree")

        left = max(0.0, self._end - self._clock.monotonic())
        try:
            wait_for(
                "flows that the policies do not decide are stable",
                still,
                seconds=left,
                every=LOOK_EVERY,
                clock=self._clock,
            )
        except NotSettled:
            return  # a flow that still changes is not judged
        self._pause()

    def _look(self) -> bool:
        """Whether all flows show what they showed at the look before."""
        self._pause()
        found = self._observer.read(self._shown, LOOK)
        same = True
        for ask, shown in self._shown.items():
            if (seen := found[ask].value) is None:
                continue  # the judgement will say why there is no verdict
            same = same and shown[-1:] == [seen.reading.outcome]
            self._calm = self._calm or shown[-1:] not in ([], [seen.reading.outcome])
            shown.append(seen.reading.outcome)
        return same

    def _pause(self) -> None:
        if self._calm:
            self._clock.sleep(CALM_SECONDS)

    def _moving(self, found: Mapping[Ask, Answer[Observation]]) -> list[Ask]:
        """The flows that were judged to be something else than the last look showed."""
        moving = []
        for ask, shown in self._shown.items():
            if ask not in found or (seen := found[ask].value) is None:
                continue
            outcome = seen.reading.outcome
            if outcome is Outcome.UNSTABLE or shown[-1:] != [outcome]:
                moving.append(ask)
            shown.append(outcome)
        self._calm = self._calm or bool(moving)
        return moving

    def _no_verdict(self, ask: Ask) -> Answer[Observation]:
        """The error for a flow that was not stable, with the outcomes that it showed."""
        error = ProbeError(
            f"the flow was not stable within {self._seconds:g} s, so it is not judged",
            where=str(ask),
            seen=f"it showed {', '.join(self._shown[ask][-2 * LOOKS :])}",
            try_="run it again; policies do not decide this flow, and something else still changes",
        )
        return Answer(problem=error)
