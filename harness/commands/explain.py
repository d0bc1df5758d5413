"""`policylab explain`: explains one flow, or says policies in words, without a cluster."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from harness.commands.folder import add_manifests, scenario_of
from harness.core.policy.account import accounts
from harness.core.predict.walk import walk
from harness.core.target import parse_source, parse_target
from harness.edge.cni.known import PROFILES
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.walk import accounts_document, accounts_text, walk_document, walk_text

_PAIR = 2


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb; `diagnose` is its former name."""
    parser = commands.add_parser(
        "explain",
        aliases=["diagnose"],
        help="say whether a flow passes and why, or say policies in words",
        description="With FROM and TO: follows one flow through the lookup of a name, the "
        "translation of a Service, and the policies of both ends; prints a policy that would open "
        "a denied flow. With a file or a folder: says in words what each policy in it does.",
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="FROM TO | FILE",
        help="FROM: NAMESPACE/POD or net/ADDRESS. TO: pod/NAMESPACE/POD:PORT[/udp|/sctp], "
        "svc/NAMESPACE/NAME:PORT, name/HOST:PORT, net/ADDRESS:PORT or ping/pod/NAMESPACE/POD. "
        "FILE: a file or folder of manifests",
    )
    add_manifests(parser, required=False)
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="default: %(default)s"
    )
    parser.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    what: list[str] = arguments.what
    if len(what) == _PAIR and arguments.manifests is not None:
        text = _flow(arguments, *what)
    elif len(what) < _PAIR and (what or arguments.manifests is not None):
        text = _policies(arguments, Path(what[0]) if what else arguments.manifests)
    else:
        raise ContentError(
            "the command line names neither a flow nor a file of policies",
            seen=" ".join(what) or "nothing",
            try_="policylab explain --manifests DIR FROM TO, or policylab explain FILE",
        )
    sys.stdout.write(text)
    return ExitCode.OK


def _flow(arguments: argparse.Namespace, source: str, target: str) -> str:
    found = walk(
        scenario_of(arguments.manifests, arguments),
        parse_source(source, where="FROM"),
        parse_target(target, where="TO"),
        PROFILES.values(),
    )
    return _json(walk_document(found)) if arguments.format == "json" else walk_text(found)


def _policies(arguments: argparse.Namespace, manifests: Path) -> str:
    scenario = scenario_of(manifests, arguments)
    found = accounts(scenario.topology, scenario.policies)
    if arguments.format == "json":
        return _json(accounts_document(found))
    return accounts_text(found) or "the manifests contain no policy, so every flow passes\n"


def _json(document: dict[str, object]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
