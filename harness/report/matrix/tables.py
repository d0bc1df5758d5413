"""A matrix of flows, as tables for the terminal and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from harness.core.outcome import Verdict
from harness.core.policy.reachability import Address, Matrix, Mismatch
from harness.core.probe.cells import Cell, differences, unclear
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.exitcode import ExitCode
from harness.report.matrix.heatmap import ODD, OPEN, REJECTED, SHUT, UNCLEAR, Look, look

STYLES: Mapping[Look, str] = {
    OPEN: "bold blue",
    SHUT: "dim",
    REJECTED: "magenta",
    ODD: "bold red",
    UNCLEAR: "bold yellow",
}
DIFFERS = "reverse"


class Verdicts:
    """An observed matrix, compared with the predicted matrix if there is one."""

    def __init__(self, seen: Matrix[Cell], expected: Matrix[Verdict] | None = None) -> None:
        self.seen = seen
        self.expected = expected
        self.wrong: tuple[Mismatch[str], ...] = differences(expected, seen) if expected else ()
        self.unclear = unclear(seen, expected)

    @property
    def differing(self) -> frozenset[Ask]:
        """The cells that differ."""
        return frozenset(miss.ask for miss in self.wrong)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code; a difference is certain, even if other cells have no verdict."""
        if self.wrong:
            return ExitCode.DIFFERS
        return ExitCode.NO_VERDICT if self.unclear or not len(self.seen) else ExitCode.OK

    def summary(self) -> dict[str, int]:
        """The number of cells of each kind, of differing cells, and of cells without verdict."""
        kinds = Counter(look(cell).word for _, cell in self.seen)
        return {
            "cells": len(self.seen),
            **dict(sorted(kinds.items())),
            "differ": len(self.wrong),
            "without verdict": len(self.unclear),
        }

    def as_json(self, **context: Any) -> dict[str, Any]:
        """The matrix for programs: `context`, the cells and the summary.

        `predicted` is null if there is no predicted matrix. `agrees` is null then too, and also if
        the policies leave the flow open or the cell has no verdict.
        """
        missing = {ask for ask, _ in self.unclear}
        cells = []
        for ask, cell in self.seen:
            predicted = self.expected.cells.get(ask) if self.expected else None
            compared = predicted not in (None, Verdict.UNDEFINED) and ask not in missing
            cells.append(
                {
                    "from": str(ask.source),
                    "to": str(ask.target),
                    "outcome": str(cell.outcome),
                    "verdict": str(cell.verdict) if cell.verdict else None,
                    "ms": cell.ms,
                    "answered_by": cell.peer or None,
                    "problem": cell.problem or None,
                    "predicted": str(predicted) if predicted else None,
                    "agrees": ask not in self.differing if compared else None,
                }
            )
        return {**context, "summary": self.summary(), "cells": cells}


def tables(verdicts: Verdicts) -> Iterable[Table]:
    """One table for each port and protocol: a row for each client, a column for each target.

    Rows and columns have the same numbers, so that sixty pods fit into a terminal.
    """
    seen = verdicts.seen
    names = dict.fromkeys([*map(str, seen.sources), *map(_end, seen.targets)])
    numbers = {name: str(number) for number, name in enumerate(names, 1)}
    for port, protocol in dict.fromkeys((t.port, t.protocol) for t in seen.targets):
        targets = [t for t in seen.targets if (t.port, t.protocol) == (port, protocol)]
        title = f"to port {port}/{protocol}"
        table = Table(title=title, title_justify="left", padding=(0, 0), box=None)
        table.add_column("from \\ to ", no_wrap=True)
        for target in targets:
            table.add_column(numbers[_end(target)], justify="center", min_width=3)
        for source in seen.sources:
            cells = [_cell(verdicts, Ask(source, target)) for target in targets]
            table.add_row(f"{numbers[str(source)]:>3} {source} ", *cells)
        yield table


def legend() -> Text:
    """The meaning of the letters."""
    return Text("   ").join(
        Text(f"{kind.letter} {kind.word}", style) for kind, style in STYLES.items()
    )


def _end(target: Address) -> str:
    """The target without its port."""
    return str(target.pod) if isinstance(target, PodPort) else target.name


def _cell(verdicts: Verdicts, ask: Ask) -> Text:
    cell = verdicts.seen.cells.get(ask)
    if cell is None:
        return Text(" ")
    kind = look(cell)
    style = f"{STYLES[kind]} {DIFFERS}" if ask in verdicts.differing else STYLES[kind]
    return Text(kind.letter, style)
