from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import (
    FlowResult,
    Got,
    Grade,
    Row,
    RowResult,
    Status,
    Want,
)
from harness.core.grading.submitting import read_submission
from harness.core.grading.telling.causes import Causes, explained
from harness.core.grading.telling.plain import plain, visible
from harness.core.grading.telling.showing import SHOWN, Mark, shown_rows
from harness.core.grading.world import world_of
from harness.core.manifests.reader import File
from harness.core.model import Protocol
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.assignments import load_assignment
from harness.report.grading.text import row_lines

ROW = Row("web", ("a/b",), ("pod/a/c:80",), Want.OPEN, Fraction(10), hint="look", topic="the web")


def flow(source: str, why: str = "", got: Got = Got.CLOSED) -> FlowResult:
    return FlowResult(source, "a/c", 80, Protocol.TCP, Want.OPEN, got, Fraction(1), "web", why)


def graded(*flows: FlowResult, row: Row = ROW, held: int = 0) -> Grade:
    wrong = sum(one.got is not Got.NO_VERDICT for one in flows)
    result = RowResult(row, Fraction(0), row.points, Fraction(held), wrong, len(flows))
    return Grade("ann", Status.GRADED, Fraction(0), Fraction(10), flows=flows, rows=(result,))


def test_flows_of_deployed_pods_come_first_and_one_cause_is_told_once() -> None:
    (row,) = shown_rows(graded(flow("a/no-labels", "x"), flow("a/b", "y"), flow("a/d", "x")))

    assert [(g.why, [one.source for one in g.flows]) for g in row.groups] == [
        ("y", ["a/b"]),
        ("x", ["a/d", "a/no-labels"]),
    ]
    assert (row.mark, row.name, row.hint, row.more) == (Mark.LOST, "the web", "look", 0)


def test_more_flows_than_anybody_reads_are_counted() -> None:
    flows = [flow(f"a/p{n}") for n in range(SHOWN + 3)]

    (row,) = shown_rows(graded(*flows, flow("elsewhere/x", "the cause")))

    assert row.more == 4
    assert row.groups[0].why == "the cause"
    assert sum(len(group.flows) for group in row.groups) == SHOWN
    assert list(row_lines(row))[-2:] == ["and 4 more", "hint: look"]


def test_a_hidden_row_shows_nothing_but_its_topic_and_points() -> None:
    (row,) = shown_rows(graded(flow("a/b", "x"), row=replace(ROW, hidden=True)))

    assert (row.groups, row.more, row.hint) == ((), 0, "")
    assert (row.name, row.mark) == ("the web", Mark.LOST)


def test_held_points_are_marked_as_such_and_a_row_without_points_is_left_out() -> None:
    (row,) = shown_rows(graded(flow("a/b", got=Got.NO_VERDICT), held=10))

    assert row.mark is Mark.HELD
    assert not shown_rows(graded(flow("a/b"), row=replace(ROW, points=Fraction(0))))


def test_each_kind_of_cause_is_told_once_and_never_for_hidden_rows() -> None:
    assignment = load_assignment("lab12", CNIS)
    rows = tuple(replace(row, hidden=row.id == "api-to-db") for row in assignment.rows)
    world, profile = world_of(replace(assignment, rows=rows)), PROFILES["calico"]
    text = assignment.reference[0].data.decode()
    wrong = text.replace("protocol: TCP\n          port: 53", "protocol: UDP\n          port: 53")
    wrong = wrong.replace("port: 6379", "port: 6380")
    files = (File("a.yaml", wrong.encode()),)
    submission = read_submission(world.assignment, "ann", files)

    found = explained(
        grade(world, submission, Predicted(profile)), Causes(world, submission, profile)
    )

    assert wrong != text
    assert not any(flow.why for flow in found.flows if flow.row == "api-to-db")
    rest = next(row for row in shown_rows(found) if row.row.id == "rest")
    assert rest.groups
    assert all("secure-zone" in group.why for group in rest.groups)
    assert len({group.why for group in rest.groups}) == len(rest.groups)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u202eb", "a[U+202E]b"),
        ("\x1b[2J", "[U+001B][2J"),
        ("a\u200bb", "a[U+200B]b"),
        ("a\u3164b", "a[U+3164]b"),
        ("e\ufe0f", "e[U+FE0F]"),
        ("Anna Ångström", "Anna Ångström"),
        ("محمد علي", "محمد علي"),
        ("דנה", "דנה"),
        ("李小龙", "李小龙"),
    ],
)
def test_what_nobody_sees_is_named_and_what_everybody_sees_stays(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_a_text_of_many_lines_becomes_one_line() -> None:
    assert plain("a\n\tb\u2028c  d") == "a b c d"
    assert plain("a" * 9, 4) == "aaaa"
