"""What learning platforms read, against schemas that were written from their documentation.

Gradescope: gradescope-autograders.readthedocs.io, "Output format". Classroom 50: the page of its
wiki on `result.json`, version v1. JUnit: the elements that pytest's own junitxml writes.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.grading.model import (
    FlowResult,
    Got,
    Grade,
    Grades,
    Mode,
    Row,
    RowResult,
    Status,
    Want,
)
from harness.core.model import Protocol
from harness.report.grading.platforms import classroom50, gradescope, integers, junit

STRING, NUMBER, WHOLE = {"type": "string"}, {"type": "number", "minimum": 0}, {
    "type": "integer", "minimum": 0, "maximum": 1000,
}  # fmt: skip
GRADESCOPE = {
    "type": "object",
    "required": ["tests"],
    "additionalProperties": False,
    "properties": {
        "score": NUMBER,
        "output": STRING,
        "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
        "visibility": {"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": NUMBER,
                    "max_score": NUMBER,
                    "status": {"enum": ["passed", "failed"]},
                    "name": STRING,
                    "output": STRING,
                    "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]},
                    "visibility": {"enum": ["hidden", "after_due_date", "visible"]},
                },
            },
        },
    },
}
CLASSROOM = {
    "type": "object",
    "required": [
        *("schema", "classroom", "assignment", "submission", "commit", "release", "review"),
        *("datetime", "score", "max-score", "tests"),
    ],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        "score": WHOLE,
        "max-score": WHOLE,
        "tests": {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {
                    "test-name": {"type": "string", "minLength": 1},
                    "passed": {"type": "boolean"},
                    "score": WHOLE,
                    "max-score": WHOLE,
                },
            },
        },
    },
}
OPEN = Row("web", ("a/b",), ("pod/a/c:80",), Want.OPEN, Fraction(10), hint="look", topic="the web")
SECRET = Row("db", ("a/b",), ("pod/a/d:1",), Want.CLOSED, Fraction(5), topic="more", hidden=True)
WHY = "no rule lets it pass"
LOST = FlowResult(
    "a/b",
    "a/c",
    80,
    Protocol.TCP,
    Want.OPEN,
    Got.CLOSED,
    Fraction(10),
    "web",
    "no rule lets it pass",
)
HIDDEN = FlowResult("a/b", "a/d", 1, Protocol.TCP, Want.CLOSED, Got.OPEN, Fraction(5, 3), "db")


def grade(status: Status = Status.GRADED, name: str = "ann") -> Grade:
    rows = (
        RowResult(OPEN, Fraction(0), Fraction(10), wrong=1, pairs=1),
        RowResult(SECRET, Fraction(10, 3), Fraction(5), wrong=1, pairs=3),
    )
    if status is Status.UNGRADABLE:
        return Grade(name, status, Fraction(0), Fraction(15), problem="<no>\x00 YAML")
    return Grade(name, status, Fraction(10, 3), Fraction(15), flows=(LOST, HIDDEN), rows=rows)


@pytest.mark.parametrize("status", [Status.GRADED, Status.UNGRADABLE])
def test_results_of_gradescope(status: Status) -> None:
    found = gradescope(grade(status))

    jsonschema.validate(found, GRADESCOPE)
    assert found["score"] == (3.33 if status is Status.GRADED else 0)


@pytest.mark.parametrize("status", [Status.GRADED, Status.UNGRADABLE])
def test_result_of_classroom_50(status: Status) -> None:
    env = {"CLASSROOM": "c", "SUBMISSION_TAG": "s"}
    found = classroom50(grade(status), at="2026-11-26T00:00:00Z", env=env)

    jsonschema.validate(found, CLASSROOM)
    assert (found["classroom"], found["submission"], found["commit"]) == ("c", "s", "")
    assert found["score"] == sum(test["score"] for test in found["tests"])
    assert all(test["score"] <= test["max-score"] for test in found["tests"])


@pytest.mark.parametrize("form", [gradescope, lambda g: classroom50(g, at="", env={})])
def test_hidden_row_shows_its_topic_only(form: Any) -> None:
    found = form(grade())

    assert "a/d" not in str(found)
    assert "more" in str(found)
    assert "a/b to a/c on TCP 80 is closed, and must be open" in str(found)
    assert "because no rule lets it pass" in str(found)


def test_junit_has_a_suite_for_each_student() -> None:
    refused = grade(Status.UNGRADABLE, "=cmd()<x>")
    held = Grade(
        "bob", Status.NOT_CHECKED, Fraction(0), Fraction(0), Fraction(10),
        rows=(RowResult(OPEN, Fraction(0), Fraction(0), Fraction(10), 0, 1),),
    )  # fmt: skip
    course = Grades("lab12", "calico", Mode.PREDICT, (grade(), refused, held))

    root = ET.fromstring(junit(course))  # noqa: S314 - our own

    suites = {suite.get("name"): suite for suite in root}
    assert [suites["ann"].get(key) for key in ("tests", "failures", "errors")] == ["2", "2", "0"]
    assert suites["=cmd()<x>"].findall("testcase/failure")
    assert suites["bob"].get("errors") == "1"
    assert "a/d" not in junit(course)


@given(st.lists(st.fractions(0, 50, max_denominator=97), max_size=12))
def test_rounded_points_add_up_and_none_is_more_than_one_away(points: list[Fraction]) -> None:
    whole = integers(points)

    assert sum(whole) == int(sum(points))
    assert all(abs(one - point) < 1 for one, point in zip(whole, points, strict=True))
