"""`policylab explain`: explains one flow, policies, or one word, without a cluster."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from textwrap import fill, indent

from harness.commands.shared.folder import add_manifests
from harness.commands.shared.output import add_format, add_quiet
from harness.commands.shared.state import CONTEXT_HELP, scenario_given
from harness.core.policy.account import accounts
from harness.core.predict.walk import walk
from harness.core.target import parse_source, parse_target
from harness.edge.cni.known import COLUMNS, PROFILES
from harness.edge.files.labs import has_labs, load_shown
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.walk import accounts_document, accounts_text, walk_document, walk_text
from harness.report.words import entries, entries_of_labs, explain

_PAIR = 2
WIDTH = 96
"""Columns of an explanation; an id or a command that can be copied is never broken."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb; `diagnose` is its former name."""
    parser = commands.add_parser(
        "explain",
        aliases=["diagnose"],
        help="say whether a flow passes and why, what policies say, or what a word means",
        description="With FROM and TO: follows one flow through the lookup of a name, the "
        "translation of a Service, and the policies of both ends; prints a policy that would open "
        "a denied flow. "
        "With a file or a folder: says in words what each policy in it does. With a word of a "
        "lab's table or of a report: says what the word means. A word is an outcome (timeout), a "
        "kind of target (blocked), a fact (fact/policies), a part of a table (really), the id of "
        "an erratum, or the id of a row.",
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="FROM TO | FILE | WORD",
        help="FROM: NAMESPACE/POD or net/ADDRESS. TO: pod/NAMESPACE/POD:PORT[/udp|/sctp], "
        "svc/NAMESPACE/NAME:PORT, name/HOST:PORT, net/ADDRESS:PORT or ping/pod/NAMESPACE/POD. "
        "FILE: a file or folder of manifests",
    )
    add_manifests(parser)
    parser.add_argument("--context", default="", metavar="NAME", help=CONTEXT_HELP)
    add_format(parser)
    add_quiet(parser, "of a flow, the verdict only: one line")
    parser.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    what: list[str] = arguments.what
    given = arguments.manifests is not None or bool(arguments.context)
    if len(what) == 1 and not given and not Path(what[0]).exists():
        return _word(what[0])
    if len(what) == _PAIR and given:
        text = _flow(arguments, progress, *what)
    elif given is not bool(what) and len(what) < _PAIR:
        text = _policies(arguments, progress)
    else:
        raise ContentError(
            "the command line names neither a flow nor a file of policies nor a word",
            seen=" ".join(what) or "nothing",
            try_="policylab explain --manifests DIR FROM TO, policylab explain FILE, or policylab "
            "explain WORD",
        )
    sys.stdout.write(text)
    return ExitCode.OK


def _word(word: str) -> ExitCode:
    labs = load_shown() if has_labs() else {}  # the installed wheel has none
    known = [*entries(COLUMNS), *entries_of_labs(labs)]
    for entry in explain(word, known):
        sys.stdout.write(f"{entry.word}: {entry.what}\n")
        for line in entry.lines:
            text = fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
            sys.stdout.write(indent(f"{text}\n", "  "))
    return ExitCode.OK


def _flow(arguments: argparse.Namespace, progress: Progress, source: str, target: str) -> str:
    found = walk(
        scenario_given(arguments.manifests, arguments.context, arguments, progress),
        parse_source(source, where="FROM"),
        parse_target(target, where="TO"),
        PROFILES.values(),
    )
    if arguments.format == "json":
        return _json(walk_document(found))
    return f"{found.asked}: {found.verdict}\n" if arguments.quiet else walk_text(found)


def _policies(arguments: argparse.Namespace, progress: Progress) -> str:
    manifests = Path(arguments.what[0]) if arguments.what else arguments.manifests
    scenario = scenario_given(manifests, arguments.context, arguments, progress)
    found = accounts(scenario.topology, scenario.policies)
    if arguments.format == "json":
        return _json(accounts_document(found))
    return accounts_text(found) or "there is no policy, so every flow passes\n"


def _json(document: dict[str, object]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
