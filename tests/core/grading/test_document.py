from __future__ import annotations

import json
from fractions import Fraction

import pytest

from harness.core.grading.document import grades_document, read_grades
from harness.core.grading.model import (
    FlowResult,
    Got,
    Grade,
    Grades,
    Mode,
    Status,
    Want,
    digits,
)
from harness.core.model import Protocol
from harness.errors import ContentError

FLOW = FlowResult(
    "shop/web", "shop/db", 6379, Protocol.TCP, Want.CLOSED, Got.OPEN, Fraction(5, 2), "rest"
)
GRADES = Grades(
    "lab12",
    "calico",
    Mode.PREDICT,
    (
        Grade("alice", Status.GRADED, Fraction(195, 2), Fraction(100), flows=(FLOW,)),
        Grade("bob", Status.UNGRADABLE, Fraction(0), Fraction(100), problem="a.yaml:1: no kind"),
    ),
)


def test_the_document_has_the_fields_that_tools_read() -> None:
    document = grades_document(GRADES)

    assert document["schema_version"] == 1
    assert (document["assignment"], document["cni"], document["mode"]) == (
        *("lab12", "calico"),
        "predict",
    )
    alice, bob = document["submissions"]
    assert (alice["id"], alice["status"], alice["score"], alice["max_score"]) == (
        *("alice", "graded", 97.5),
        100.0,
    )
    (flow,) = alice["flows"]
    wanted = {"from": "shop/web", "to": "shop/db", "port": 6379, "protocol": "TCP"}
    assert flow.items() >= (wanted | {"wanted": "closed", "got": "open", "points": 2.5}).items()
    assert (bob["status"], bob["problem"]) == ("ungradable", "a.yaml:1: no kind")


def test_grades_that_were_written_are_read_as_they_were() -> None:
    text = json.dumps(grades_document(GRADES))

    assert read_grades(json.loads(text), where="grades.json") == GRADES


@pytest.mark.parametrize("broken", [{}, {"schema_version": 2}, {"schema_version": 1}])
def test_what_is_no_grades_document_is_refused_with_its_place(broken: dict[str, object]) -> None:
    with pytest.raises(ContentError) as error:
        read_grades(broken, where="out/grades.json")

    assert error.value.where == "out/grades.json"


def test_less_than_all_points_never_looks_like_all_of_them() -> None:
    assert digits(Fraction(99_9999, 10_000)) == 99.99
