"""How long the cluster took to do what a policy change says, flow by flow.

Times are ms since the API server acknowledged the last object of the change. Polls see a flow
every few hundredths of a second, so each time is an upper bound; `old_until` is the lower one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any


class Way(StrEnum):
    """What a change does to a flow: a policy bites (CLOSES), or lets pass again (OPENS)."""

    CLOSES = "closes"
    OPENS = "opens"


@dataclass(frozen=True, slots=True)
class FlowFlip:
    """One flow: when it first showed the new state, when for good, and when last the old one.

    `looks` is how many polls running showed the new state in the end. A first time before the
    last one means that the flow went back and forth.
    """

    flow: str
    way: Way
    first_ms: float
    last_ms: float
    old_until: float
    looks: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change of policies: what is in force after it, its flips, and what else was seen.

    `sampled` counts the looks at flows that the change does not touch; `blips` are those of them
    that showed something else for a moment. `missing` names what had not flipped by the deadline.
    """

    apply: tuple[str, ...]
    flips: tuple[FlowFlip, ...]
    polls: int
    sampled: int = 0
    blips: tuple[str, ...] = ()
    missing: str = ""

    def last(self, way: Way) -> float | None:
        """When the last flow of that way had flipped for good, in ms; None if there is none."""
        return max((flip.last_ms for flip in self.flips if flip.way is way), default=None)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many changes took from `low` ms on, up to but not with `high`."""

    low: float
    high: float
    count: int


BINS = (0, 25, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000, 15000)
"""Borders in ms: as fine as polls can tell at the start, as wide as deadlines at the end."""


def histogram(values: Iterable[float]) -> list[Bar]:
    """The bars from the first that is not empty to the last; what exceeds all borders is in one."""
    values = list(values)
    borders = [float(border) for border in BINS]
    if values and max(values) >= borders[-1]:
        borders.append(max(values) + 1)
    bars = [
        Bar(low, high, sum(low <= value < high for value in values))
        for low, high in pairwise(borders)
    ]
    filled = [number for number, bar in enumerate(bars) if bar.count]
    return bars[filled[0] : filled[-1] + 1] if filled else []


def latencies(changes: Sequence[Mapping[str, Any]]) -> dict[Way, list[float]]:
    """From the `changes` of labs.json: ms until each change was whole, by what it does."""
    found: dict[Way, list[float]] = {way: [] for way in Way}
    for change in changes:
        for way, values in found.items():
            last = [flip["last_ms"] for flip in change["flips"] if flip["way"] == way]
            if last and not change["missing"]:
                values.append(max(last))
    return {way: values for way, values in found.items() if values}
