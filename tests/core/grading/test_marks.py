"""Points: partial credit, points held back, rules too wide on one side, sums to the digit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade, marked, shown_only
from harness.core.grading.model import (
    Assignment,
    Broken,
    Got,
    Grade,
    Heard,
    LeastPrivilege,
    Row,
    Status,
    Submission,
    Want,
)
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import world_of
from harness.core.manifests.reader import File
from harness.core.model import Protocol
from harness.edge.cni.known import PROFILES

Loaded = Callable[[str], Assignment]
OPEN_ROW = Row("open", ("a",), ("b",), Want.OPEN, Fraction(10), topic="the way")
CLOSED_ROW = Row("rest", (), (), Want.CLOSED, Fraction(50), Fraction(20))
SUBMISSION = Submission("alice")


@pytest.fixture
def small(assignment: Loaded) -> Assignment:
    return replace(assignment("lab12"), rows=(OPEN_ROW,), rest=CLOSED_ROW)


def _heard(row: Row, *gots: Got, port: int = 80) -> Iterator[Heard]:
    for number, got in enumerate(gots):
        names = f"shop/{number}", "shop/web"
        yield Heard(*names, port, Protocol.TCP, row, got, names)


def _points(found: Grade) -> list[float]:
    return [float(found.score), float(found.max_score), float(found.held)]


ALL_RIGHT = [*_heard(OPEN_ROW, Got.OPEN, Got.OPEN), *_heard(CLOSED_ROW, *[Got.CLOSED] * 5)]


def test_all_right_is_all_points(small: Assignment) -> None:
    found = marked(small, SUBMISSION, ALL_RIGHT)

    assert found.status is Status.GRADED
    assert _points(found) == [60, 60, 0]


def test_a_row_without_each_gives_a_share_for_every_pair(small: Assignment) -> None:
    heard = [*_heard(OPEN_ROW, Got.OPEN, Got.OPEN, Got.CLOSED), *ALL_RIGHT[2:]]

    found = marked(small, SUBMISSION, heard)

    assert found.score == 50 + Fraction(20, 3)
    assert [flow.points for flow in found.flows] == [Fraction(10, 3)]


def test_a_pair_costs_once_and_a_row_never_more_than_its_points(small: Assignment) -> None:
    two_ports = [*_heard(CLOSED_ROW, Got.OPEN), *_heard(CLOSED_ROW, Got.OPEN, port=81)]
    one = marked(small, SUBMISSION, [*ALL_RIGHT, *two_ports])
    five = marked(small, SUBMISSION, [*ALL_RIGHT, *_heard(CLOSED_ROW, *[Got.OPEN] * 5)])

    assert one.score == 40
    assert [flow.points for flow in one.flows] == [10, 10]
    assert five.score == 10


def test_what_was_not_checked_counts_neither_for_nor_against(small: Assignment) -> None:
    heard = [*_heard(OPEN_ROW, Got.OPEN, Got.NO_VERDICT), *ALL_RIGHT[2:]]

    found = marked(small, SUBMISSION, heard)

    assert found.status is Status.NOT_CHECKED
    assert _points(found) == [55, 55, 5]
    assert "no verdict" in found.problem


def test_a_wrong_flow_is_wrong_though_another_of_its_pair_has_no_verdict(small: Assignment) -> None:
    heard = [*_heard(CLOSED_ROW, Got.OPEN), *_heard(CLOSED_ROW, Got.NO_VERDICT, port=81)]

    found = marked(small, SUBMISSION, [*ALL_RIGHT[:2], *heard])

    assert _points(found) == [40, 60, 0]
    assert found.status is Status.NOT_CHECKED


@given(st.permutations([*ALL_RIGHT[:1], *_heard(CLOSED_ROW, Got.OPEN, Got.CLOSED, Got.OPEN)]))
def test_the_order_in_which_flows_were_heard_changes_no_digit(heard: list[Heard]) -> None:
    nobody: frozenset[str] = frozenset()
    bare = Assignment(
        *("a", "a", "", ("calico",), nobody, nobody, "", Broken.REFUSE, (OPEN_ROW,), CLOSED_ROW)
    )

    found = marked(bare, SUBMISSION, heard)

    assert _points(found) == [20, 60, 0]


def test_hidden_rows_are_in_neither_number_of_what_is_shown(small: Assignment) -> None:
    hidden = replace(OPEN_ROW, hidden=True)
    heard = [*_heard(hidden, Got.CLOSED), *ALL_RIGHT[2:]]

    found = shown_only(marked(replace(small, rows=(hidden,)), SUBMISSION, heard))

    assert _points(found) == [50, 50, 0]
    assert not found.flows


def test_the_reason_for_held_points_is_never_one_of_a_hidden_row(small: Assignment) -> None:
    hidden = replace(OPEN_ROW, hidden=True)
    unsure = [replace(one, why="the secret") for one in _heard(hidden, Got.NO_VERDICT)]
    open_one = [replace(one, why="nobody answers") for one in _heard(CLOSED_ROW, Got.NO_VERDICT)]

    found = marked(replace(small, rows=(hidden,)), SUBMISSION, [*unsure, *ALL_RIGHT[2:]])
    both = marked(replace(small, rows=(hidden,)), SUBMISSION, [*unsure, *open_one])

    assert found.problem
    assert "the secret" not in found.problem
    assert "nobody answers" in both.problem


def test_a_rule_too_wide_on_one_side_costs_what_the_assignment_says(assignment: Loaded) -> None:
    strict = replace(assignment("lab12"), least_privilege=LeastPrivilege(Fraction(10), Fraction(4)))
    right = strict.reference[0].data.decode()
    wide = right.replace("          podSelector:\n            matchLabels: {app: web-server}\n", "")
    world, judge = world_of(strict), Predicted(PROFILES["calico"])

    def marks(text: str) -> tuple[float, tuple[str, ...], int]:
        submission = read_submission(strict, "alice", [File("a.yaml", text.encode())])
        found = grade(world, submission, judge)
        return float(found.score), found.notes, len(found.flows)

    assert marks(right) == (110.0, (), 0)
    score, (note,), flows = marks(wide)
    assert (score, flows) == (106, 0)
    assert "secure-zone/api-from-web (ingress, rule 1)" in note
