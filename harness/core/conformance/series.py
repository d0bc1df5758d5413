"""A constant stream of probes over one flow: when it leaked, when it was out, when nobody looked.

All times are milliseconds of one clock, that of the pod that sends. A probe speaks for the time
until the next probe of its flow, and for `reach` ms at most: what is beyond that was not measured,
because the prober was kept from its work. So a starved prober is never an outage.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from harness.errors import ProbeError


@dataclass(frozen=True, slots=True)
class Series:
    """The probes of one flow, in the order in which they were sent.

    Attributes:
        at: when each probe was sent, in ms.
        passed: whether it passed.
        until: when the stream ended, in ms; the last probe speaks until then at most.
    """

    at: Sequence[float]
    passed: Sequence[bool]
    until: float

    def __post_init__(self) -> None:
        if len(self.at) != len(self.passed):
            raise ValueError("each probe has one time and one result")

    def between(self, begin: float, end: float) -> Series:
        """The probes that were sent in this time; `begin` belongs to it, `end` does not."""
        first, last = bisect_left(self.at, begin), bisect_left(self.at, end)
        return Series(self.at[first:last], self.passed[first:last], min(end, self.until))

    @property
    def every(self) -> float:
        """The median distance of two probes, in ms; 0 if there are fewer than two."""
        return median([after - before for before, after in pairwise(self.at)] or [0.0])


@dataclass(frozen=True, slots=True)
class Interval:
    """A time from `begin` to `end`, in ms, and the number of probes that were sent in it."""

    begin: float
    end: float
    probes: int = 0

    @property
    def ms(self) -> float:
        """How long it lasted."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Watch:
    """What a stream showed of one flow that must stay as it is.

    Attributes:
        wrong: the times in which the flow showed the contrary: leaks of a closed flow, outages of
            an open flow.
        gaps: the times that no probe speaks for.
        probes: the number of probes.
        every: the median distance of two probes, in ms: the resolution of all times here.
    """

    wrong: tuple[Interval, ...]
    gaps: tuple[Interval, ...]
    probes: int
    every: float

    @property
    def wrong_ms(self) -> float:
        """For how long the flow showed the contrary, all in all."""
        return sum(interval.ms for interval in self.wrong)

    @property
    def unmeasured_ms(self) -> float:
        """For how long nobody looked."""
        return sum(interval.ms for interval in self.gaps)


def watch(series: Series, *, is_open: bool, reach: float) -> Watch:
    """Where the flow did not show what it is meant to show.

    Raises:
        ProbeError: fewer than two probes were sent, so no time has a beginning and an end.
    """
    if len(series.at) < 2:  # noqa: PLR2004 - a distance needs two
        raise ProbeError(
            "the stream sent too few probes to measure anything",
            seen=f"{len(series.at)} probes in {series.until:.0f} ms",
            try_="give the machine less other work",
        )
    wrong: list[Interval] = []
    gaps: list[Interval] = []
    nexts = [*list(series.at)[1:], max(series.until, series.at[-1])]
    for at, passed, following in zip(series.at, series.passed, nexts, strict=True):
        end = min(following, at + reach)
        if passed is not is_open:
            if wrong and wrong[-1].end == at:
                wrong[-1] = Interval(wrong[-1].begin, end, wrong[-1].probes + 1)
            else:
                wrong.append(Interval(at, end, 1))
        if following > end:
            gaps.append(Interval(end, following))
    return Watch(tuple(wrong), tuple(gaps), len(series.at), series.every)


def settled(series: Series, *, is_open: bool) -> float | None:
    """When a flow that is about to change showed its new state for good, in ms.

    None if it did not until the end of the series. The time is that of the first probe after the
    last one that showed the old state: an upper bound, at most one distance late.
    """
    first = None
    for at, passed in zip(series.at, series.passed, strict=True):
        if passed is not is_open:
            first = None
        elif first is None:
            first = at
    return first


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that `percent` of all values do not exceed (nearest rank, no interpolation).

    Raises:
        ProbeError: there are no values.
    """
    if not values:
        raise ProbeError("nothing was measured, so there is no percentile")
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]
