"""`policylab report merge`: the reports of shards as one, of a fuzz or of conformance."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.commands.conformance.merging import merge
from harness.commands.conformance.writing import REPORT
from harness.commands.fuzz.document import code_of, show, write
from harness.core.fuzz.merging import merged
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb, which has two words."""
    parser = commands.add_parser(
        "report merge",
        help="put the reports of shards together, which `fuzz --shard` or `conformance --shard` "
        "wrote on several clusters",
        epilog=f"Exit code: {ExitCode.OK} the CNI does as predicted, {ExitCode.DIFFERS} it "
        f"differs or is late, {ExitCode.NO_VERDICT} a case or a shard was not judged, "
        f"{ExitCode.USAGE} the shards do not belong together, or some are missing.",
    )
    parser.add_argument(
        "shards", nargs="+", type=Path, metavar="DIR", help="the folder of each shard's report"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder for the whole report"
    )
    parser.add_argument(
        "--missing-ok", action="store_true", help="go on when shards are missing, without a verdict"
    )
    parser.set_defaults(run=_merge)


def _merge(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    if any((folder / REPORT).is_file() for folder in arguments.shards):
        return merge(arguments.shards, arguments.out, missing_ok=arguments.missing_ok)
    document = merged(_read(arguments.shards), missing_ok=arguments.missing_ok)
    files = write(document, arguments.out)
    show(Console(), document, files)
    return code_of(document)


def _read(folders: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The reports in these folders, by their paths.

    Raises:
        ContentError: a folder has no report, or one that cannot be read.
    """
    found: dict[str, dict[str, Any]] = {}
    for folder in folders:
        files = sorted(folder.glob("*.json"))
        if not files:
            raise ContentError(
                "there is no report here",
                where=str(folder),
                try_="name the folder that `fuzz` or `conformance` had as --out with --shard",
            )
        for file in files:
            try:
                document = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise ContentError(
                    "this report cannot be read", where=str(file), seen=str(error)
                ) from error
            if not isinstance(document, dict):
                raise ContentError("this is no report of a fuzz", where=str(file))
            found[str(file)] = document
    return found
