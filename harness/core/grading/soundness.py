"""Whether an assignment agrees with itself: its own right solution must have all points."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.grading.judge import Judge
from harness.core.grading.marks import grade
from harness.core.grading.model import FlowResult, Want
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import World
from harness.errors import ContentError
from harness.listing import few

SHOWN = 10
"""Faults that an error names; the others are counted."""


def faults_of(world: World, judge: Judge) -> Iterator[str]:
    """What is wrong with an assignment, each in a sentence that begins with its file and line."""
    assignment = world.assignment
    submission = read_submission(assignment, "the right solution", assignment.reference)
    if submission.problem:
        for problem in submission.problem.splitlines():
            yield f"the right solution may not be submitted: {problem}"
        return
    found = grade(world, submission, judge)
    for result in found.rows:
        if not result.pairs:
            yield f"{result.row.where}: no flow is left for the row `{result.row.id}`"
    rows = {row.id: row for row in assignment.all_rows}
    for flow in found.flows:
        row = rows[flow.row]
        yield (
            f"{row.where}: the row `{row.id}` wants {words(flow)} {flow.wanted}, "
            f"and with the assignment's own solution it is {flow.got.replace('_', ' ')}"
        )
    for row in assignment.all_rows:
        if row.want is Want.EITHER and row.points:
            yield f"{row.where}: either answer is right in the row `{row.id}`, so it has no points"


def words(flow: FlowResult) -> str:
    """A flow as people write it."""
    return f"{flow.source} -> {flow.target} {flow.protocol} {flow.port}"


def must_be_sound(world: World, judge: Judge) -> None:
    """Refuse an assignment that contradicts itself.

    Raises:
        ContentError: it does; the message has the faults.
    """
    faults = list(faults_of(world, judge))
    if faults:
        raise ContentError(
            "the assignment contradicts itself:\n  " + few(faults, SHOWN, "\n  "),
            where=world.assignment.origin,
            try_="correct the row or the right solution; `policylab assignment check` tells more",
        )
