"""`policylab grade merge`: the parts of a course, put together."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.commands.grading.grade import code_of, say_where
from harness.commands.grading.reports import write_reports
from harness.core.compare.sharding import ranges
from harness.edge.grading.shards import merge
from harness.exitcode import ExitCode
from harness.progress import Progress


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb, which has two words."""
    parser = commands.add_parser(
        "grade merge",
        help="put the parts of a course together that `grade --shard` graded",
        description="Puts the parts of a course together. The files are the same as those of a "
        "course that was graded in one piece.",
        epilog=f"Exit code: {ExitCode.OK} every submission was graded, or refused in words; "
        f"{ExitCode.NO_VERDICT} something was not checked, {ExitCode.USAGE} the parts do not "
        "belong together, or some are missing.",
    )
    parser.add_argument(
        "shards", nargs="+", type=Path, metavar="DIR", help="the folder of each part"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder for the grades"
    )
    parser.add_argument(
        "--missing-ok",
        action="store_true",
        help="go on when parts are missing, and mark their students as not checked",
    )
    parser.add_argument(
        "--assignment",
        default="",
        metavar="ASSIGNMENT",
        help="where the assignment is now, if it is not where it was when the parts were graded",
    )
    parser.set_defaults(run=_merge)


def _merge(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    found = merge(
        arguments.shards,
        arguments.out,
        assignment=arguments.assignment,
        missing=arguments.missing_ok,
    )
    if found.missing:
        progress.note(f"these shards are missing: {ranges(found.missing)}")
    if found.lost:
        progress.note(f"{len(found.lost)} students are marked as not checked")
    write_reports(found.course, found.grades)
    say_where(found.grades, arguments.out)
    sys.stdout.write(f"{len(arguments.shards)} shards were put together\n")
    return code_of(found.grades)
