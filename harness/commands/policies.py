"""`policylab privilege`: compares policies with a list of wanted flows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.commands.folder import add_manifests, scenario_of
from harness.core.ask import Flow
from harness.core.manifests.wanted import MAX_BYTES, parse_wanted, wanted_in
from harness.core.policy.privilege import privilege_of
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.advice import privilege_text


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser("privilege", help="compare policies with a list of wanted flows")
    add_manifests(parser)
    parser.add_argument(
        "--wanted",
        type=Path,
        metavar="FILE",
        help="the wanted flows, as a YAML list of {from: NAMESPACE/POD, to: "
        "pod/NAMESPACE/POD:PORT} (default: the ConfigMap `wanted-flows` among the manifests)",
    )
    parser.set_defaults(run=_privilege)


def _privilege(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    scenario = scenario_of(arguments.manifests, arguments)
    if arguments.wanted is not None:
        origin, text = str(arguments.wanted), _text(arguments.wanted)
        wanted: Sequence[Flow] | None = parse_wanted(text, scenario.topology, origin=origin)
    else:
        wanted = wanted_in(scenario.audit.resources, scenario.topology)
    if wanted is None:
        raise ContentError(
            "no manifest says which flows are wanted",
            where=str(arguments.manifests),
            try_="give a list of flows: --wanted FILE",
        )
    sys.stdout.write(privilege_text(privilege_of(scenario.topology, scenario.policies, wanted)))
    return ExitCode.OK


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(
            "the list of wanted flows cannot be read", where=str(file), seen=str(error)
        ) from error
