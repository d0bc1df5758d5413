"""`policylab words`: prints the page that explains every word of the labs' tables."""

from __future__ import annotations

import argparse

from harness.edge.cni.known import COLUMNS
from harness.exitcode import ExitCode
from harness.report.words import page


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "words",
        help="explain every word that a table of a lab may use",
        description="Prints the page labs/WORDS.md, which the program generates from its own code.",
    )
    parser.set_defaults(run=_words)


def _words(_: argparse.Namespace, __: object) -> ExitCode:
    print(page(COLUMNS), end="")  # noqa: T201 - the command's output
    return ExitCode.OK
