"""The command `policylab`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from harness import __version__
from harness.commands import (
    claims,
    cluster,
    dns,
    explain,
    fuzz,
    images,
    matrix,
    policies,
    probe,
    watch,
    whatif,
    words,
)
from harness.commands.access import REAL, Access
from harness.exitcode import ExitCode, table
from harness.program import end_of
from harness.progress import ConsoleProgress


def main(argv: Sequence[str] | None = None, access: Access = REAL) -> ExitCode:
    """Run the command and return its exit code (`harness.exitcode`)."""
    arguments = _parser().parse_args(argv, argparse.Namespace(access=access))
    progress = ConsoleProgress(Console(stderr=True))
    return end_of(
        "policylab",
        lambda: arguments.run(arguments, progress),
        after_interrupt=getattr(arguments, "after_interrupt", ""),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="policylab",
        description="policylab runs tutorials about Kubernetes network policy on live clusters. "
        "Its commands manage these clusters and their images, list the tutorials' claims, and "
        "check your own policies and pods.",
        epilog=f"exit codes of this command and of `pytest labs/`:\n{table()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"policylab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    judging = (explain, matrix, dns, whatif, policies)
    for verb in (cluster, images, claims, *judging, probe, watch, fuzz, words):
        verb.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
