"""Grades in the forms that learning platforms and CI systems read.

Gradescope: `results.json` as its autograder documentation describes it. Classroom 50: a result of
the schema `classroom50/result/v1`, with integer points. JUnit: the XML of test reports, a suite for
each student. Of a hidden row all of them have its topic only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from harness.core.grading.model import Grade, Grades, Status, digits
from harness.core.grading.telling.plain import plain
from harness.core.grading.telling.showing import ShownRow, shown_rows
from harness.report.grading.text import row_lines, summary_of
from harness.report.junit import Amiss, TestCase, xml

CLASSROOM50 = "classroom50/result/v1"
_IDENTITY = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}
"""Fields of a result by which Classroom 50 knows it, and the variables that its runner sets."""


def gradescope(grade: Grade) -> dict[str, Any]:
    """One submission's `results.json`: a test for each row that is worth points.

    Points that could not be checked are in neither number, and the output says how many they are.
    """
    return {
        "score": digits(grade.score),
        "output": plain(grade.problem) if grade.problem else summary_of(grade),
        "output_format": "text",
        "visibility": "visible",
        "tests": [
            {
                "name": row.name,
                "score": digits(row.result.points),
                "max_score": digits(row.result.out_of),
                "status": "passed" if _is_whole(row) else "failed",
                "output": "\n".join(row_lines(row)),
                "output_format": "text",
                "visibility": "visible",
            }
            for row in shown_rows(grade)
        ],
    }


def classroom50(grade: Grade, *, at: str, env: Mapping[str, str]) -> dict[str, Any]:
    """One submission's `result.json`; `at` is the time of its commit, `env` the runner's variables.

    The points are integers, rounded once by the largest remainder, so that they add up.
    """
    rows = shown_rows(grade)
    most = integers([row.result.out_of for row in rows])
    got = integers([row.result.points for row in rows])
    got = [min(points, whole) for points, whole in zip(got, most, strict=True)]
    return {
        "schema": CLASSROOM50,
        **{field: env.get(variable, "") for field, variable in _IDENTITY.items()},
        "datetime": at,
        "score": sum(got),
        "max-score": sum(most),
        "tests": [
            {
                "test-name": row.name,
                "passed": _is_whole(row),
                "score": points,
                "max-score": whole,
                "output": "\n".join(row_lines(row)),
            }
            for row, points, whole in zip(rows, got, most, strict=True)
        ],
    }


def integers(points: Sequence[Fraction]) -> list[int]:
    """Whole numbers with the sum rounded down, by the largest remainder."""
    down = [int(point) for point in points]
    rest = int(sum(points, Fraction(0))) - sum(down)
    by_rest = sorted(range(len(points)), key=lambda n: (down[n] - points[n], n))
    for number in by_rest[:rest]:
        down[number] += 1
    return down


def junit(grades: Grades) -> str:
    """The XML of a course: a suite for each submission, and a case for each row worth points.

    Lost points are a failure, points that could not be checked an error, and a submission that
    cannot be read is one failed case.
    """
    return xml(
        f"{grades.assignment} on {grades.cni}",
        [(plain(grade.id, 200), _cases(grades, grade)) for grade in grades.grades],
    )


def _cases(grades: Grades, grade: Grade) -> list[TestCase]:
    group = grades.assignment
    found = []
    if grade.status is Status.UNGRADABLE:
        found.append(TestCase(group, "readable", Amiss.FAILURE, plain(grade.problem)))
    for row in shown_rows(grade):
        amiss, message = None, ""
        if row.result.wrong:
            got, out_of = digits(row.result.points), digits(row.result.out_of)
            amiss, message = Amiss.FAILURE, f"{got:g} of {out_of:g} points"
        elif row.result.held:
            message = f"{digits(row.result.held):g} points were not checked"
            amiss = Amiss.ERROR
        lines = "\n".join(row_lines(row)) if amiss else ""
        found.append(TestCase(group, plain(row.name), amiss, message, lines))
    return found


def _is_whole(row: ShownRow) -> bool:
    return row.result.points == row.result.out_of
