"""The command `policylab`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from rich.console import Console

from harness import __version__
from harness.exitcode import ExitCode, table
from harness.program import end_of
from harness.progress import ConsoleProgress

if TYPE_CHECKING:
    from harness.commands.shared.access import Access

VERBS: Mapping[str, str] = {
    "cluster": "machine.cluster",
    "images": "machine.images",
    "doctor": "machine.doctor",
    "claims": "labs.claims",
    "explain": "explain",
    "diagnose": "explain",
    "matrix": "matrix",
    "lint": "lint",
    "dns": "dns",
    "whatif": "whatif",
    "privilege": "privilege",
    "probe": "probe",
    "compare": "compare",
    "watch": "watch",
    "fuzz": "fuzz",
    "conformance": "conformance",
    "report merge": "fuzz",
    "grade": "grading",
    "grade merge": "grading",
    "check": "grading",
    "assignment": "grading",
    "words": "labs.words",
}
"""Each verb, and the module of `harness.commands` that has it; in the order of `--help`.

A module is imported when its verb is chosen: the client of the API and the builders of images,
which some verbs need, take longer to import than the others take to answer.
"""


def main(argv: Sequence[str] | None = None, access: Access | None = None) -> ExitCode:
    """Run the command and return its exit code (`harness.exitcode`).

    `access` is how commands reach clusters and images; None for this machine's own way.
    """
    argv = sys.argv[1:] if argv is None else argv
    if len(argv) > 1 and " ".join(argv[:2]) in VERBS:  # a verb of two words
        argv = [" ".join(argv[:2]), *argv[2:]]
    # Where no verb is chosen, the answer is a list of all of them.
    chosen = argv[:1] if argv and argv[0] in VERBS else VERBS
    arguments = parser_of(chosen).parse_args(argv, argparse.Namespace(access=access))
    progress = ConsoleProgress(Console(stderr=True))
    return end_of(
        "policylab",
        lambda: arguments.run(arguments, progress),
        after_interrupt=getattr(arguments, "after_interrupt", ""),
    )


def parser_of(verbs: Iterable[str]) -> argparse.ArgumentParser:
    """The parser of these verbs."""
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
    for module in dict.fromkeys(VERBS[verb] for verb in verbs):
        import_module(f"harness.commands.{module}").add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
