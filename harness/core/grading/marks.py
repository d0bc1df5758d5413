"""From what was heard to points. Nothing here depends on how, when or where it was heard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from harness.core.grading.judge import Judge
from harness.core.grading.model import (
    Assignment,
    FlowResult,
    Got,
    Grade,
    Heard,
    Row,
    RowResult,
    Status,
    Submission,
)
from harness.core.grading.world import World
from harness.errors import ContentError


def grade(world: World, submission: Submission, judge: Judge) -> Grade:
    """The grade of a submission; one that cannot be read is `ungradable`, with its problem."""
    assignment = world.assignment
    if submission.problem:
        return ungradable(assignment, submission)
    least = assignment.least_privilege.points
    try:
        wide = judge.too_wide(world, submission) if least else []
        heard = tuple(judge.hear(world, submission))
    except ContentError as error:  # it tells apart more flows than anybody compares
        problem = f"{error.what}: {error.seen}"
        return ungradable(assignment, replace(submission, problem=problem))
    return marked(assignment, submission, heard, wide)


def ungradable(assignment: Assignment, submission: Submission) -> Grade:
    """The grade of a submission that cannot be read."""
    return Grade(
        submission.id,
        Status.UNGRADABLE,
        Fraction(0),
        assignment.max_score,
        problem=submission.problem,
        notes=submission.notes,
    )


def marked(
    assignment: Assignment,
    submission: Submission,
    heard: Iterable[Heard],
    wide: Sequence[str] = (),
) -> Grade:
    """The grade by what was heard; `wide` are the rules that are too wide at one side alone."""
    least = assignment.least_privilege
    tight = max(least.points - len(wide) * (least.each or least.points), Fraction(0))
    of: dict[str, list[Heard]] = defaultdict(list)
    for flow in heard:
        of[flow.row.id].append(flow)
    rows: list[RowResult] = []
    flows: list[FlowResult] = []
    for row in assignment.all_rows:
        result, odd = _row(row, of[row.id])
        rows.append(result)
        flows += odd
    held = sum((row.held for row in rows), Fraction(0))
    unsure = [flow for flow in flows if flow.got is Got.NO_VERDICT]
    return Grade(
        submission.id,
        Status.NOT_CHECKED if unsure else Status.GRADED,
        sum((row.points for row in rows), tight),
        assignment.max_score - held,
        held,
        _held_words(unsure, {row.id for row in assignment.all_rows if row.hidden}),
        tuple(flows),
        tuple(rows),
        (*submission.notes, *wide),
    )


def shown_only(found: Grade) -> Grade:
    """The grade of the rows that a student may see, as if there were no others."""
    rows = tuple(result for result in found.rows if not result.row.hidden)
    gone = [result for result in found.rows if result.row.hidden]
    ids = {result.row.id for result in rows}
    if found.status is Status.UNGRADABLE or len(rows) == len(found.rows):
        return found
    flows = tuple(flow for flow in found.flows if flow.row in ids)
    unsure = [flow for flow in flows if flow.got is Got.NO_VERDICT]
    return replace(
        found,
        status=Status.NOT_CHECKED if unsure else Status.GRADED,
        # What is hidden is taken out of both numbers; points for narrow rules stay.
        score=found.score - sum((row.points for row in gone), Fraction(0)),
        max_score=found.max_score - sum((row.out_of for row in gone), Fraction(0)),
        held=sum((row.held for row in rows), Fraction(0)),
        problem=_held_words(unsure),
        flows=flows,
        rows=rows,
    )


def _held_words(unsure: Sequence[FlowResult], hidden: Collection[str] = ()) -> str:
    """How much is held back, and a reason; students read it, so that it is none of a hidden row."""
    if not unsure:
        return ""
    why = next((flow.why for flow in unsure if flow.why and flow.row not in hidden), "")
    words = f"{len(unsure)} flows have no verdict, and their points are held back"
    return f"{words}; {why}" if why else words


def _row(row: Row, heard: Sequence[Heard]) -> tuple[RowResult, list[FlowResult]]:
    """A pair of ends costs once, however many of its flows are wrong."""
    pairs = {flow.pair for flow in heard}
    odd = [flow for flow in heard if not flow.right]
    bad = [flow for flow in odd if flow.got is not Got.NO_VERDICT]
    wrong = {flow.pair for flow in bad}
    unsure = {flow.pair for flow in odd} - wrong
    cost = row.each if row.each is not None else row.points / max(len(pairs), 1)
    lost = min(row.points, len(wrong) * cost)
    held = min(row.points - lost, len(unsure) * cost)
    share = lost / max(len(bad), 1)
    flows = [
        FlowResult(
            flow.source,
            flow.target,
            flow.port,
            flow.protocol,
            row.want,
            flow.got,
            Fraction(0) if flow.got is Got.NO_VERDICT else share,
            row.id,
            flow.why,
        )
        for flow in odd
    ]
    points = row.points - lost - held
    return RowResult(row, points, row.points - held, held, len(wrong), len(pairs)), flows
