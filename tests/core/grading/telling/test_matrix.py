from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from harness.core.grading.model import FlowResult, Got, Want
from harness.core.grading.telling.matrix import MORE_PORTS, MORE_SENDERS, Cell, Column, Matrices
from harness.core.grading.world import world_of
from harness.core.model import Protocol
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import load_assignment

LAB12 = load_assignment("lab12", CNIS)
WORLD = world_of(LAB12)
API, DB, WEB = "secure-zone/payment-api", "secure-zone/secure-db", "frontend-zone/web-server"
REDIS = Column(DB, 6379, Protocol.TCP)


def flow(source: str, target: str, port: int, got: Got, row: str = "rest") -> FlowResult:
    want = Want.OPEN if got is Got.CLOSED else Want.CLOSED
    return FlowResult(source, target, port, Protocol.TCP, want, got, Fraction(1), row)


def test_without_a_wrong_flow_everything_is_as_it_is_wanted() -> None:
    matrix = Matrices(WORLD).of()

    assert matrix.cells[API, REDIS] == Cell(Want.OPEN, Got.OPEN)
    assert matrix.cells[WEB, REDIS] == Cell(Want.CLOSED, Got.CLOSED)
    assert (DB, REDIS) not in matrix.cells
    assert not any("like-" in name or "no-labels" in name for name in matrix.senders)
    assert [str(column) for column in matrix.columns][-1] == f"{DB} TCP 6379"
    assert matrix.outside == 0


def test_wrong_flows_are_shown_with_pods_that_nobody_deployed_and_further_ports() -> None:
    odd = (
        flow(API, DB, 6379, Got.CLOSED, "api-to-db"),
        flow("elsewhere/no-labels", DB, 6379, Got.OPEN),
        flow(WEB, DB, 5432, Got.OPEN),
        flow(WEB, DB, 1, Got.NO_VERDICT),
        flow("elsewhere/no-labels", "secure-zone/no-labels", 1, Got.OPEN),
    )
    matrix = Matrices(WORLD).of(odd)

    assert matrix.cells[API, REDIS] == Cell(Want.OPEN, Got.CLOSED)
    assert matrix.cells["elsewhere/no-labels", REDIS] == Cell(Want.CLOSED, Got.OPEN)
    other = Column(DB, 5432, Protocol.TCP)
    assert matrix.cells[WEB, other] == Cell(Want.CLOSED, Got.OPEN)
    assert matrix.cells[API, other] == Cell(Want.CLOSED, Got.CLOSED)
    assert f"{DB} other TCP" in map(str, matrix.columns)
    assert matrix.outside == 1


def test_the_table_of_a_hopeless_submission_has_an_end() -> None:
    odd = [
        flow(f"elsewhere/p{sender}", target, port, Got.OPEN)
        for sender in range(50)
        for target in (API, DB)
        for port in range(1000, 1050)
    ]
    usual = Matrices(WORLD).of()
    matrix = Matrices(WORLD).of(odd)

    assert len(matrix.senders) == len(usual.senders) + MORE_SENDERS
    assert len(matrix.columns) == len(usual.columns) + MORE_PORTS
    assert {column.target for column in matrix.columns[-MORE_PORTS:]} == {API, DB}
    assert matrix.outside == len(odd) - MORE_SENDERS * MORE_PORTS


@pytest.mark.parametrize("got", [Got.CLOSED, Got.NO_VERDICT])
def test_nothing_of_a_hidden_row_is_in_the_table(got: Got) -> None:
    rows = tuple(replace(row, hidden=row.id == "api-to-db") for row in LAB12.rows)
    world = world_of(replace(LAB12, rows=rows))

    matrix = Matrices(world).of([flow(API, DB, 6379, got, "api-to-db")])

    assert REDIS not in matrix.columns
    assert matrix.outside == 0


def test_both_answers_are_right_where_the_assignment_says_so() -> None:
    rows = tuple(
        replace(row, want=Want.EITHER) if row.id == "web-to-api" else row for row in LAB12.rows
    )
    matrix = Matrices(world_of(replace(LAB12, rows=rows))).of(
        [flow("elsewhere/no-labels", API, 80, Got.OPEN)]
    )

    assert matrix.cells[WEB, Column(API, 80, Protocol.TCP)] == Cell(Want.EITHER, None)
