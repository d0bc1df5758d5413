"""The summary of a run in a terminal of 80 columns or more.

Colours only repeat the meaning of a symbol or a word. If the output is not UTF-8, plain letters
replace the symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from harness.core.lab.record import Status
from harness.report import view

STYLES = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.ERRATUM: "yellow",
    Status.NOT_CHECKED: "magenta",
    Status.NOT_OBSERVED: "cyan",
    Status.NOT_CHECKED_OFFLINE: "magenta",
}
SYMBOLS = {
    Status.PASS: ("✓", "+"),
    Status.FAIL: ("✗", "X"),
    Status.ERRATUM: ("!", "!"),
    Status.NOT_CHECKED: ("?", "?"),
    Status.NOT_OBSERVED: ("○", "o"),
    Status.NOT_CHECKED_OFFLINE: ("?", "?"),
}
ARROW = ("→", "->")
NARROW, WIDE = 12, 16
"""The width of one answer in columns; `dns_nxdomain` is the longest word."""

WIDE_FROM = 100
GAP = 1


def terminal(document: Mapping[str, Any], *, results_dir: str) -> TerminalReport:
    """The summary of a run, for a rich console; its last line names `results_dir`."""
    return TerminalReport(view.clean(document), view.clean(results_dir))


class TerminalReport:
    """A rich renderable; it uses the console's width and encoding when the console prints it."""

    def __init__(self, document: Mapping[str, Any], results_dir: str) -> None:
        self._document = document
        self._results_dir = results_dir

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = _Page(ascii_only=options.ascii_only, width=options.max_width)
        environment = view.environment_line(self._document["environment"])
        if environment:
            yield Text(environment, style="dim")
        for phase in view.phases(self._document["rows"]):
            yield from page.phase(phase)
        yield from page.ending(self._document, self._results_dir)


class _Page:
    """The pieces of the summary for one console."""

    def __init__(self, *, ascii_only: bool, width: int) -> None:
        self._pick = 1 if ascii_only else 0
        self._width = WIDE if width >= WIDE_FROM else NARROW
        self._flow = max(NARROW, width - len(view.COLUMNS) * (self._width + GAP) - 1 - 2 * GAP)

    def phase(self, phase: view.Phase) -> Iterable[RenderableType]:
        yield Text()
        title = Text.assemble((phase.title, "bold"), f"  {phase.tutorial}  ", (phase.counts, "dim"))
        yield Rule(title, align="left", style="dim", characters="-" if self._pick else "─")
        yield self._columns(header=True)
        for step in phase.steps:
            yield Text.assemble(
                "  step ", (step.name, "bold cyan"), (f"  in force: {step.in_force}", "dim")
            )
            table = self._columns(header=False)
            for row in step.rows:
                table.add_row(*self._row(row))
            yield table
        for erratum in phase.errata:
            yield self._erratum(erratum)
        for row in phase.amiss:
            yield self._amiss(row)

    def ending(self, document: Mapping[str, Any], results_dir: str) -> Iterable[RenderableType]:
        rows, summary = document["rows"], document["summary"]
        yield Text()
        yield Rule(style="dim", characters="-" if self._pick else "─")
        grid = _grid()
        used = {row["status"] for row in rows}
        for status in (s for s in Status if s in used):
            word = f"{self._symbol(status)} {view.STATUS_WORDS[status]}"
            grid.add_row(
                Text(word, f"{STYLES[status]} not dim"), Text(view.STATUS_MEANING[status], "dim")
            )
        for word, meaning in view.legend(rows):
            grid.add_row(Text(word, "not dim"), Text(meaning, "dim"))
        yield Padding(grid, (0, 0, 1, 1))
        bad = summary[Status.FAIL] or summary[Status.NOT_CHECKED] or not rows
        style = "bold red" if bad else "bold green"
        yield Text(f"{view.total(document)} {view.verdict(document)}", style)
        yield Text(f"Results: {results_dir}")

    def _columns(self, *, header: bool) -> Table:
        table = Table(box=None, show_header=header, padding=(0, GAP, 0, 0), header_style="bold")
        table.add_column("", width=1)
        table.add_column("flow", width=self._flow, overflow="fold", vertical="bottom")
        for _, words in view.COLUMNS:
            table.add_column(words, width=self._width, overflow="fold")
        return table

    def _row(self, row: Mapping[str, Any]) -> list[RenderableType]:
        status = Status(row["status"])
        flow = Text(row["flow"]["from"])
        flow.append(self._under(ARROW[self._pick], row["flow"]["words"]))
        word, detail = view.answer(row, "observed")
        for text in (word, detail):
            if len(text) > self._width:
                flow.append(self._under("=", text), "dim")
        cells = [self._cell(row, column, status) for column, _ in view.COLUMNS]
        return [Text(self._symbol(status), STYLES[status]), flow, *cells]

    def _under(self, sign: str, text: str) -> str:
        indent = len(sign) + 1
        lines = view.wrap(text, self._flow - indent).replace("\n", "\n" + " " * indent)
        return f"\n{sign} {lines}"

    def _cell(self, row: Mapping[str, Any], column: str, status: Status) -> Text:
        word, detail = view.answer(row, column)
        if len(word) > self._width:  # the text of `shows`: the flow's cell has room for it
            word = row[column]
        cell = Text(word, STYLES[status] if view.stands_out(row, column) else "")
        if detail and len(detail) <= self._width:
            cell.append(f"\n{detail}", "dim")
        return cell

    def _erratum(self, erratum: Mapping[str, str]) -> RenderableType:
        grid = _grid()
        style = STYLES[Status.ERRATUM]
        head = f"{self._symbol(Status.ERRATUM)} erratum"
        grid.add_row(Text(head, f"{style} not dim"), Text(erratum["id"], style))
        grid.add_row("tutorial says", Text(erratum["wrong"]))
        grid.add_row("but", Text(erratum["why"]))
        grid.add_row("corrected", Text(erratum["corrected"]))
        return Padding(grid, (1, 0, 0, 2))

    def _amiss(self, row: Mapping[str, Any]) -> RenderableType:
        status = Status(row["status"])
        grid = _grid()
        head = f"{self._symbol(status)} {view.STATUS_WORDS[status]}"
        flow = f"{row['flow']['from']} {ARROW[self._pick]} {row['flow']['words']}"
        grid.add_row(
            Text(head, f"{STYLES[status]} not dim"), Text(f"{flow}  (step {row['step']})", "bold")
        )
        for label, text in view.explanation(row):
            grid.add_row(label, Text(text))
        return Padding(grid, (1, 0, 0, 2))

    def _symbol(self, status: Status) -> str:
        return SYMBOLS[status][self._pick]


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid
