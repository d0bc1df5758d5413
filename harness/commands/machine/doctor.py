"""`policylab doctor`: what this machine lacks to run the labs, and what to do about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console

from harness.commands.shared.access import access_of
from harness.commands.shared.options import add_parts, lane_with
from harness.commands.shared.output import add_format, add_quiet
from harness.edge.cluster.doctor import Wish, examine
from harness.edge.cni.known import CNIS
from harness.edge.files.cache import cache_home
from harness.edge.images import Source
from harness.edge.machine.health.finding import Finding, State
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.doctor import doctor_document, doctor_summary, doctor_table

WIDE = 120
"""Letters across where there is no terminal."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "doctor",
        help="say what this machine lacks to run the labs, and what to do about it",
        description="Looks at Docker's engine, rights, the kernel, disk, memory, limits, ports, "
        "programs, and the support of the versions that a cluster gets. It only reads, and asks no "
        "address. `policylab cluster up` ends with the same words if something is lacking.",
        epilog=f"Exit code: {ExitCode.OK} nothing is lacking, {ExitCode.FAULT} something is, "
        f"{ExitCode.NO_VERDICT} nothing is known to be lacking, but something could not be "
        "checked.",
    )
    parser.add_argument(
        "--cni", default="", choices=CNIS, help="for clusters with this CNI (default: with any)"
    )
    add_parts(parser)
    parser.add_argument(
        "--images",
        default=str(Source.AUTO),
        choices=[str(source) for source in Source],
        help="where the images are to come from; only a build needs root, disk and compilers "
        "(default: %(default)s)",
    )
    add_format(parser)
    add_quiet(parser)
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    access = access_of(arguments)
    cnis = [arguments.cni] if arguments.cni else CNIS
    wish = Wish([lane_with(cni, arguments) for cni in cnis], Source(arguments.images))
    today = datetime.now(tz=UTC).date()
    findings = examine(access.looks, access.docker, wish, cache_home(), today)
    if arguments.format == "json":
        document = doctor_document(findings)
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    else:
        width = None if sys.stdout.isatty() else WIDE
        console = Console(highlight=False, markup=False, width=width)
        if not arguments.quiet:
            console.print(doctor_table(findings))
        console.print(doctor_summary(findings), soft_wrap=True)
    return code_of(findings)


def code_of(findings: Iterable[Finding]) -> ExitCode:
    """What the findings say; that something is lacking is certain, whatever is not known."""
    states = {finding.state for finding in findings}
    if State.LACK in states:
        return ExitCode.FAULT
    return ExitCode.NO_VERDICT if State.UNKNOWN in states else ExitCode.OK
