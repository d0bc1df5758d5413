"""`policylab grade`: marks for the submissions of a course."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.commands.grading.options import SEED_HELP, add_assignment, assignment_of
from harness.commands.grading.reports import FEEDBACK, TABLE, write_reports
from harness.core.grading.judge import Predicted
from harness.core.grading.model import Grades, Mode, Status
from harness.core.grading.soundness import must_be_sound
from harness.core.grading.world import world_of
from harness.edge.grading.course import GRADES, Course
from harness.edge.grading.submissions import handed_in
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.grading.text import grades_text

KEPT = "Graded submissions are kept: the same command with --resume goes on with the others."


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "grade",
        help="mark submissions by the flows that their policies let pass",
        description="Marks each submission by what its policies do: every flow between pods, from "
        "pods that nobody deployed, and to and from outside, is compared with the assignment's "
        "rows. How a policy is written is no part of it.",
        epilog=f"Exit code: {ExitCode.OK} every submission was graded, or refused in words; "
        f"{ExitCode.NO_VERDICT} something was not checked, {ExitCode.USAGE} the assignment or the "
        "command line is wrong.",
    )
    add_assignment(parser)
    parser.add_argument(
        "submissions",
        nargs="+",
        type=Path,
        metavar="SUBMISSIONS",
        help="a folder with a folder or a file for each student, or files",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder for the grades"
    )
    parser.add_argument(
        "--predict",
        action="store_true",
        help="ask the oracle alone; no cluster is needed",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STUDENT",
        help="grade this submission only; may be given several times",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep the grades in DIR of submissions that have not changed since",
    )
    parser.add_argument("--seed", default="", metavar="TEXT", help=SEED_HELP)
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="submissions that are graded at a time (default: %(default)s)",
    )
    parser.set_defaults(run=_grade, after_interrupt=KEPT)


def _grade(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    assignment, profile = assignment_of(arguments)
    if arguments.jobs < 1:
        raise ContentError("at least one submission is graded at a time", where="--jobs")
    if not arguments.predict:
        raise ContentError(
            "this version grades by prediction only", try_="add --predict to the command"
        )
    submissions = handed_in(arguments.submissions)
    chosen = [one for one in submissions if not arguments.only or one.id in arguments.only]
    if missing := sorted(set(arguments.only) - {one.id for one in submissions}):
        raise ContentError(
            f"nobody called `{missing[0]}` handed anything in",
            where="--only",
            seen=f"submissions: {', '.join(one.id for one in submissions)}"[:400],
        )
    if not chosen:
        raise ContentError(
            "there is no submission here", where=", ".join(map(str, arguments.submissions))
        )
    world = world_of(assignment)
    must_be_sound(world, Predicted(profile))
    course = Course(world, profile, Mode.PREDICT, arguments.out, arguments.seed)
    grades = course.grades(
        chosen, progress, jobs=min(arguments.jobs, len(chosen)), resume=arguments.resume
    )
    write_reports(course, grades, {one.id: one for one in chosen})
    for line in grades_text(grades):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"the grades are in {arguments.out / GRADES} and in {TABLE} beside it\n")
    sys.stdout.write(f"the students' pages are in {arguments.out / FEEDBACK}\n")
    return code_of(grades)


def code_of(grades: Grades) -> ExitCode:
    """Marks that are held back are no verdict; a submission that is refused has its answer."""
    unsure = any(grade.status is Status.NOT_CHECKED for grade in grades.grades)
    return ExitCode.NO_VERDICT if unsure else ExitCode.OK
