"""`policylab check`: a student's own feedback while writing, by prediction."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.commands.grading.options import add_assignment, assignment_of
from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade, shown_only
from harness.core.grading.model import Grade, Status
from harness.core.grading.randomised import randomised
from harness.core.grading.submitting import read_submission
from harness.core.grading.telling.causes import Causes, explained
from harness.core.grading.telling.plain import plain
from harness.core.grading.world import world_of
from harness.edge.grading.submissions import of_paths
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.grading.text import feedback_text, summary_of

OF_A_PART = "Hidden rows are left out here, and count in the grade."


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "check",
        help="tell a student at once what the policies of an assignment lack",
        description="Says which of an assignment's flows your policies open and close, by "
        "prediction: no cluster is needed. Rows that the assignment hides are left out.",
        epilog=f"Exit code: {ExitCode.OK} every flow is as the task wants it, {ExitCode.DIFFERS} "
        f"one is not, {ExitCode.USAGE} a file cannot be read, {ExitCode.NO_VERDICT} something "
        "cannot be said.",
    )
    add_assignment(parser)
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILES", help="your policies: files or folders"
    )
    parser.add_argument(
        "--key",
        default="",
        metavar="KEY",
        help="the key in your handout, if it was drawn for you",
    )
    parser.set_defaults(run=_check)


def _check(arguments: argparse.Namespace, progress: Progress) -> ExitCode:  # noqa: ARG001 - the verbs' signature
    assignment, profile = assignment_of(arguments)
    if arguments.key:
        assignment = randomised(assignment, arguments.key)
    world = world_of(assignment)
    handed = of_paths("your policies", arguments.files)
    submission = read_submission(assignment, handed.id, handed.files, handed.notes, handed.problem)
    found = grade(world, submission, Predicted(profile))
    shown = explained(shown_only(found), Causes(world, submission, profile))
    lines = [*feedback_text(shown), f"{shown.id}: {summary_of(shown)}"]
    if len(shown.rows) < len(found.rows):
        lines.append(OF_A_PART)
    lines += [f"note: {plain(note)}" for note in found.notes]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code_of(shown)


def code_of(found: Grade) -> ExitCode:
    """A flow that is certainly wrong is a difference, whatever is in doubt."""
    if found.status is Status.UNGRADABLE:
        return ExitCode.USAGE
    if any(row.wrong for row in found.rows):
        return ExitCode.DIFFERS
    return ExitCode.OK if found.status is Status.GRADED else ExitCode.NO_VERDICT
