"""`policylab compare`: what differs between the results of runs of the labs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from harness.commands.shared.output import add_format, add_quiet, write_output
from harness.core.compare.runs import Comparison, Kind, compare_runs
from harness.edge.cni.known import VARIANTS
from harness.edge.files.results import read_results
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.compare.runs import runs_document, runs_page, runs_summary, runs_text

FEWEST, MOST = 2, 12
"""How many runs one comparison can have; each has a column on the page."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "compare",
        help="say what differs between the results of runs: of CNIs, versions, or dates",
        description="Compares runs of the labs, row by row: the status, the outcome, and the "
        "reason. Where the table of CNI differences explains a difference, the line of that table "
        "is shown. Times are not compared. No cluster is asked.",
        epilog=f"Exit code: {ExitCode.OK} nothing differs, or each difference is explained, "
        f"{ExitCode.DIFFERS} a row differs and nothing explains it, {ExitCode.NO_VERDICT} a run "
        f"did not check a row, or does not have it, {ExitCode.USAGE} the results cannot be read.",
    )
    parser.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="RESULTS",
        help="two or more folders of results, such as results/latest-calico, or their labs.json",
    )
    add_format(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page into this file")
    add_quiet(parser)
    parser.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    paths: list[Path] = arguments.results
    if not FEWEST <= len(paths) <= MOST:
        raise ContentError(
            f"`policylab compare` compares {FEWEST} to {MOST} runs",
            seen=f"{len(paths)} on the command line",
            try_="policylab compare results/latest-calico results/latest-cilium",
        )
    comparison = compare_runs([read_results(path) for path in paths], VARIANTS)
    if arguments.html:
        write_output(arguments.html, runs_page(comparison))
    if arguments.format == "json":
        document = runs_document(comparison)
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    else:
        for line in () if arguments.quiet else runs_text(comparison):
            sys.stdout.write(f"{line}\n")
        sys.stdout.write(f"{runs_summary(comparison)}\n")
    return code_of(comparison)


def code_of(comparison: Comparison) -> ExitCode:
    """What a comparison says; that a row differs is certain, whatever was not checked."""
    if comparison.of(Kind.UNEXPLAINED):
        return ExitCode.DIFFERS
    return ExitCode.NO_VERDICT if comparison.unchecked else ExitCode.OK
