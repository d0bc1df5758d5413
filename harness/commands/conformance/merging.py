"""The reports of a run's shards as one: `policylab report merge` on folders of conformance."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from harness.commands.conformance.choosing import document_in
from harness.commands.conformance.telling import exit_code, tell
from harness.commands.conformance.writing import REPORT, evidence_of, write
from harness.core.conformance.earlier import Earlier, read_report
from harness.core.conformance.merging import merged
from harness.errors import ContentError
from harness.exitcode import ExitCode


def merge(folders: Iterable[Path], out: Path, *, missing_ok: bool) -> ExitCode:
    """Write the whole report into `out`, and say what it comes to.

    Raises:
        ContentError: a folder has no report of a shard, or the shards do not belong together.
    """
    command = shlex.join(["policylab", *sys.argv[1:]])
    folders = list(folders)
    _check_apart(folders, out)
    parts = {str(folder / REPORT): _part(folder) for folder in folders}
    whole = merged(parts, command=command, missing_ok=missing_ok)
    write(whole.verdicts, whole.facts, out)
    tell(Console(), whole.verdicts, out)
    found = exit_code(whole.verdicts)
    return ExitCode.NO_VERDICT if whole.missing and found is ExitCode.OK else found


def _check_apart(folders: Iterable[Path], out: Path) -> None:
    """The whole report must not take the place of a part."""
    for folder in folders:
        if folder.resolve() == out.resolve():
            raise ContentError(
                "the whole report would take the place of a shard's",
                where=f"--out {out}",
                try_="name a folder that is none of the shards'",
            )


def _part(folder: Path) -> Earlier:
    file = folder / REPORT
    return read_report(
        document_in(file), where=str(file), files=lambda name: evidence_of(name, folder)
    )
