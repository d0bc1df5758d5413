"""What a grade tells a student, as every report tells it: text, pages, and forms of platforms.

A row that is worth points is shown once, with at most `SHOWN` of its flows: those of deployed pods
first, and flows with the same cause together. Of a hidden row nothing is shown but its topic and
its points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.core.grading.judge import ANOTHER
from harness.core.grading.model import FlowResult, Grade, Row, RowResult
from harness.core.grading.world import ELSEWHERE, LIKE, NO_LABELS, OTHER_LABELS

SHOWN = 10
"""Flows of a row that are named; the others are counted."""


class Mark(StrEnum):
    """What became of a row, as one letter: all points, some lost, or some not checked."""

    FULL = "+"
    LOST = "x"
    HELD = "?"


@dataclass(frozen=True, slots=True)
class Group:
    """Flows that went wrong for the same cause; it is empty where nobody knows it."""

    why: str
    flows: tuple[FlowResult, ...]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of a grade as a student sees it.

    `groups` have the flows that are named, `more` counts those that are not. `hint` is empty where
    nothing is wrong. Of a hidden row there is none of these.
    """

    result: RowResult
    groups: tuple[Group, ...] = ()
    more: int = 0
    hint: str = ""

    @property
    def row(self) -> Row:
        """The row of the assignment."""
        return self.result.row

    @property
    def name(self) -> str:
        """What the row is called: its topic, or else its id."""
        return self.row.topic or self.row.id

    @property
    def mark(self) -> Mark:
        """What became of it. Points that were not checked are told before points that are lost."""
        if self.result.held:
            return Mark.HELD
        return Mark.LOST if self.result.wrong else Mark.FULL


def shown_rows(grade: Grade) -> tuple[ShownRow, ...]:
    """The rows of a grade that are worth points, in their order."""
    return tuple(_shown(result, grade) for result in grade.rows if result.row.points)


def in_order(flows: Iterable[FlowResult]) -> list[FlowResult]:
    """The first flow of each pair of ends, then the second; of deployed pods before all others."""
    counts: Counter[tuple[str, str]] = Counter()
    ranked: list[tuple[tuple[int, bool, bool], FlowResult]] = []
    for flow in flows:
        pair = flow.source, flow.target
        counts[pair] += 1
        ranked.append(((counts[pair], is_witness(flow.source), is_witness(flow.target)), flow))
    return [flow for _, flow in sorted(ranked, key=lambda one: one[0])]


def is_witness(name: str) -> bool:
    """Whether an end is a pod that nobody deployed."""
    namespace, _, pod = name.rpartition("/")
    return (
        namespace == ELSEWHERE
        or name.startswith(ANOTHER)
        or pod in (NO_LABELS, OTHER_LABELS)
        or pod.startswith(LIKE)
    )


def _shown(result: RowResult, grade: Grade) -> ShownRow:
    row = result.row
    if row.hidden:
        return ShownRow(result)
    mine = in_order(flow for flow in grade.flows if flow.row == row.id)
    # Where causes are known, one of each kind is among the flows that have one.
    chosen = sorted(mine, key=lambda flow: not flow.why)[:SHOWN]
    groups: dict[str, list[FlowResult]] = {}
    for flow in chosen:
        groups.setdefault(flow.why, []).append(flow)
    return ShownRow(
        result,
        tuple(Group(why, tuple(flows)) for why, flows in groups.items()),
        len(mine) - len(chosen),
        row.hint if mine else "",
    )
