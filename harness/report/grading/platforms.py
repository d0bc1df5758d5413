"""Grades in the forms that learning platforms and CI systems read.

Gradescope: `results.json` as its autograder documentation describes it. Classroom 50: a result of
the schema `classroom50/result/v1`, with integer points. JUnit: the XML of test reports, a suite for
each student. Of a hidden row all of them have its topic only.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from harness.core.grading.model import FlowResult, Grade, Grades, RowResult, Status, digits
from harness.report.grading.text import SHOWN, plain, summary_of, told

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

Cause = Callable[[FlowResult], str]


def gradescope(grade: Grade, cause: Cause) -> dict[str, Any]:
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
                "name": _name(found),
                "score": digits(found.points),
                "max_score": digits(found.out_of),
                "status": "passed" if found.points == found.out_of else "failed",
                "output": "\n".join(_lines(grade, found, cause)),
                "output_format": "text",
                "visibility": "visible",
            }
            for found in _worth(grade)
        ],
    }


def classroom50(grade: Grade, cause: Cause, *, at: str, env: Mapping[str, str]) -> dict[str, Any]:
    """One submission's `result.json`; `at` is the time of its commit, `env` the runner's variables.

    The points are integers, rounded once by the largest remainder, so that they add up.
    """
    rows = list(_worth(grade))
    most = integers([found.out_of for found in rows])
    got = integers([found.points for found in rows])
    got = [min(points, whole) for points, whole in zip(got, most, strict=True)]
    return {
        "schema": CLASSROOM50,
        **{field: env.get(variable, "") for field, variable in _IDENTITY.items()},
        "datetime": at,
        "score": sum(got),
        "max-score": sum(most),
        "tests": [
            {
                "test-name": _name(found),
                "passed": found.points == found.out_of,
                "score": points,
                "max-score": whole,
                "output": "\n".join(_lines(grade, found, cause)),
            }
            for found, points, whole in zip(rows, got, most, strict=True)
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


def junit(grades: Grades, causes: Mapping[str, Cause]) -> str:
    """The XML of a course: a suite for each submission, and a case for each row worth points.

    Lost points are a failure, points that could not be checked an error, and a submission that
    cannot be read is one failed case.
    """
    root = ET.Element("testsuites", name=f"{grades.assignment} on {grades.cni}")
    for grade in grades.grades:
        suite = ET.SubElement(root, "testsuite", name=plain(grade.id, 200))
        if grade.status is Status.UNGRADABLE:
            case = ET.SubElement(suite, "testcase", classname=grades.assignment, name="readable")
            ET.SubElement(case, "failure", message=plain(grade.problem))
        for found in _worth(grade):
            case = ET.SubElement(
                suite, "testcase", classname=grades.assignment, name=plain(_name(found))
            )
            lines = "\n".join(map(plain, _lines(grade, found, causes[grade.id])))
            if found.wrong:
                message = f"{digits(found.points):g} of {digits(found.out_of):g} points"
                ET.SubElement(case, "failure", message=message).text = lines
            elif found.held:
                message = f"{digits(found.held):g} points were not checked"
                ET.SubElement(case, "error", message=message).text = lines
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _worth(grade: Grade) -> Iterator[RowResult]:
    return (found for found in grade.rows if found.row.points)


def _name(found: RowResult) -> str:
    return found.row.topic or found.row.id


def _lines(grade: Grade, found: RowResult, cause: Cause) -> Iterator[str]:
    """The flows of a row that are not as they were wanted; of a hidden row nothing."""
    if found.row.hidden:
        return
    mine = [flow for flow in grade.flows if flow.row == found.row.id]
    for flow in mine[:SHOWN]:
        yield told(flow)
        if why := cause(flow):
            yield f"  because {plain(why)}"
    if len(mine) > SHOWN:
        yield f"and {len(mine) - SHOWN} more flows"
    if mine and found.row.hint:
        yield f"hint: {found.row.hint}"
