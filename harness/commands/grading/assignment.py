"""`policylab assignment`: the assignments that there are, and what they ask for."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

from harness.commands.grading.options import (
    ASSIGNMENT_HELP,
    SEED_HELP,
    add_assignment,
    assignment_of,
)
from harness.commands.grading.trial import add_check
from harness.commands.shared.output import write_output
from harness.core.grading.model import Assignment, Row, digits
from harness.core.grading.randomised import key_of, randomised
from harness.core.grading.reading import FILE
from harness.core.grading.telling.matrix import Matrices
from harness.core.grading.world import world_of
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import load_assignment, shipped
from harness.edge.grading.making import new_assignment
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.grading.handout import handout
from harness.report.grading.text import points_text


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "assignment",
        help="list, show, check and hand out the assignments that can be graded",
        description="Lists the assignments that policylab brings, shows their rows, checks them, "
        "and writes what students get.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list the shipped assignments")
    listing.set_defaults(run=_list)
    show = verbs.add_parser("show", help="show an assignment's rows, hidden ones too")
    show.add_argument("assignment", metavar="ASSIGNMENT", help=ASSIGNMENT_HELP)
    show.set_defaults(run=_show)
    new = verbs.add_parser(
        "new",
        help="make an assignment of your own",
        description="Copies an assignment, or proposes one from a folder with workloads and "
        "policies that are a right solution: the flows that these let pass become its rows.",
    )
    new.add_argument("name", type=Path, metavar="NAME", help="the new folder")
    new.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="ASSIGNMENT|FOLDER",
        help="a shipped assignment, an assignment's folder, or a folder of manifests",
    )
    new.set_defaults(run=_new)
    hand = verbs.add_parser(
        "handout",
        help="write what a student gets",
        description="Writes the task, a picture of the wanted flows, the workloads and an empty "
        "place for policies. The solution and the hidden rows are not in it.",
    )
    add_assignment(hand)
    hand.add_argument(
        "--student", default="", metavar="ID", help="who it is for, as the course names them"
    )
    hand.add_argument("--seed", default="", metavar="TEXT", help=SEED_HELP)
    hand.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    hand.set_defaults(run=_handout)
    add_check(verbs)


def _list(arguments: argparse.Namespace, progress: Progress) -> ExitCode:  # noqa: ARG001 - the verbs' signature
    for name in shipped():
        found = load_assignment(name, CNIS)
        sys.stdout.write(f"{name}: {found.title} ({', '.join(found.cnis)})\n")
    return ExitCode.OK


def _show(arguments: argparse.Namespace, progress: Progress) -> ExitCode:  # noqa: ARG001 - the verbs' signature
    found = load_assignment(arguments.assignment, CNIS)
    sys.stdout.write("".join(f"{line}\n" for line in _lines(found)))
    return ExitCode.OK


def _new(arguments: argparse.Namespace, progress: Progress) -> ExitCode:  # noqa: ARG001 - the verbs' signature
    new_assignment(arguments.name, arguments.source)
    found = load_assignment(str(arguments.name), CNIS)
    sys.stdout.write(
        f"{arguments.name} has {len(found.rows)} rows; edit {arguments.name / FILE}, and see what "
        f"it asks for with `policylab assignment show {shlex.quote(str(arguments.name))}`\n"
    )
    return ExitCode.OK


def _handout(arguments: argparse.Namespace, progress: Progress) -> ExitCode:  # noqa: ARG001 - the verbs' signature
    found, _ = assignment_of(arguments)
    check = f"policylab check {shlex.quote(arguments.assignment)}"
    if arguments.seed:
        if not arguments.student:
            raise ContentError(
                "with a seed each student has names of their own",
                where="--seed",
                try_="say whose: --student ID",
            )
        key = key_of(found, normalize("NFC", arguments.student), arguments.seed)
        found = randomised(found, key)
        check += f" --key {key}"
    world = world_of(found)
    files = handout(found, Matrices(world).of(), check=f"{check} policies/")
    if arguments.out.exists() and any(arguments.out.iterdir()):
        raise ContentError(
            "the folder is not empty", where=str(arguments.out), try_="name a new folder"
        )
    for name, text in files.items():
        path = arguments.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_output(path, text)
        sys.stdout.write(f"{path}\n")
    return ExitCode.OK


def _lines(found: Assignment) -> Iterator[str]:
    yield f"{found.name}: {found.title}"
    yield f"CNIs: {', '.join(found.cnis)}"
    yield f"submissions may have: {', '.join(sorted(found.kinds))}"
    yield f"in the namespaces: {', '.join(sorted(found.namespaces))}"
    where = found.default_namespace
    yield (
        f"an object that states no namespace goes to {where}"
        if where
        else "an object that states no namespace is refused"
    )
    for row in found.all_rows:
        yield from _row(row)
    yield f"all points: {points_text(digits(found.max_score))}"


def _row(row: Row) -> Iterator[str]:
    hidden = ", hidden" if row.hidden else ""
    yield f"- {row.id}: {row.want}, {points_text(digits(row.points))} points{hidden}"
    if row.sources:
        yield f"    from {', '.join(row.sources)}"
        yield f"    to   {', '.join(row.targets)}"
    else:
        yield "    every flow that no row above means"
    if row.why:
        yield f"    {row.why}"
