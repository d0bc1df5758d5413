"""A rollout under watch: when is it in trouble, when is it over, and how long did it last?

A look asks every flow once. Trouble is an outage (a wanted flow is silent) or a leak (an unwanted
one passes); it counts when the same flow shows it in several looks running, because a single look
may be wrong. All times are seconds of one clock; windows are in ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

RUNNING = 3
"""How many looks running must agree, that there is trouble and that it is over."""


class Trouble(StrEnum):
    """What can go wrong with a change of policy."""

    OUTAGE = "outage"
    LEAK = "leak"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at all flows: its times, the wanted flows silent, the unwanted ones passing."""

    began: float
    ended: float
    closed: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()

    def shows(self, kind: Trouble) -> frozenset[str]:
        """The flows in that trouble."""
        return self.closed if kind is Trouble.OUTAGE else self.opened


@dataclass(frozen=True, slots=True)
class Window:
    """How long a trouble was seen, in ms, and the bounds that looks of finite length leave."""

    ms: float
    at_least: float
    at_most: float

    def __str__(self) -> str:
        return f"{self.ms:.0f} ms (at least {self.at_least:.0f}, at most {self.at_most:.0f})"


def noticed(looks: Sequence[Look], running: int = RUNNING) -> dict[Trouble, frozenset[str]]:
    """The flows that the last looks all show in trouble; empty while there is none to speak of."""
    last = looks[-running:]
    if len(last) < running:
        return {}
    found = {k: frozenset.intersection(*(look.shows(k) for look in last)) for k in Trouble}
    return {kind: flows for kind, flows in found.items() if flows}


def over(looks: Sequence[Look], running: int = RUNNING) -> bool:
    """Whether the last looks all show no trouble."""
    last = looks[-running:]
    return len(last) == running and not any(look.closed or look.opened for look in last)


def window(looks: Sequence[Look], kind: Trouble) -> Window | None:
    """From the first look that shows a trouble to the first good one after the last; None if none.

    The first and the last look are taken to be good, whatever they show: watch before and after.
    """
    bad = [number for number, look in enumerate(looks) if look.shows(kind)]
    bad = [number for number in bad if 0 < number < len(looks) - 1]
    if not bad:
        return None
    first, last = looks[bad[0]], looks[bad[-1]]
    before, after = looks[bad[0] - 1], looks[bad[-1] + 1]
    return Window(
        _ms(after.began - first.began),
        _ms(max(0.0, last.began - first.ended)),
        _ms(after.ended - before.began),
    )


def resolution(looks: Sequence[Look]) -> float:
    """The longest time from one look to the next, in ms: what is shorter may go unseen."""
    return _ms(
        max(
            (later.began - look.began for look, later in pairwise(looks)),
            default=0.0,
        )
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
