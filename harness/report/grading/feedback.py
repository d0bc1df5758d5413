"""A student's page in HTML: one file that loads nothing, has no scripts, and can be printed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from harness.core.grading.model import Assignment, FlowResult, Grade
from harness.core.grading.telling.matrix import Matrix
from harness.core.grading.telling.showing import ShownRow, is_witness, shown_rows
from harness.report.grading.matrix import got_picture
from harness.report.grading.page import Basis, page
from harness.report.matrix.heatmap import svg

POLICIES = "policies/"
"""The folder of a handout in which students write."""
TOGETHER = "together/"
"""A folder for the workloads and the policies of a student, which `policylab explain` reads."""
COMMANDS = 5
"""Flows that a page shows how to explain."""


def check_command(assignment: str, key: str = "") -> str:
    """The command by which a student tries the work in the folder of a handout."""
    words = ["policylab", "check", assignment, *(["--key", key] if key else []), POLICIES]
    return shlex.join(words)


def feedback_html(
    assignment: Assignment, grade: Grade, matrix: Matrix, basis: Basis, *, check: str
) -> str:
    """The page of a grade; `assignment` has the student's own names, if they were drawn."""
    rows = shown_rows(grade)
    return page(
        "feedback.html.j2",
        assignment=assignment,
        grade=grade,
        basis=basis,
        rows=rows,
        picture=_picture(matrix) if grade.rows and matrix.cells else "",
        matrix=matrix,
        strangers=any(map(is_witness, matrix.senders)),
        rest=any(column.rest for column in matrix.columns),
        lost=any(row.groups for row in rows),
        commands=[check, *_explaining(rows)],
    )


def _picture(matrix: Matrix) -> str:
    """The matrix as markup of our own, in which every name is escaped."""
    return svg(got_picture(matrix), title="Wanted and got: rows send, columns receive")


def _explaining(rows: tuple[ShownRow, ...]) -> Iterator[str]:
    """How to see the cause of a flow oneself, for the first flow of each cause."""
    heads = [group.flows[0] for row in rows for group in row.groups]
    deployed = [flow for flow in heads if not (is_witness(flow.source) or is_witness(flow.target))]
    if deployed:
        yield f"mkdir -p {TOGETHER} && cp workloads.yaml {POLICIES}* {TOGETHER}"
    for flow in deployed[:COMMANDS]:
        yield shlex.join(["policylab", "explain", "--manifests", TOGETHER, flow.source, _to(flow)])


def _to(flow: FlowResult) -> str:
    """A receiver in the words of `policylab explain`."""
    protocol = "" if flow.protocol == "TCP" else f"/{flow.protocol.lower()}"
    end = flow.target if flow.target.startswith("net/") else f"pod/{flow.target}"
    return f"{end}:{flow.port}{protocol}"
