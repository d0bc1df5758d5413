"""The page of a course: marks, what the class fails, and what an instructor should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import mean, median

from harness.core.grading.model import (
    Assignment,
    FlowResult,
    Got,
    Grade,
    Grades,
    Row,
    Status,
    digits,
)
from harness.core.grading.telling.alike import COMPARED, SIMILAR, Alike
from harness.core.grading.telling.showing import shown_rows
from harness.report.grading.page import Basis, page, percent
from harness.report.grading.text import points_text, summary_of, told

BINS = 10
"""Bars of the distribution below the one for all points."""
UNSURE = 20
"""Reasons for flows without a verdict that are listed; the others are counted."""

SHOWN_ALIKE = 60
"""Students of one group of equal submissions who are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the distribution: how many have such a score, and its height in percent."""

    label: str
    count: int
    height: float


@dataclass(frozen=True, slots=True)
class Failed:
    """How a row fared: of `of` submissions, `lost` lost points there, and `held` were unsure.

    `average` are the mean points, and `flow` is the one that went wrong most often, with its count;
    it is empty where no two submissions have the same flow wrong.
    """

    row: Row
    lost: int
    held: int
    of: int
    average: float
    flow: str
    times: int

    @property
    def name(self) -> str:
        """What the row is called."""
        return self.row.topic or self.row.id

    @property
    def share(self) -> float:
        """How many of the class lost points, in percent."""
        return round(100 * self.lost / self.of, 1) if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Unsure:
    """A reason why flows have no verdict: one of them, and how many flows and submissions.

    Where the prediction and a cluster differ, the reason names both.
    """

    why: str
    flow: FlowResult
    flows: int
    submissions: int


def summary_html(
    assignment: Assignment,
    grades: Grades,
    basis: Basis,
    found: Alike,
    *,
    seed: str,
    drawn: bool,
    links: Mapping[str, str],
) -> str:
    """The page of a course; `links` leads from each id to that student's page.

    `drawn`: each student has names of their own. `seed` is what they come from, or empty where the
    page must not tell it.
    """
    by_status = {status: [g for g in grades.grades if g.status is status] for status in Status}
    read = [grade for grade in grades.grades if grade.status is not Status.UNGRADABLE]
    scores = [percent(grade) for grade in by_status[Status.GRADED]]
    points = [digits(grade.score) for grade in by_status[Status.GRADED]]
    unsure = _unsure(read)
    return page(
        "summary.html.j2",
        assignment=assignment,
        grades=grades.grades,
        basis=basis,
        seed=seed,
        drawn=drawn,
        links=links,
        counts={status.value: len(by_status[status]) for status in Status},
        mean=points_text(mean(points)) if points else "",
        median=points_text(median(points)) if points else "",
        bars=_bars(scores),
        rows=_failed(assignment, read),
        ungradable=by_status[Status.UNGRADABLE],
        held=by_status[Status.NOT_CHECKED],
        unsure=unsure[:UNSURE],
        more_unsure=max(len(unsure) - UNSURE, 0),
        alike=found,
        scores={grade.id: summary_of(grade) for grade in read}
        | {grade.id: "ungradable" for grade in by_status[Status.UNGRADABLE]},
        shown=SHOWN_ALIKE,
        similar=f"{SIMILAR:.0%}",
        compared=COMPARED,
        lost={grade.id: _lost(grade) for grade in read},
    )


def _bars(scores: Sequence[float]) -> list[Bar]:
    """How many submissions there are in each tenth of the points, and how many have all of them."""
    size = 100 // BINS
    counts = Counter(BINS if score >= 100 else int(score // size) for score in scores)  # noqa: PLR2004 - percent
    most = max(counts.values(), default=1)
    labels = [f"{n * size}-{n * size + size - 1}" for n in range(BINS)] + ["all"]
    return [Bar(label, counts[n], 100 * counts[n] / most) for n, label in enumerate(labels)]


def _failed(assignment: Assignment, read: Sequence[Grade]) -> list[Failed]:
    """The rows that are worth points, those first in which most of the class lost some."""
    rows = [_row(row, read) for row in assignment.all_rows if row.points]
    return sorted(rows, key=lambda row: (-row.lost, -row.held))


def _row(row: Row, read: Sequence[Grade]) -> Failed:
    results = [found for grade in read for found in grade.rows if found.row.id == row.id]
    flows = Counter(
        replace(flow, points=Fraction(0), why="")
        for grade in read
        for flow in grade.flows
        if flow.row == row.id and flow.got is not Got.NO_VERDICT
    )
    flow, times = next(iter(flows.most_common(1)), (None, 0))
    return Failed(
        row,
        sum(found.points < found.out_of for found in results),
        sum(bool(found.held) for found in results),
        len(results),
        mean(digits(found.points) for found in results) if results else 0.0,
        told(flow) if flow and times > 1 else "",
        times,
    )


def _unsure(read: Iterable[Grade]) -> list[Unsure]:
    """The reasons for which flows have no verdict, the commonest first."""
    first: dict[str, FlowResult] = {}
    flows: Counter[str] = Counter()
    submissions: Counter[str] = Counter()
    for grade in read:
        whys = [flow.why for flow in grade.flows if flow.got is Got.NO_VERDICT]
        flows.update(whys)
        submissions.update(set(whys))
        for flow in grade.flows:
            if flow.got is Got.NO_VERDICT:
                first.setdefault(flow.why, flow)
    known = [why for why in first if why] or list(first)
    found = [Unsure(why, first[why], flows[why], submissions[why]) for why in known]
    return sorted(found, key=lambda one: (-one.submissions, -one.flows))


def _lost(grade: Grade) -> list[str]:
    """The names of the rows in which points were lost."""
    return [row.name for row in shown_rows(grade) if row.result.points < row.result.out_of]
