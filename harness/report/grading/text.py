"""Grades in a terminal: a line for each submission, and what a student sees while writing.

What students wrote is shown without control characters, so that it cannot steer a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

from harness.core.grading.model import FlowResult, Got, Grade, Grades, Status, digits
from harness.core.grading.world import ELSEWHERE, LIKE, NO_LABELS, OTHER_LABELS

SHOWN = 10
"""Flows that are named; the others are counted."""
MAX_TEXT = 2000


def plain(text: str, most: int = MAX_TEXT) -> str:
    """A text of a student's as one line without anything that a terminal would obey."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[: most * 2])
    return " ".join(kept.split())[:most]


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


def feedback_text(grade: Grade, cause: Callable[[FlowResult], str]) -> Iterator[str]:
    """What a student sees: each shown row, and the flows that are wrong; hidden rows by topic."""
    for result in grade.rows:
        row = result.row
        if not row.points or (row.hidden and not result.wrong):
            continue
        mark = "?" if result.held else "x" if result.wrong else "+"
        name = row.topic or row.id
        score = f"{points_text(digits(result.points))} of {points_text(digits(row.points))}"
        yield f"{mark} {name}: {score} points"
        if row.hidden or not (result.wrong or result.held):
            continue
        mine = [flow for flow in grade.flows if flow.row == row.id]
        mine.sort(key=lambda flow: (_is_witness(flow.source), _is_witness(flow.target)))
        for number, flow in enumerate(mine[:SHOWN]):
            yield f"    {told(flow)}"
            # The other flows of a row mostly have the same cause, which is long.
            if number == 0 and (why := cause(flow)):
                yield f"      because {plain(why, 1200)}"
        if len(mine) > SHOWN:
            yield f"    and {len(mine) - SHOWN} more flows"
        if row.hint:
            yield f"    hint: {row.hint}"


def told(flow: FlowResult) -> str:
    """A flow that went wrong, in a sentence."""
    ends = f"{_end(flow.source)} to {_end(flow.target)} on {flow.protocol} {flow.port}"
    if flow.got is Got.NO_VERDICT:
        return f"{ends} has no verdict"
    return f"{ends} is {flow.got}, and must be {flow.wanted}"


def _is_witness(name: str) -> bool:
    namespace, _, pod = name.rpartition("/")
    return namespace == ELSEWHERE or pod in (NO_LABELS, OTHER_LABELS) or pod.startswith(LIKE)


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
