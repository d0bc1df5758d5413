"""`policylab assignment check`: what is wrong with an assignment, and what its grader misses."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence

from harness.commands.grading.options import add_assignment, assignment_of
from harness.commands.shared.output import add_format
from harness.core.grading.judge import Predicted
from harness.core.grading.mutation.trial import (
    Found,
    Grader,
    Trial,
    Tried,
    remarks_of,
    spread,
    tally,
)
from harness.core.grading.mutation.variants import Variant
from harness.core.grading.soundness import faults_of
from harness.core.grading.world import world_of
from harness.edge.grading.foreign import PLACE, foreign
from harness.edge.machine.workers import shared
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.grading.trial import BAD, case_text, rules_text, summary_text, trial_document

OURS = "policylab"
EVERY = 2.0
"""Seconds between two messages of progress."""
STOPPED = "What was found until then stands above; nothing is left behind."


def add_check(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "check",
        help="find what is wrong with an assignment, and what a grader misses",
        description="Says what is wrong with an assignment. Then wrong and right variants of its "
        "right solution are made by rule, and a grader is asked about each: ours by prediction, or "
        "any other. A wrong variant that changes no flow does not count.",
        epilog=f"Exit code: {ExitCode.OK} nothing is wrong, every wrong variant was caught and "
        f"every right one accepted; {ExitCode.DIFFERS} not so; {ExitCode.NO_VERDICT} the grader "
        f"gave no answer about a variant; {ExitCode.USAGE} the assignment cannot be read.",
    )
    add_assignment(parser)
    parser.add_argument(
        "--grader",
        default="",
        metavar="COMMAND",
        help=f"a grader of your own instead of ours, with {PLACE} where the folder of a submission "
        "goes; exit code 0 means right, or it prints JSON with score and max_score; no shell "
        "reads the command",
    )
    parser.add_argument(
        "--deadline",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="what your grader has for each variant (default: %(default)g)",
    )
    parser.add_argument(
        "--most",
        type=int,
        default=0,
        metavar="N",
        help="ask about at most N wrong variants, spread over all rules (default: all)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="variants that are asked about at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--all", action="store_true", help="print every variant, also where all is well"
    )
    add_format(parser)
    parser.set_defaults(run=_check, after_interrupt=STOPPED)


def _check(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    if arguments.most < 0:
        raise ContentError("at least one variant must be asked about", where="--most")
    if arguments.jobs < 1:
        raise ContentError("at least one variant is asked about at a time", where="--jobs")
    assignment, profile = assignment_of(arguments)
    grader = foreign(arguments.grader, arguments.deadline) if arguments.grader else None
    world = world_of(assignment)
    say = _say if arguments.format == "text" else _hush
    faults = list(faults_of(world, Predicted(profile)))
    for fault in faults:
        say(fault)
    if faults:
        # Variants of a wrong solution would say nothing of a grader.
        say(f"{assignment.name} contradicts itself, so that no grader was asked about variants.")
        return ExitCode.DIFFERS
    remarks = list(remarks_of(assignment))
    for remark in remarks:
        say(remark)
    trial = Trial(world, profile)
    say(
        f"{assignment.name}: its right solution has all {float(assignment.max_score):g} points, as "
        f"{profile.name} enforces policies."
    )
    chosen = [*trial.right, *spread(trial.wrong, arguments.most or len(trial.wrong))]
    say(f"the grader: {arguments.grader or 'ours, by prediction'}")
    tried: list[Tried] = []
    for one in _tried(trial, chosen, grader, arguments.jobs, progress):
        tried.append(one)
        if arguments.all or one.found in BAD:
            say(case_text(one))
    if arguments.format == "json":
        document = trial_document(assignment.name, arguments.grader or OURS, tried)
        document["remarks"] = remarks
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    for line in (*summary_text(tried), *rules_text(tried)):
        say(line)
    return code_of(tried, remarks)


def _tried(
    trial: Trial,
    chosen: Sequence[Variant],
    grader: Grader | None,
    jobs: int,
    progress: Progress,
) -> Iterator[Tried]:
    """Each variant's answer, with a message of progress now and then."""

    def tried(number: int) -> Tried:
        variant = chosen[number]
        if grader is None:
            return trial.judged(variant, trial.ours(variant))
        if trial.counted(variant):
            return trial.judged(variant, grader(variant))
        return Tried(variant, Found.EQUAL)

    began = shown = time.monotonic()
    for number, one in shared(tried, range(len(chosen)), jobs):
        yield one
        if (now := time.monotonic()) - shown >= EVERY:
            shown = now
            done = number + 1
            left = (now - began) / done * (len(chosen) - done)
            progress.note(f"{done} of {len(chosen)} variants, about {left:.0f} s are left")


def code_of(tried: Sequence[Tried], remarks: Sequence[str] = ()) -> ExitCode:
    """A miss, a false rejection or a remark is a difference; no answer is no verdict."""
    counts = tally(tried)
    if counts[Found.MISSED] or counts[Found.REJECTED] or remarks:
        return ExitCode.DIFFERS
    return ExitCode.NO_VERDICT if counts[Found.UNSURE] else ExitCode.OK


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _hush(line: str) -> None:
    """Say nothing: the document has it all."""
