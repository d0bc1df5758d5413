"""How a change comes into force: polled until every flow that it changes has flipped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.interpret import POLL, Ask
from harness.edge.observe import Observer
from harness.edge.wait import NotYet
from harness.errors import ProbeError

SETTLE_SECONDS = 15.0
SELF_TEST_SECONDS = 2.0
"""Without its policies nothing will ever settle; the self-test need not wait long for that."""
ROUNDS = 3
"""How many rounds running must show the new state before it counts as in force."""
POLL_EVERY = 0.03
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Settled:
    """How a change came into force: after how many ms the last flow had flipped, and how many did.

    `missing` is what had not flipped by the deadline; the rows are judged all the same.
    """

    ms: float
    flows: int
    missing: str = ""


class Poll:
    """One look at all flows; holds when `ROUNDS` looks running showed the predicted state."""

    def __init__(self, observer: Observer, asks: Mapping[Ask, Any]) -> None:
        self._observer = observer
        self._asks = asks
        self._streak = 0
        self._since = 0.0

    def __call__(self) -> float:
        """When the streak of right rounds began.

        Raises:
            NotYet: a flow still shows the old state, or too few rounds show the new one.
            ProbeError: there is no verdict for a flow.
        """
        now = time.monotonic()
        found = self._observer.read(list(self._asks), POLL)
        wrong = []
        for ask, expected in self._asks.items():
            seen = found[ask]
            if isinstance(seen, ProbeError):
                raise seen
            if not seen.reading.satisfies(expected):
                wrong.append(f"{ask[0]} -> {ask[1]}: {seen.reading}, not {expected}")
        if wrong:
            self._streak = 0
            more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
            raise NotYet("; ".join(wrong[:SHOWN]) + more)
        self._since = self._since if self._streak else now
        self._streak += 1
        if self._streak < ROUNDS:
            raise NotYet(f"{self._streak} of {ROUNDS} rounds show it")
        return self._since
