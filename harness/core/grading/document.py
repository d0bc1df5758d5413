"""`grades.json`: the grades of a course for tests and tools, schema version 1.

A run that goes on, and parts of a course that are put together, need each grade as it was, to the
fraction. For them a grade is written exactly: points as text (`50/3`), and why a flow went so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from harness.core.grading.model import (
    SCHEMA_VERSION,
    FlowResult,
    Got,
    Grade,
    Grades,
    Mode,
    Row,
    RowResult,
    Status,
    Want,
    digits,
)
from harness.core.grading.telling.sketch import Sketch
from harness.core.model import Protocol
from harness.errors import ContentError

_EXACT = re.compile(r"[0-9]{1,40}(/[0-9]{1,40})?")


def grades_document(grades: Grades) -> dict[str, Any]:
    """The grades as JSON has them.

    `score`, `max_score` and `points` have two decimals, rounded down; the `points` of a flow are
    what it cost. `flows` has every flow that is not as it was wanted, or has no verdict.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "assignment": grades.assignment,
        "cni": grades.cni,
        "mode": grades.mode.value,
        "submissions": [grade_document(grade) for grade in grades.grades],
    }


def grade_document(grade: Grade, *, exact: bool = False) -> dict[str, Any]:
    """One submission's part of the document; if it is exact, `read_grade` loses nothing of it."""
    number: Callable[[Fraction], float | str] = str if exact else digits
    return {
        "id": grade.id,
        "status": grade.status.value,
        "score": number(grade.score),
        "max_score": number(grade.max_score),
        "held": number(grade.held),
        "problem": grade.problem,
        "notes": list(grade.notes),
        "rows": [
            {
                "id": found.row.id,
                "points": number(found.points),
                "out_of": number(found.out_of),
                "held": number(found.held),
                "wrong": found.wrong,
                "pairs": found.pairs,
            }
            for found in grade.rows
        ],
        "flows": [_flow(flow, exact=exact) for flow in grade.flows],
        **({"sketch": asdict(grade.sketch)} if exact else {}),
    }


def _flow(flow: FlowResult, *, exact: bool) -> dict[str, Any]:
    return {
        "from": flow.source,
        "to": flow.target,
        "port": flow.port,
        "protocol": flow.protocol.value,
        "wanted": flow.wanted.value,
        "got": flow.got.value,
        "points": str(flow.points) if exact else digits(flow.points),
        "row": flow.row,
        **({"why": flow.why} if exact else {}),
    }


def read_grade(document: Mapping[str, Any], rows: Mapping[str, Row], *, where: str) -> Grade:
    """A submission's grade from its part of the document; `rows` are the assignment's by id.

    What a row gave is left out if the row is not among them.

    Raises:
        ContentError: it is not of this form.
    """
    try:
        return Grade(
            str(document["id"]),
            Status(document["status"]),
            _points(document["score"]),
            _points(document["max_score"]),
            _points(document.get("held", 0)),
            str(document["problem"]),
            tuple(_read_flow(flow) for flow in document["flows"]),
            tuple(_read_row(row, rows) for row in document.get("rows", ()) if row["id"] in rows),
            tuple(map(str, document.get("notes", ()))),
            _read_sketch(document.get("sketch", {})),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ContentError(
            "this is not a grade as `grades.json` has it", where=where, seen=repr(error)
        ) from error


def read_grades(
    document: Mapping[str, Any], rows: Mapping[str, Row] = MappingProxyType({}), *, where: str
) -> Grades:
    """The grades of a `grades.json`; `rows` as for `read_grade`.

    Raises:
        ContentError: it is not of this form, or of another schema version.
    """
    try:
        if document["schema_version"] != SCHEMA_VERSION:
            raise ContentError(
                f"the schema version of these grades is not {SCHEMA_VERSION}",
                where=where,
                seen=str(document["schema_version"]),
            )
        grades = [read_grade(one, rows, where=where) for one in document["submissions"]]
        return Grades(
            str(document["assignment"]),
            str(document["cni"]),
            Mode(document["mode"]),
            tuple(grades),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ContentError("this is not a `grades.json`", where=where, seen=repr(error)) from error


def _read_flow(flow: Mapping[str, Any]) -> FlowResult:
    return FlowResult(
        str(flow["from"]),
        str(flow["to"]),
        int(flow["port"]),
        Protocol(flow["protocol"]),
        Want(flow["wanted"]),
        Got(flow["got"]),
        _points(flow["points"]),
        str(flow.get("row", "")),
        str(flow.get("why", "")),
    )


def _read_sketch(sketch: Mapping[str, Any]) -> Sketch:
    found = {"files": "", "objects": "", "parts": (), **sketch}
    return Sketch(str(found["files"]), str(found["objects"]), tuple(map(int, found["parts"])))


def _read_row(found: Mapping[str, Any], rows: Mapping[str, Row]) -> RowResult:
    return RowResult(
        rows[found["id"]],
        _points(found["points"]),
        _points(found["out_of"]),
        _points(found["held"]),
        int(found["wrong"]),
        int(found["pairs"]),
    )


def _points(value: float | str) -> Fraction:
    """Two decimals exactly, as they were written; or a fraction, as a text."""
    if isinstance(value, str):
        if not _EXACT.fullmatch(value):
            raise ValueError(value)
        return Fraction(value)
    return Fraction(round(float(value) * 100), 100)
