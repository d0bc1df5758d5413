"""The report of a fuzz as plain data, on disk and on the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.core.fuzz.merging import Document
from harness.core.probe.spread import Spread
from harness.exitcode import ExitCode
from harness.listing import few

SHOWN = 10


def code_of(document: Document) -> ExitCode:
    """A finding is certain, even if other cases could not be judged."""
    if document["findings"] or document["late"]:
        return ExitCode.DIFFERS
    lost = document["lost"] or document.get("missing") or not document["agreed"]
    return ExitCode.NO_VERDICT if lost else ExitCode.OK


def write(document: Document, folder: Path) -> list[Path]:
    """Write the report, and a corpus file for each finding; the paths of the corpus files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{document['key']}-seed{document['seed']}"
    for old in folder.glob(f"{name}-*.yaml"):
        old.unlink()
    text = json.dumps({**document, "exit_code": code_of(document).value}, indent=2) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    files = []
    for finding in document["findings"]:
        file = folder / f"{name}-{finding['case']}.yaml"
        file.write_text(finding["corpus"], encoding="utf-8")
        files.append(file)
    return files


def show(console: Console, document: Document, files: Sequence[Path]) -> None:
    """The report for people."""
    whose = f"fuzz: {document['lane']}, seed {document['seed']}"
    if shard := document["shard"]:
        whose += f", shard {shard['number']}/{shard['of']}"
    table = Table(title=whose, title_justify="left")
    for column in ("cases", "policies", "flows", "agree", "left open", "no verdict"):
        table.add_column(column, justify="right")
    table.add_column("differ", justify="right", style="bold red" if document["disagreed"] else "")
    table.add_column("seconds", justify="right")
    keys = ("cases", "policies", "cells", "agreed", "open", "no_verdict", "disagreed")
    table.add_row(*(str(document[key]) for key in keys), f"{document['seconds']:.1f}")
    console.print(table)
    if code_of(document) is ExitCode.OK:
        console.print(f"{document['cni']} does what policylab predicts for all these flows.")
    if times := document["in_force_ms"]:
        console.print(f"The policies of a case were in force after {Spread.of(times)}.")
    late = (_late(each, document["late_seconds"]) for each in document["late"])
    for lines in (late, (f"no verdict: {why}" for why in document["no_verdicts"])):
        if told := few(lines, SHOWN, "\n"):
            console.print(told, highlight=False, markup=False)
    if document["lost"]:
        console.print(f"cases that could not be judged at all: {len(document['lost'])}")
    for file in files:
        console.print(f"counter-example: {file}", highlight=False, markup=False)


def _late(late: Mapping[str, Any], allowed: float) -> str:
    return (
        f"late: {late['case']} was in force after {late['in_force_ms']:.0f} ms; "
        f"{allowed:g} s are allowed"
    )
