"""`policylab privilege`: policies compared with the flows that somebody wants."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from harness.commands.shared.folder import add_manifests
from harness.commands.shared.lists import FORM, wanted_list
from harness.commands.shared.output import add_format, add_quiet
from harness.commands.shared.state import CONTEXT_HELP, Given, given
from harness.core.compare.surplus import Excess, Surplus, proposal, surplus_of
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import names_of
from harness.core.manifests.basis import Basis
from harness.edge.cni.known import PROFILES
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.compare.privilege import (
    privilege_document,
    privilege_summary,
    privilege_text,
    proposal_text,
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "privilege",
        help="compare policies with the flows that somebody wants",
        description="Finds flows that pass though nobody wants them, wanted flows that do not "
        "pass, and rules that no wanted flow needs: from every pod and from outside, to declared "
        "ports, ports that a rule names, and all others. No packet is sent.",
        epilog=f"Exit code: {ExitCode.OK} exactly the wanted flows pass, {ExitCode.DIFFERS} an "
        f"unwanted flow passes or a wanted flow does not, {ExitCode.NO_VERDICT} nobody can say so "
        f"of all flows, or a CNI does otherwise than the API, {ExitCode.USAGE} the manifests "
        "or the list cannot be read.",
    )
    add_manifests(parser)
    parser.add_argument("--context", default="", metavar="NAME", help=CONTEXT_HELP)
    parser.add_argument(
        "--wanted",
        type=Path,
        metavar="FILE",
        help=f"the wanted flows, as {FORM} (default: the ConfigMap `wanted-flows` among the "
        "objects)",
    )
    parser.add_argument(
        "--propose",
        action="store_true",
        help="print the flows that pass now, as a list for --wanted",
    )
    add_format(parser)
    add_quiet(parser)
    parser.set_defaults(run=_privilege)


def _privilege(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    found = given(arguments.manifests, arguments.context, arguments, progress)
    if arguments.propose:
        sys.stdout.write(proposal_text(proposal(found.state), found.origin))
        return ExitCode.OK
    names = names_of(found.state.policies)
    wanted = wanted_list(arguments.wanted, found.resources, found.state.topology, names)
    if wanted is None:
        raise ContentError(
            "no manifest says which flows are wanted",
            where=found.origin,
            try_="name a list of flows: --wanted FILE; --propose writes one from the policies",
        )
    surplus = surplus_of(found.state, Wishes({"wanted": wanted}), PROFILES.values())
    basis = basis_of(found)
    if arguments.format == "json":
        document = privilege_document(surplus, found.origin, basis)
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    else:
        lines = [privilege_summary(surplus)]
        if not arguments.quiet:
            lines += [*privilege_text(surplus), *basis.lines()]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code_of(surplus)


def code_of(surplus: Surplus) -> ExitCode:
    """An unwanted flow that passes is a difference; so is a wanted flow that does not pass."""
    kinds = {finding.excess for finding in surplus.findings}
    if kinds & {Excess.LET, Excess.OPEN, Excess.MISSING}:
        return ExitCode.DIFFERS
    return ExitCode.NO_VERDICT if kinds else ExitCode.OK


def basis_of(found: Given) -> Basis:
    """What the answer rests on, and what it leaves out."""
    basis = found.basis
    if found.state.assumed:
        basis = basis.noting(f"{', '.join(sorted(found.state.assumed))} only answers here")
    return basis.noting(
        "left out: ICMP, for NetworkPolicy says nothing of it; a pod's talk to itself; nodes"
    )
