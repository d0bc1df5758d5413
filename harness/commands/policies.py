"""`policylab diagnose` and `policylab privilege`: policies judged without a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.core.ask import Flow, flow_of
from harness.core.manifests.library import in_force
from harness.core.manifests.wanted import MAX_BYTES, parse_wanted, wanted_in
from harness.core.policy.diagnosis import diagnose
from harness.core.policy.privilege import privilege_of
from harness.core.predict.scenario import Scenario
from harness.core.target import ExternalPort, PodPort, parse_pod, parse_target
from harness.edge.files.library import read
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.advice import diagnosis_text, privilege_text


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both verbs."""
    _diagnose_parser(
        commands.add_parser(
            "diagnose", help="say which policies block a flow, and which policy would open it"
        )
    )
    _privilege_parser(
        commands.add_parser("privilege", help="compare policies with the flows that somebody wants")
    )


def _diagnose_parser(parser: argparse.ArgumentParser) -> None:
    _manifests(parser)
    parser.add_argument("source", metavar="FROM", help="the client: NAMESPACE/POD")
    parser.add_argument(
        "target", metavar="TO", help="the server: pod/NAMESPACE/POD:PORT[/udp] or net/NAME:PORT"
    )
    parser.set_defaults(run=_diagnose)


def _privilege_parser(parser: argparse.ArgumentParser) -> None:
    _manifests(parser)
    parser.add_argument(
        "--wanted",
        type=Path,
        metavar="FILE",
        help="the wanted flows, as a YAML list of {from: NAMESPACE/POD, to: "
        "pod/NAMESPACE/POD:PORT} (default: the ConfigMap `wanted-flows` among the manifests)",
    )
    parser.set_defaults(run=_privilege)


def _manifests(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--manifests",
        type=Path,
        required=True,
        metavar="DIR",
        help="a folder (of which .yaml, .yml and .json are read), a file, or - for stdin",
    )
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        help="of objects that state none; default: the kustomization's, the only one declared, "
        "else `default`",
    )
    parser.add_argument(
        "--apply",
        default="",
        metavar="NAMES",
        help="the files that are in force, without their suffix, separated by commas (default: all "
        "files of DIR)",
    )


def _scenario(arguments: argparse.Namespace) -> Scenario:
    library = read(arguments.manifests, namespace=arguments.namespace)
    names = [name.strip() for name in arguments.apply.split(",") if name.strip()]
    return Scenario(in_force(library, names or sorted(library), where=str(arguments.manifests)))


def _diagnose(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    scenario = _scenario(arguments)
    source = parse_pod(arguments.source, where="FROM")
    target = parse_target(arguments.target, where="TO")
    if not isinstance(target, PodPort | ExternalPort):
        raise ContentError(
            f"`{target}` is not a valid target of a flow: policies see addresses and ports",
            where="TO",
            try_="write pod/NAMESPACE/NAME:PORT[/udp] or net/NAME:PORT[/udp]",
        )
    flow = flow_of(source, target, scenario.topology, where=f"{source} -> {target}")
    found = diagnose(scenario.topology, scenario.policies, flow)
    sys.stdout.write(diagnosis_text(found))
    return ExitCode.OK


def _privilege(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    scenario = _scenario(arguments)
    if arguments.wanted is not None:
        origin, text = str(arguments.wanted), _text(arguments.wanted)
        wanted: Sequence[Flow] | None = parse_wanted(text, scenario.topology, origin=origin)
    else:
        wanted = wanted_in(scenario.audit.resources, scenario.topology)
    if wanted is None:
        raise ContentError(
            "no manifest says which flows are wanted",
            where=str(arguments.manifests),
            try_="name a list of flows: --wanted FILE",
        )
    sys.stdout.write(privilege_text(privilege_of(scenario.topology, scenario.policies, wanted)))
    return ExitCode.OK


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError("the list cannot be read", where=str(file), seen=str(error)) from error
