"""Rows of the lifecycle: flows that must stay as they are while something happens to the CNI."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.core.conformance.row import Figure, Level, Row, Status, status_of
from harness.core.conformance.series import Series, Watch, percentile, watch
from harness.core.lab.profile import CniProfile
from harness.core.probe.latency import Way
from harness.listing import few

API_POD_LIFECYCLE = (
    "https://kubernetes.io/docs/concepts/services-networking/network-policies/#pod-lifecycle"
)
"""A pod is isolated before it starts; rules that let in may come later than the pod."""

REACH = 3.0
"""For how many periods of the stream a probe speaks: a prober of a busy machine is often late."""

PROMISED = {"leak": 0.0, "outage": 0.0, "outage of the held flow": 0.0}
"""Budgets in ms where a CNI's profile has none: no flow may change that no policy changes."""

MEASURED_AT_LEAST = 0.5
"""The part of all flows' time that must be measured, or else their row has no verdict."""

STARVED = "less than half of the time was measured: the prober was starved"

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow that a stream watches.

    Attributes:
        name: its client and its target, and which policy decides it.
        is_open: whether policies let it pass.
        held: whether all its datagrams are of one connection.
    """

    name: str
    is_open: bool
    held: bool = False

    @property
    def figure(self) -> str:
        """The figure that a departure of this flow counts for."""
        if not self.is_open:
            return "leak"
        return "outage of the held flow" if self.held else "outage"


@dataclass(frozen=True, slots=True)
class Line:
    """A flow and what a stream showed of it."""

    flow: Flow
    series: Series


@dataclass(frozen=True, slots=True)
class Check:
    """A row to be measured.

    Attributes:
        name: the row's name.
        about: what it checks, in one sentence.
        source: where that is written down.
        most: budgets in ms where the CNI's profile has none, by the figure's name, instead of those
            that are promised.
    """

    name: str
    about: str
    source: str = API_POD_LIFECYCLE
    most: Mapping[str, float] = field(default_factory=dict, hash=False)

    def figure(self, name: str, value: float | None, profile: CniProfile) -> Figure:
        """A figure in ms with its budget."""
        told = profile.budgets.get(f"{self.name} {name}")
        budget = told.most if told else self.most.get(name, PROMISED.get(name))
        return Figure(name, value if value is None else round(value, 1), "ms", budget)

    def row(
        self,
        figures: Iterable[Figure],
        profile: CniProfile,
        evidence: Iterable[str] = (),
        *,
        seconds: float = 0.0,
    ) -> Row:
        """The row of these figures; the evidence ends with the sources of the budgets."""
        figures = tuple(figures)
        status, why = status_of(figures)
        sources = [
            f"budget of {figure.name}: {told.source}"
            for figure in figures
            if (told := profile.budgets.get(f"{self.name} {figure.name}"))
        ]
        return replace(
            self.left_out(why, status=status),
            figures=figures,
            evidence=(*evidence, *sources),
            seconds=seconds,
        )

    def left_out(self, why: str, *, status: Status = Status.SKIPPED) -> Row:
        """The row without figures, and why."""
        return Row(
            name=self.name,
            level=Level.EXTENDED,
            features=(self.name.partition("/")[0],),
            status=status,
            why=why,
            about=self.about,
            source=self.source,
        )


def watched_row(
    check: Check,
    lines: Sequence[Line],
    profile: CniProfile,
    *,
    period: float,
    lost: Mapping[str, int],
    seconds: float = 0.0,
    notes: Iterable[str] = (),
    figures: Iterable[Figure] = (),
) -> Row:
    """What a stream of one probe each `period` ms showed of flows that had to stay as they are.

    A figure is the time of the flow for which it was longest. `lost` has the datagrams that the
    machine threw away meanwhile, for want of room: if there are any, an outage has no figure, for
    they may be all of it. `notes` and `figures` come first.

    Raises:
        ProbeError: a flow has fewer than two probes.
    """
    seen = {
        line.flow.name: (
            line.flow,
            watch(line.series, is_open=line.flow.is_open, reach=REACH * period),
        )
        for line in lines
    }
    worst: dict[str, float | None] = {}
    for flow, found in seen.values():
        worst[flow.figure] = max(worst.get(flow.figure) or 0.0, found.wrong_ms)
    machine = {name: count for name, count in lost.items() if count}
    evidence = [*notes, *(_told(flow, found) for flow, found in seen.values())]
    if machine:
        evidence.append(f"the machine threw away datagrams for want of room: {machine}")
        worst = {name: None if v and name != "leak" else v for name, v in worst.items()}
    unmeasured = max(found.unmeasured_ms for _, found in seen.values())
    length = sum(line.series.until - line.series.at[0] for line in lines)
    if sum(f.unmeasured_ms for _, f in seen.values()) > length * (1 - MEASURED_AT_LEAST):
        evidence.append(STARVED)
        worst = {name: value or None for name, value in worst.items()}
    return check.row(
        [
            *figures,
            *(check.figure(name, value, profile) for name, value in worst.items()),
            Figure("not measured", round(unmeasured, 1), "ms"),
            Figure("measured every", round(_slowest(seen.values()), 2), "ms"),
        ],
        profile,
        evidence,
        seconds=seconds,
    )


def _slowest(seen: Iterable[tuple[Flow, Watch]]) -> float:
    return max(found.every for _, found in seen)


def _told(flow: Flow, found: Watch) -> str:
    """One flow in words: its intervals, and on what they rest."""
    ground = (
        f"{found.probes} probes, one every {found.every:.2f} ms, "
        f"{found.unmeasured_ms:.0f} ms not measured"
    )
    word = flow.figure.partition(" ")[0]
    if not found.wrong:
        return f"{flow.name}: no {word} ({ground})"
    parts = [f"{i.ms:.1f} ms from {i.begin:.0f} ms on ({i.probes})" for i in found.wrong]
    return f"{flow.name}: {word} {few(parts, SHOWN)} ({ground})"


@dataclass(frozen=True, slots=True)
class Turned:
    """A flip: which way, and how many ms after the API server's acknowledgement it was for good.

    None if the flow had not turned when the next change was due.
    """

    way: Way
    ms: float | None


def latency_row(
    check: Check,
    way: Way,
    turned: Iterable[Turned],
    profile: CniProfile,
    *,
    period: float,
    clocks_ms: float,
    threshold: float | None = None,
    seconds: float = 0.0,
) -> Row:
    """The latencies of all flips of one way.

    A flip that was not seen before the next change counts as slower than all others: a percentile
    that it reaches is not measured, and one below it is.

    `clocks_ms` is how well the clock of the machine that changes policies is known on the clock of
    the pod that sees them. `threshold` is the user's budget in ms for the 99th percentile.
    """
    mine = [each for each in turned if each.way is way]
    times = [math.inf if each.ms is None else each.ms for each in mine]
    figures = []
    for name, percent in (("median", 50), ("p95", 95), ("p99", 99), ("max", 100)):
        reached = percentile(times, percent) if times else math.inf
        figure = check.figure(name, None if reached == math.inf else reached, profile)
        if threshold is not None and name == "p99":
            figure = Figure(name, figure.value, figure.unit, threshold)
        figures.append(figure)
    evidence = [
        f"{len(mine)} flips; times are since the API server acknowledged the change",
        f"measured every {period:.2f} ms; the two clocks agree within {clocks_ms:.2f} ms",
    ]
    if unseen := times.count(math.inf):
        evidence.append(f"{unseen} of {len(times)} flips were not seen before the next change")
    return check.row(
        [*figures, Figure("flips", len(mine), "flips")], profile, evidence, seconds=seconds
    )
