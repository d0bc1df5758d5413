"""The pages of a course: complete, escaped, and without anything from elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import pytest

from harness.core.grading.model import (
    Assignment,
    FlowResult,
    Got,
    Grade,
    Grades,
    Mode,
    RowResult,
    Status,
    Want,
)
from harness.core.grading.telling.alike import Alike, Equal, Near
from harness.core.grading.telling.matrix import Matrices, Matrix
from harness.core.grading.world import world_of
from harness.core.model import Protocol
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import load_assignment
from harness.report.grading.feedback import check_command, feedback_html
from harness.report.grading.page import Basis
from harness.report.grading.summary import summary_html

BASIS = Basis("calico", Mode.PREDICT, "2026-11-26 14:00 UTC")
EVIL = "<script>alert(1)</script>\u202e\x1b[2J{{ 7*7 }}\"'&"
LAB12 = load_assignment("lab12", CNIS)
WORLD = world_of(LAB12)
VOID = {"meta", "col", "br", "hr", "img", "rect", "line", "input", "link"}
"""Elements without an end; of SVG those that our pages write with one or close at once."""


class Checked(HTMLParser):
    """The elements, the texts and the links of a page; an element that is left open is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        names = dict(attrs)
        assert not any(name.startswith("on") for name in names)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def looked_at(text: str) -> Checked:
    """A page that has passed what every page must."""
    found = Checked(text)
    assert not found.open
    assert "script" not in found.tags
    assert found.tags <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "nav"),
        *("h1", "h2", "h3", "p", "b", "i", "a", "ul", "li", "dl", "dt", "dd", "div", "span"),
        *("table", "thead", "tbody", "tr", "th", "td", "small", "code", "pre", "bdi", "article"),
        *("figure", "svg", "g", "rect", "text", "line"),
    }
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", text)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    return found


DB = "secure-zone/secure-db"


def flow(row: str, source: str, target: str, got: Got, why: str = "") -> FlowResult:
    want = Want.OPEN if got is Got.CLOSED else Want.CLOSED
    return FlowResult(source, target, 6379, Protocol.TCP, want, got, Fraction(1), row, why)


SHUT = flow("api-to-db", "secure-zone/payment-api", DB, Got.CLOSED, "no")
OPEN = flow("rest", "elsewhere/no-labels", DB, Got.OPEN)


def grade(name: str, *flows: FlowResult, status: Status = Status.GRADED, held: int = 0) -> Grade:
    rows = []
    for row in LAB12.all_rows:
        mine = [one for one in flows if one.row == row.id]
        wrong = sum(one.got is not Got.NO_VERDICT for one in mine)
        held_here = Fraction(held if mine and not wrong else 0)
        lost = row.points if wrong else held_here
        rows.append(RowResult(row, row.points - lost, row.points - held_here, held_here, wrong, 9))
    score = sum((row.points for row in rows), Fraction(0))
    most = Fraction(100 - held)
    return Grade(name, status, score, most, Fraction(held), flows=flows, rows=tuple(rows))


def page(found: Grade, assignment: Assignment = LAB12, matrix: Matrix | None = None) -> Checked:
    matrix = matrix or Matrices(WORLD).of(found.flows)
    check = check_command(assignment.name, "")
    return looked_at(feedback_html(assignment, found, matrix, BASIS, check=check))


def summary(*grades: Grade, alike: Alike | None = None, seed: str = "") -> Checked:
    course = Grades("lab12", "calico", Mode.PREDICT, grades)
    links = {one.id: f"feedback/{number}.html" for number, one in enumerate(grades)}
    found = alike or Alike()
    return looked_at(
        summary_html(LAB12, course, BASIS, found, seed=seed, drawn=bool(seed), links=links)
    )


def test_a_student_s_page_has_marks_causes_hints_picture_and_commands() -> None:
    found = page(grade("ann", SHUT, OPEN))

    text = found.text
    assert "35 of 100 points" in text
    assert "secure-zone/payment-api to secure-zone/secure-db on TCP 6379 is closed" in text
    assert "Cause: no" in text
    assert "Hint: Both pods" in text
    assert "closed, must be open" in text
    assert "open, must be closed" in text
    assert "elsewhere/no-labels" in text
    assert "$ policylab check lab12 policies/" in text
    explained = "secure-zone/payment-api pod/secure-zone/secure-db:6379"
    assert f"$ policylab explain --manifests together/ {explained}" in text
    assert "svg" in found.tags


def test_a_faultless_page_has_no_list_of_faults() -> None:
    text = page(grade("ann")).text

    assert "100 of 100 points" in text
    assert "must be closed" not in text
    assert "Cause" not in text
    assert "Hint" not in text


def test_a_refused_submission_s_page_says_why_and_has_no_score() -> None:
    refused = Grade(
        "eve", Status.UNGRADABLE, Fraction(0), Fraction(100), problem=f"a.yaml:1\n{EVIL}"
    )
    found = page(refused)

    assert "cannot be graded" in found.text
    assert "a.yaml:1" in found.text
    assert "svg" not in found.tags
    assert "of 100 points" not in found.text


def test_whatever_a_student_writes_is_shown_and_never_obeyed() -> None:
    evil = flow("rest", EVIL, EVIL, Got.OPEN, EVIL)
    found = replace(grade(EVIL, evil), notes=(EVIL,), problem=EVIL)

    text = page(found).text
    assert text.count("<script>alert(1)</script>[U+202E][U+001B][2J{{ 7*7 }}\"'&") > 4
    refused = replace(found, status=Status.UNGRADABLE)
    assert "[U+202E]" in summary(refused, found).text


def test_of_a_hidden_row_a_student_sees_the_topic_alone() -> None:
    rows = tuple(replace(row, hidden=row.id == "api-to-db") for row in LAB12.rows)
    assignment = replace(LAB12, rows=rows)
    found = grade("ann", SHUT)
    results = tuple(
        replace(result, row=replace(result.row, hidden=result.row.id == "api-to-db"))
        for result in found.rows
    )
    world = world_of(assignment)
    text = page(replace(found, rows=results), assignment, Matrices(world).of(found.flows)).text

    assert "the API's way to its database" in text
    assert "0 of 15" in text
    assert "6379" not in text
    assert "Both pods" not in text


def test_points_that_were_not_checked_are_told_and_look_like_no_fault() -> None:
    unsure = flow("api-to-db", SHUT.source, SHUT.target, Got.NO_VERDICT, "they differ")
    found = replace(grade("ann", unsure, status=Status.NOT_CHECKED, held=15), problem="1 flow")

    text = page(found).text
    assert "15 more points were not checked" in text
    assert "85 of 85 points" in text
    course = summary(found, grade("bob")).text
    assert "1 not wholly checked" in course
    assert "they differ" in course
    assert "has no verdict" in course


def test_a_submission_that_nobody_judged_has_no_marks_and_no_picture() -> None:
    lost = Grade(
        "ann",
        Status.NOT_CHECKED,
        Fraction(0),
        Fraction(0),
        Fraction(100),
        problem="shard 2 is lost",
    )
    found = page(lost)

    assert "Nothing was checked yet" in found.text
    assert "shard 2 is lost" in found.text
    assert "of 0 points" not in found.text
    assert "svg" not in found.tags
    assert "shard 2 is lost" in summary(lost).text


def test_the_page_of_a_course_tells_marks_failures_and_how_they_came_about() -> None:
    refused = Grade("eve", Status.UNGRADABLE, Fraction(0), Fraction(100), problem="a.yaml:1: a Pod")
    found = summary(
        grade("ann"), grade("bob", SHUT), grade("cat", SHUT, OPEN), refused, seed="spring"
    )

    text = found.text
    assert "3 graded of 4 submissions" in text
    assert "1 ungradable" in text
    assert "a.yaml:1: a Pod" in text
    assert "73.33 mean" in text
    assert "2 of 3" in text
    assert "is closed, and must be open in 2 submissions" in text
    assert text.index("the API's way to its database") < text.index("name resolution")
    assert "spring" in text
    assert "by prediction" in text
    assert "calico" in text
    assert "2026-11-26" in text
    assert "No two submissions are equal" in text
    assert {link for link in found.links if not link.startswith("#")} == {
        f"feedback/{number}.html" for number in range(4)
    }


def test_each_bar_of_the_distribution_has_its_number() -> None:
    course = [grade(f"s{n}") for n in range(7)] + [grade("bob", SHUT), grade("cat", SHUT, OPEN)]
    bars = re.findall(r'text-anchor="middle">([0-9]+)</text>', "".join(_html(*course)))

    assert bars == ["1", "1", "7"]


def _html(*grades: Grade) -> str:
    course = Grades("lab12", "calico", Mode.PREDICT, grades)
    links = {one.id: "x" for one in grades}
    return summary_html(LAB12, course, BASIS, Alike(), seed="", drawn=True, links=links)


def test_alike_submissions_are_listed_with_their_marks_and_the_warning() -> None:
    found = Alike(
        (Equal(("ann", "bob"), to_the_byte=False), Equal(("cat", "dan"), to_the_byte=True)),
        (Near(("ann", "bob"), ("eve",), 0.951),),
        3,
        compared=False,
    )
    course = [grade("ann"), grade("bob"), grade("cat", SHUT), grade("dan", SHUT), grade("eve")]

    text = summary(*course, alike=found).text
    assert "Equal YAML proves nothing" in text
    assert "2 students, 85 of 100 points: cat , dan" in text
    assert "2 students, 100 of 100 points: ann , bob" in text
    assert "same to the byte" in text
    assert "95%" in text
    assert "and 1 equal to this" in text
    assert "3 more pairs" in text
    assert "only equal ones" in text


@pytest.mark.parametrize("size", [0, 1, 100])
def test_a_course_of_any_size_has_a_page(size: int) -> None:
    text = summary(*(grade(f"s{n}") for n in range(size))).text

    assert f"of {size} submissions" in text


def test_a_key_and_odd_names_are_quoted_in_commands() -> None:
    assert check_command("my lab", "abc") == "policylab check 'my lab' --key abc policies/"
