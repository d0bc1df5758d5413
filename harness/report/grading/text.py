"""Grades in a terminal: a line for each submission, and what a student sees while writing.

What students wrote is shown without control characters, so that it cannot steer a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.grading.model import FlowResult, Got, Grade, Grades, Status, digits
from harness.core.grading.telling.plain import plain
from harness.core.grading.telling.showing import ShownRow, shown_rows
from harness.core.grading.world import ELSEWHERE, LIKE, NO_LABELS, OTHER_LABELS

MAX_WHY = 1200
"""Characters of one cause."""


def points_text(number: float) -> str:
    """Points without a fraction that is nought."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def grades_text(grades: Grades) -> Iterator[str]:
    """A line for each submission, and one that sums up."""
    for grade in grades.grades:
        yield f"{plain(grade.id, 80)}: {summary_of(grade)}"
    counts = dict.fromkeys(Status, 0) | _counts(grades)
    graded = [grade for grade in grades.grades if grade.status is Status.GRADED]
    mean = ""
    if graded:
        middle = sum(digits(grade.score) for grade in graded) / len(graded)
        mean = f"; the mean of the graded ones is {points_text(middle)}"
    yield (
        f"{len(grades.grades)} submissions of {grades.assignment} on {grades.cni}: "
        f"{counts[Status.GRADED]} graded, {counts[Status.UNGRADABLE]} ungradable, "
        f"{counts[Status.NOT_CHECKED]} not wholly checked{mean}"
    )


def _counts(grades: Grades) -> dict[Status, int]:
    found: dict[Status, int] = {}
    for grade in grades.grades:
        found[grade.status] = found.get(grade.status, 0) + 1
    return found


def summary_of(grade: Grade) -> str:
    """A grade in a line."""
    if grade.status is Status.UNGRADABLE:
        return f"ungradable: {plain(grade.problem)}"
    score = f"{points_text(digits(grade.score))} of {points_text(digits(grade.max_score))} points"
    if grade.status is Status.NOT_CHECKED:
        return f"{score}; {points_text(digits(grade.held))} points were not checked"
    return score


def feedback_text(grade: Grade) -> Iterator[str]:
    """What a student sees: each row with its points, and below it what is wrong."""
    for row in shown_rows(grade):
        yield f"{row.mark} {plain(row.name)}: {score_of(row)} points"
        yield from (f"    {line}" for line in row_lines(row))


def score_of(row: ShownRow) -> str:
    """The points of a row, and how many it is worth."""
    return f"{points_text(digits(row.result.points))} of {points_text(digits(row.row.points))}"


def row_lines(row: ShownRow) -> Iterator[str]:
    """What a student is told about a row's flows: each cause below the first flow that has it."""
    for group in row.groups:
        for number, flow in enumerate(group.flows):
            yield plain(told(flow))
            if number == 0 and group.why:
                yield f"  because {plain(group.why, MAX_WHY)}"
    if row.more:
        yield f"and {row.more} more"
    if row.hint:
        yield f"hint: {plain(row.hint)}"


def told(flow: FlowResult) -> str:
    """A flow that went wrong, in a sentence."""
    ends = f"{_end(flow.source)} to {_end(flow.target)} on {flow.protocol} {flow.port}"
    if flow.got is Got.NO_VERDICT:
        return f"{ends} has no verdict"
    return f"{ends} is {flow.got}, and must be {flow.wanted}"


def _end(name: str) -> str:
    """An end, with a word about who it is where nobody deployed it."""
    namespace, _, pod = name.rpartition("/")
    if pod == NO_LABELS:
        return f"{name} (a pod without labels)"
    if pod == OTHER_LABELS:
        return f"{name} (a pod with other labels)"
    if pod.startswith(LIKE):
        return f"{name} (a pod with the labels of {pod.removeprefix(LIKE)}, in {namespace})"
    return f"{name} (a namespace of the grader's)" if namespace == ELSEWHERE else name
