"""`policylab claims`: each claim of a tutorial, its status, and the row that shows it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness.core.lab.claims import ClaimStatus, Entry, Shown, entries, unclaimed
from harness.edge.cni.known import PROFILES
from harness.edge.files.labs import HOME, load_claims, load_shown
from harness.edge.files.runs import DOCUMENT
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.listing import few
from harness.report.document import SCHEMA_VERSION

RESULTS = "results"
STATUS_WIDTH = 14
COLOURS = {
    ClaimStatus.CONFIRMED: "green",
    ClaimStatus.REFUTED: "red",
    ClaimStatus.CNI_DEPENDENT: "yellow",
    ClaimStatus.NOT_TESTABLE: "dim",
}
SHORT = {
    ClaimStatus.CONFIRMED: "holds",
    ClaimStatus.REFUTED: "refuted",
    ClaimStatus.NOT_TESTABLE: "-",
}
Seen = Mapping[tuple[str, str, str], str]
"""The status of each row in the results, by CNI, tutorial and `PHASE/ROW`."""


@dataclass(frozen=True, slots=True)
class _Show:
    """What to print of a claim: `seen` has the runs' results, `rows` asks for all rows."""

    seen: Seen
    rows: bool


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "claims",
        help="list the claims of the tutorials, and the rows that show whether they are true",
        epilog=f"Exit code: {ExitCode.OK} every row belongs to a claim, {ExitCode.DIFFERS} one "
        f"does not, {ExitCode.USAGE} a ledger or a lab is wrong.",
    )
    parser.add_argument(
        "tutorial", nargs="?", default="", help="list only this tutorial (default: all tutorials)"
    )
    parser.add_argument(
        "--labs",
        type=Path,
        default=HOME,
        metavar="DIR",
        help="the folder of the labs, whose modules are imported (default: those of policylab)",
    )
    parser.add_argument("--rows", action="store_true", help="list every row of each claim")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path(RESULTS),
        metavar="DIR",
        help="the folder with the results of the last runs (default: %(default)s)",
    )
    parser.set_defaults(run=_claims)


def _claims(arguments: argparse.Namespace, _: object) -> ExitCode:
    ledgers = load_claims(arguments.labs)
    if arguments.tutorial and arguments.tutorial not in ledgers:
        raise ContentError(
            f"there is no tutorial named {arguments.tutorial}", seen=f"known: {', '.join(ledgers)}"
        )
    shown = load_shown(arguments.labs)
    found = {
        tutorial: entries(claims, shown.get(tutorial, []), PROFILES)
        for tutorial, claims in ledgers.items()
        if arguments.tutorial in ("", tutorial)
    }
    seen = read_results(arguments.results)
    alone = [
        f"{tutorial}: {row}"
        for tutorial in found
        for row in unclaimed(ledgers[tutorial], shown.get(tutorial, []))
    ]
    code = ExitCode.DIFFERS if alone else ExitCode.OK
    if arguments.json:
        print(json.dumps(as_json(found, seen), indent=2))  # noqa: T201 - the command's output
        return code
    console = Console()
    for tutorial, claims in found.items():
        _print(console, tutorial, claims, _Show(seen, rows=arguments.rows))
    _sum_up(console, found, seen)
    for name in alone:
        console.print(f"no claim has the row {name}", style="bold red", highlight=False)
    return code


def read_results(folder: Path) -> Seen:
    """The statuses of the rows in all runs below a folder; the later run on a CNI wins.

    A run on a variant of a CNI that differs (`CniProfile.variant`) says nothing of the CNI itself.

    Runs of an older policylab are left out, because their rows had other names.

    Raises:
        ContentError: the results of a run cannot be read.
    """
    found: dict[tuple[str, str, str], str] = {}
    documents = [_document(path) for path in folder.glob(f"**/{DOCUMENT}")]
    documents = [found for found in documents if found.get("schema_version") == SCHEMA_VERSION]
    for document in sorted(documents, key=lambda document: str(document["started"])):
        facts = document["environment"]
        cni = str(facts.get("profile") or facts.get("cni") or "").partition(" ")[0]
        for row in document["rows"]:
            key = (cni, row["tutorial"], f"{row['phase']}/{row['id']}")
            if row["status"] != "not_checked" or key not in found:
                found[key] = row["status"]
    return found


def _document(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ContentError(
            "the results of a run cannot be read",
            where=str(path),
            seen=str(error),
            try_="delete this run's folder",
        ) from error
    return found


def answer(entry: Entry, cni: str, seen: Seen) -> str:
    """One cell: what the tables say for a CNI, and whether the last run on it showed the same."""
    if cni not in entry.by_cni:
        return "another CNI's"
    said = SHORT[entry.by_cni[cni]]
    rows = [each for each in entry.shown if each.on(cni)]
    if not rows:
        return said
    got = {seen.get((cni, entry.claim.tutorial, each.name), "") for each in rows}
    if got <= {"pass", "erratum"}:
        return f"{said}, shown"
    return f"{said}: NOT as shown" if "fail" in got else f"{said}, not run"


def as_json(found: Mapping[str, Sequence[Entry]], seen: Seen) -> list[dict[str, object]]:
    """The ledger as plain data."""
    return [
        {
            "tutorial": tutorial,
            "section": entry.claim.section,
            "claim": entry.claim.says,
            "status": str(entry.status),
            "untestable": entry.claim.untestable or None,
            "rows": [each.name for each in entry.shown],
            "errata": _errata(entry.shown),
            "cni": {cni: answer(entry, cni, seen) for cni in PROFILES},
        }
        for tutorial, claims in found.items()
        for entry in claims
    ]


def _errata(shown: Sequence[Shown]) -> list[str]:
    return sorted({each.row.erratum.id for each in shown if each.row.erratum})


def _print(console: Console, tutorial: str, claims: Sequence[Entry], show: _Show) -> None:
    """Print one tutorial, a paragraph for each claim: its texts are too long for a table."""
    console.rule(f"[bold]{tutorial}", align="left")
    for section, entries_of in groupby(claims, key=lambda entry: entry.claim.section):
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=STATUS_WIDTH)
        grid.add_column(ratio=1)
        for entry in entries_of:
            status = f"[{COLOURS[entry.status]}]{entry.status.partition(',')[0]}[/]"
            grid.add_row(status, Group(entry.claim.says, *_details(entry, show)))
        console.print(f"[bold]section {section}", highlight=False)
        console.print(grid, highlight=False)


def _details(entry: Entry, show: _Show) -> list[Text]:
    if not entry.shown:
        return [Text(f"reason: {entry.claim.untestable}", style="dim")]
    names = [each.name for each in entry.shown]
    rows = names if show.rows else [few(names, 1, hint=": --rows")]
    lines = [", ".join(f"{cni}: {answer(entry, cni, show.seen)}" for cni in PROFILES)]
    lines += [f"row {name}" for name in rows]
    lines += [f"erratum {name}" for name in _errata(entry.shown)]
    return [Text(line, style="dim") for line in lines]


def _sum_up(console: Console, found: Mapping[str, Sequence[Entry]], seen: Seen) -> None:
    every = [entry for claims in found.values() for entry in claims]
    counts = [f"{sum(e.status is s for e in every)} {s}" for s in ClaimStatus]
    console.print(f"{len(every)} claims: {', '.join(counts)}.")
    if not seen:
        console.print("There are no results yet; `make labs` shows each claim on a live cluster.")
