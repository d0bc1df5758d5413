"""`policylab grade`: marks for the submissions of a course."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from unicodedata import normalize

from harness.commands.grading.options import SEED_HELP, add_assignment, assignment_of
from harness.commands.grading.reports import SUMMARY, TABLE, write_reports
from harness.commands.shared.options import add_parts, add_patience, add_registry
from harness.core.compare.sharding import Shard, parse_shard, shard_of
from harness.core.grading.judge import Predicted
from harness.core.grading.model import Grades, Mode, Status
from harness.core.grading.soundness import must_be_sound
from harness.core.grading.world import world_of
from harness.edge.grading.course import GRADES, Course
from harness.edge.grading.shards import begin_shard, end_shard
from harness.edge.grading.submissions import HandedIn, handed_in
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
        "rows. How a policy is written is no part of it. Policies are applied to a cluster and "
        "probed there, one submission after the other, unless --predict is given.",
        epilog=f"Exit code: {ExitCode.OK} every submission was graded, or refused in words; "
        f"{ExitCode.NO_VERDICT} something was not checked, {ExitCode.USAGE} the assignment or the "
        "command line is wrong. `policylab grade merge` is a command of its own; an assignment "
        "in a folder `merge` is named ./merge.",
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
        "--context",
        default="",
        metavar="NAME",
        help="grade on your own cluster, which must run the CNI of --cni; NAME is its kubectl "
        "context (default: policylab's cluster with this CNI, which is made if it is not there)",
    )
    add_parts(parser)
    add_registry(parser, ", for a cluster that is made, and for the pods on your own")
    add_patience(parser)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STUDENT",
        help="grade this submission only; may be given several times; with --resume, grades of "
        "others that are kept stay in the results",
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
        help="with --predict, the submissions that are graded at a time; on a cluster they take "
        "turns (default: %(default)s)",
    )
    parser.add_argument(
        "--shard",
        default="",
        metavar="I/N",
        help="grade part I of N parts of the course, the first is 1; `policylab grade merge` puts "
        "the parts together",
    )
    parser.set_defaults(run=_grade, after_interrupt=KEPT)


def _grade(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    assignment, profile = assignment_of(arguments)
    if arguments.jobs < 1:
        raise ContentError("at least one submission is graded at a time", where="--jobs")
    shard = parse_shard(arguments.shard) if arguments.shard else None
    submissions = handed_in(arguments.submissions)
    if not submissions:
        raise ContentError(
            "there is no submission here", where=", ".join(map(str, arguments.submissions))
        )
    mine = [one for one in submissions if shard is None or shard.has(one.id)]
    chosen = _chosen(arguments.only, submissions, shard)
    world = world_of(assignment)
    must_be_sound(world, Predicted(profile))
    mode = Mode.PREDICT if arguments.predict else Mode.LIVE
    course = Course(world, profile, mode, arguments.out, arguments.seed)
    if shard is not None:
        begin_shard(arguments.out)
    others = [one for one in mine if one not in chosen]
    grade = partial(course.grades, chosen, progress, resume=arguments.resume, others=others)
    if arguments.predict or (arguments.resume and not _left(course, chosen)):
        grades = grade(jobs=arguments.jobs)
    else:
        # What runs a cluster takes long to import, and no prediction needs it.
        from harness.commands.grading.cluster import judge_on_cluster

        with judge_on_cluster(arguments, world, profile, progress) as judge:
            grades = grade(judge=judge)
    # The folder of a part travels, and the seed stays with the instructor.
    write_reports(course, grades, seed="" if shard else arguments.seed)
    say_where(grades, arguments.out)
    if shard is not None:
        found = [grade.id for grade in grades.grades]
        students = [one.id for one in submissions]
        end_shard(course, shard, named=arguments.assignment, students=students, graded=found)
        sys.stdout.write(
            f"this is shard {shard.number} of {shard.of}: it has {len(found)} of the "
            f"{len(students)} submissions\n"
        )
    return code_of(grades)


def _left(course: Course, chosen: Sequence[HandedIn]) -> bool:
    """Whether a run that goes on has something to grade."""
    try:
        kept = [course.kept(one) for one in chosen]
    except ValueError:
        return True
    return any(one is None or one.status is Status.NOT_CHECKED for one in kept)


def _chosen(
    only: Sequence[str], submissions: Sequence[HandedIn], shard: Shard | None
) -> list[HandedIn]:
    """The submissions that this run grades, unless they are graded already."""
    known = {one.id for one in submissions}
    only = [normalize("NFC", name) for name in only]
    for name in only:
        if name not in known:
            raise ContentError(
                f"nobody called `{name}` handed anything in",
                where="--only",
                seen=f"submissions: {', '.join(sorted(known))}"[:400],
            )
        if shard is not None and not shard.has(name):
            raise ContentError(
                f"`{name}` is in shard {shard_of(name, shard.of)} of {shard.of}",
                where="--only",
                try_=f"--shard {shard_of(name, shard.of)}/{shard.of}",
            )
    return [
        one
        for one in submissions
        if (shard is None or shard.has(one.id)) and (not only or one.id in only)
    ]


def say_where(grades: Grades, out: Path) -> None:
    """Print a line for each submission, and where the results are."""
    for line in grades_text(grades):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"the grades are in {out / GRADES} and in {TABLE} beside it\n")
    sys.stdout.write(
        f"the page of the course is {out / SUMMARY}; it leads to each student's page\n"
    )


def code_of(grades: Grades) -> ExitCode:
    """Marks that are held back are no verdict; a submission that is refused has its answer."""
    unsure = any(grade.status is Status.NOT_CHECKED for grade in grades.grades)
    return ExitCode.NO_VERDICT if unsure else ExitCode.OK
