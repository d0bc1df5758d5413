"""`policylab lint`: faults in policies, each with a flow that shows it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from harness.commands.shared.output import add_quiet
from harness.commands.shared.state import CONTEXT_HELP, resources_of
from harness.core.lint.finding import MEANING, Sure
from harness.core.lint.ignores import ignores_in
from harness.core.lint.linting import Linted, lint
from harness.core.lint.table import RULES
from harness.core.manifests.library import in_force
from harness.core.manifests.reader import File, Loaded, read_files
from harness.core.manifests.text.reading import decoded
from harness.edge.cni.known import PROFILES
from harness.edge.files.library import files_at
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.lint.document import to_json
from harness.report.lint.github import workflow_commands
from harness.report.lint.sarif import to_sarif
from harness.report.lint.text import brief, report


class Form(StrEnum):
    """How the findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "lint",
        help="find faults in policies, each with a flow that shows it",
        description="Looks for faults in network policies. The oracle judges a flow for each.",
        epilog=f"rules:\n{_rules()}\n\na comment in a manifest ignores what a rule finds in its "
        "line or the next one:\n  # policylab: ignore RULE reason\n\n"
        f"exit code: {ExitCode.OK} nothing was found, {ExitCode.DIFFERS} something was found, "
        f"{ExitCode.USAGE} the files cannot be read,\n{ExitCode.NO_VERDICT} nothing was found, but "
        "an object that decides flows was not read",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sources",
        nargs="*",
        type=Path,
        metavar="FILE|DIR|-",
        help="files, folders (of which .yaml, .yml and .json are read), and - for stdin; all are "
        "one state, and of an object that comes twice the last one counts",
    )
    parser.add_argument("--context", default="", metavar="NAME", help=CONTEXT_HELP)
    parser.add_argument(
        "-R", "--recursive", action="store_true", help="also read folders inside of folders"
    )
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        help="of objects that state none; default: the kustomization's, the only one declared, "
        "else `default`",
    )
    parser.add_argument(
        "--sure",
        type=Sure,
        choices=list(Sure),
        default=Sure.LIKELY,
        help=f"the least sure findings that are shown and counted: {_degrees()} "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--format",
        type=Form,
        choices=list(Form),
        default=Form.TEXT,
        help="words, JSON, SARIF 2.1.0, or annotations of GitHub (default: %(default)s)",
    )
    parser.add_argument(
        "--json",
        action="store_const",
        dest="format",
        const=Form.JSON,
        help="the same as --format json",
    )
    add_quiet(parser, "one line for each finding, and nothing else")
    parser.set_defaults(run=_lint)


def _rules() -> str:
    width = max(len(rule.id) for rule in RULES)
    return "\n".join(f"  {rule.id:<{width}}  {rule.meaning}" for rule in RULES)


def _degrees() -> str:
    return "; ".join(f"{degree}: {meaning}" for degree, meaning in MEANING.items())


def _lint(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    linted = _linted(arguments, progress)
    for line in _printed(linted, arguments):
        sys.stdout.write(f"{line}\n")
    return exit_code(linted, arguments.sure)


def _linted(arguments: argparse.Namespace, progress: Progress) -> Linted:
    context = arguments.context
    if bool(context) is bool(arguments.sources):
        raise ContentError(
            "files or --context say what is judged",
            seen="both" if context else "neither",
            try_="policylab lint DIR, or policylab lint --context NAME",
        )
    if not context:
        files = files_at(arguments.sources, deep=arguments.recursive)
        return lint_files(files, namespace=arguments.namespace)
    return lint(resources_of(context, arguments, progress), tuple(PROFILES.values()))


def lint_files(files: list[File], *, namespace: str = "") -> Linted:
    """What lint says of files as people have them.

    Raises:
        ManifestError: a file cannot be read; the message has every fault of all files.
    """
    loaded = read_files(files, namespace=namespace)
    comments = [
        comment for file in files for comment in ignores_in(file.origin, decoded(file.data))
    ]
    found = lint(in_force(loaded, list(loaded)), tuple(PROFILES.values()), comments, loaded)
    return found.noting(*_replaced(loaded))


def _replaced(loaded: Loaded) -> Iterator[str]:
    """The objects that come twice, of which the later one counts."""
    last: dict[tuple[str, str, str], str] = {}
    for resources in loaded.values():
        for resource in resources:
            if resource.key in last:
                yield f"{resource} of {last[resource.key]} is replaced by {resource.origin}"
            last[resource.key] = resource.origin


def exit_code(linted: Linted, sure: Sure) -> ExitCode:
    """A finding is certain to be there, whatever was not read."""
    if linted.at_least(sure):
        return ExitCode.DIFFERS
    return ExitCode.NO_VERDICT if linted.unchecked else ExitCode.OK


def _printed(linted: Linted, arguments: argparse.Namespace) -> Iterator[str]:
    sure = arguments.sure
    match arguments.format:
        case Form.JSON:
            yield json.dumps(to_json(linted, sure), indent=2)
        case Form.SARIF:
            yield json.dumps(to_sarif(linted, sure), indent=2)
        case Form.GITHUB:
            yield from workflow_commands(linted, sure)
        case Form.TEXT if arguments.quiet:
            yield from brief(linted, sure)
        case _:
            yield from _coloured(linted, sure)


def _coloured(linted: Linted, sure: Sure) -> Iterator[str]:
    """The report, with colours if somebody looks at it on a terminal."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for text in report(linted, sure):
        with console.capture() as captured:
            console.print(text, end="")
        yield captured.get()
