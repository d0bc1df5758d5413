"""`policylab matrix`: who may reach whom by the policies, of files or of a cluster."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from harness.commands.shared.folder import add_manifests
from harness.commands.shared.output import add_format, add_quiet, write_output
from harness.commands.shared.state import CONTEXT_HELP, Given, given
from harness.core.compare.reach import Reach, reach_of
from harness.core.compare.world import closed_world
from harness.core.manifests.basis import Basis
from harness.edge.cni.known import PROFILES
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.compare.matrix import (
    matrix_document,
    matrix_picture,
    matrix_text,
    summary_words,
)
from harness.report.matrix.heatmap import svg

WIDE = 160
"""Letters across where there is no terminal."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "matrix",
        help="show who may reach whom by the policies, from manifests or a cluster's objects",
        description="Works out from policies alone which pods may reach which; no packet is sent. "
        "Pods with equal rows and columns are one row. `policylab probe` shows what a cluster "
        "does, and `probe --expect` compares both.",
        epilog=f"Exit code: {ExitCode.OK} the matrix was worked out, {ExitCode.USAGE} the "
        f"manifests cannot be read, {ExitCode.FAULT} the cluster does not answer.",
    )
    add_manifests(parser)
    parser.add_argument("--context", default="", metavar="NAME", help=CONTEXT_HELP)
    parser.add_argument(
        "--every-port",
        action="store_true",
        help="also the ports that a pod does not declare (default: only if it declares none)",
    )
    parser.add_argument(
        "--strangers",
        action="store_true",
        help="also a pod that nobody declared, in each namespace and in another namespace",
    )
    add_format(parser)
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the matrix into this file")
    add_quiet(parser)
    parser.set_defaults(run=_matrix)


def _matrix(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    found = given(arguments.manifests, arguments.context, arguments, progress)
    world = closed_world([found.state], strangers=arguments.strangers, profiles=PROFILES.values())
    reach = reach_of(world, every_port=arguments.every_port)
    basis = basis_of(found, reach)
    if arguments.svg:
        title = f"who may reach whom by {found.origin}; no packet was sent"
        write_output(arguments.svg, svg(matrix_picture(reach), title=title))
    if arguments.format == "json":
        document = matrix_document(reach, found.origin, basis)
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    else:
        _show(found, reach, basis, quiet=arguments.quiet)
    return ExitCode.OK


def _show(found: Given, reach: Reach, basis: Basis, *, quiet: bool) -> None:
    console = Console(highlight=False, markup=False)
    if not quiet:
        console.print(f"from {found.origin}; no packet was sent", soft_wrap=True)
        for line in matrix_text(reach, console.width if console.is_terminal else WIDE):
            console.print(line, soft_wrap=True)
        for sentence in basis.lines():
            console.print(sentence, soft_wrap=True)
    console.print(summary_words(reach), soft_wrap=True)


def basis_of(found: Given, reach: Reach) -> Basis:
    """What the table rests on, and what it leaves out."""
    basis = found.basis
    if found.state.assumed:
        basis = basis.noting(f"{', '.join(sorted(found.state.assumed))} only answers here")
    if reach.undeclared:
        basis = basis.noting(
            f"{reach.undeclared} flows to ports that no pod declares are left out, though they "
            "pass, or nobody knows whether they do: --every-port shows them"
        )
    return basis.noting(
        "ICMP is left out, for NetworkPolicy says nothing of it; so is a pod's talk to itself"
    )
