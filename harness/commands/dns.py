"""`policylab dns`: a pod's resolver, its name servers, and its lookups, without a cluster."""

from __future__ import annotations

import argparse
import json
import sys

from harness.commands.shared.folder import add_manifests
from harness.commands.shared.output import add_format, add_quiet
from harness.commands.shared.state import CONTEXT_HELP, scenario_given
from harness.core.outcome import Outcome
from harness.core.predict.lookups import NameLookup, lookups_of
from harness.core.target import parse_pod
from harness.errors import ContentError, OutcomeTableError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.lookups import lookups_document, lookups_summary, lookups_text


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "dns",
        help="say which questions a pod's lookups cost, which names exist, and who is asked",
        description="Works out from manifests, or from a cluster's objects, which resolv.conf a "
        "pod gets, which name server it asks and whether policies let it, and for each NAME the "
        "questions and the answer. Without a NAME it lists the names that exist.",
        epilog=f"Exit code: {ExitCode.OK} every NAME resolves, {ExitCode.DIFFERS} a NAME does not, "
        f"{ExitCode.USAGE} the manifests cannot be read, {ExitCode.FAULT} the cluster does not "
        f"answer, {ExitCode.NO_VERDICT} the answer to a "
        "NAME is not the cluster's, or not decided by the manifests.",
    )
    add_manifests(parser)
    parser.add_argument("--context", default="", metavar="NAME", help=CONTEXT_HELP)
    parser.add_argument("pod", metavar="NAMESPACE/POD", help="the pod that asks")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a name as a program writes it")
    add_format(parser)
    add_quiet(parser, "one line for each NAME")
    parser.set_defaults(run=_dns)


def _dns(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    pod = parse_pod(arguments.pod, where="NAMESPACE/POD")
    scenario = scenario_given(arguments.manifests, arguments.context, arguments, progress)
    try:
        found = lookups_of(scenario, pod, arguments.names)
    except OutcomeTableError as error:
        raise ContentError(error.what, where=error.where, seen=error.seen) from error
    if arguments.format == "json":
        text = json.dumps(lookups_document(found), indent=1, ensure_ascii=False) + "\n"
    else:
        text = lookups_summary(found) if arguments.quiet else lookups_text(found)
    sys.stdout.write(text)
    return _code(found.lookups)


def _code(lookups: tuple[NameLookup, ...]) -> ExitCode:
    readings = [lookup.reading for lookup in lookups]
    if any(reading and reading.outcome is not Outcome.RESOLVED for reading in readings):
        return ExitCode.DIFFERS
    return ExitCode.NO_VERDICT if None in readings else ExitCode.OK
