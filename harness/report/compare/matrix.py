"""Who may reach whom, as a table of text, as a picture, and for programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from harness.core.compare.naming import ends_words
from harness.core.compare.ports import ports_words
from harness.core.compare.reach import Column, Group, Reach
from harness.core.compare.world import Answer
from harness.core.manifests.basis import Basis
from harness.listing import few
from harness.report.compare.looks import LEGEND, look_of, own_look
from harness.report.compare.members import as_json
from harness.report.matrix.heatmap import Picture, Square
from harness.report.matrix.tables import STYLES

SCHEMA_VERSION = 1
CELL = 4
"""Letters across for a column."""
OWN = "*"
"""It marks a cell where a CNI's own answer is known and is not the API's."""
SHOWN = 12
"""Columns that a list of such cells names; the others are counted."""
ROW = 48
"""Letters across for the name of a row; a longer one has a line of its own."""
CORNER = "from \\ to"
_STYLES = {look.letter: style for look, style in STYLES.items()} | {"~": "bold cyan"}


def column_words(column: Column) -> str:
    """A receiver and its ports."""
    ports = ports_words(column.ports, column.all_ports)
    return f"{ends_words(column.group.ends)}: {ports}"


def matrix_text(reach: Reach, width: int) -> Iterator[Text]:
    """Tables of as many columns as the width holds, the names of the columns, and the legend."""
    askers = [group for group in reach.groups if group.asks]
    names = [ends_words(group.ends) for group in askers]
    across = min(max(map(len, names), default=0), ROW) + 1
    size = max((width - across) // CELL, 1)
    for first in range(0, len(reach.columns), size):
        columns = list(enumerate(reach.columns, 1))[first : first + size]
        head = "".join(f"{number:>{CELL}}" for number, _ in columns)
        yield Text(f"{CORNER:<{across}}{head}", "bold")
        for group, name in zip(askers, names, strict=True):
            cells = [_cell(reach, group, column) for _, column in columns]
            if all(cell.plain.isspace() for cell in cells):
                continue
            long = len(name) >= across
            if long:
                yield Text(name)
            yield Text.assemble(f"{'' if long else name:<{across}}", *cells)
        yield Text("")
    for number, column in enumerate(reach.columns, 1):
        yield Text(f"{number:>{CELL}}  {column_words(column)}")
    yield Text("")
    legend = (Text(f"{look.letter} {look.word}", _STYLES[look.letter]) for look in LEGEND)
    yield Text("   ").join(legend)
    yield from map(Text, own_words(reach))


def _cell(reach: Reach, group: Group, column: Column) -> Text:
    answer = reach.cells.get((group, column))
    if answer is None:
        return Text(" " * CELL)
    letter = look_of(answer.verdict).letter
    mark = OWN if answer.own else ""
    return Text.assemble(" " * (CELL - 1 - len(mark)), (letter, _STYLES[letter]), mark)


def own_words(reach: Reach) -> Iterator[str]:
    """The cells where a CNI's own answer differs from the API's, a line for each kind of answer."""
    alike: dict[Answer, dict[Column, list[Group]]] = defaultdict(lambda: defaultdict(list))
    for (group, column), answer in reach.cells.items():
        if answer.own:
            alike[answer][column].append(group)
    if alike:
        yield f"{OWN} CNIs do not all do what the API says (the table of CNI differences):"
    for answer, columns in alike.items():
        yield f"  {answer_words(answer)}:"
        lines = [
            f"{ends_words([end for group in groups for end in group.ends])} -> "
            f"{column_words(column)}"
            for column, groups in columns.items()
        ]
        yield "    " + few(lines, SHOWN, "\n    ", " (--format json tells all)")


def answer_words(answer: Answer) -> str:
    """The API's answer and those of the CNIs that have another one."""
    own = "".join(f", {name.capitalize()}: {own_look(told)}" for name, told in answer.own)
    return f"the API: {look_of(answer.verdict).word}{own}"


def summary(reach: Reach) -> dict[str, int]:
    """How many cells there are of each verdict."""
    counts = Counter(str(answer.verdict) for answer in reach.cells.values())
    return {"cells": len(reach.cells), **counts}


def summary_words(reach: Reach) -> str:
    """The numbers in one line."""
    counts = Counter(look_of(answer.verdict) for answer in reach.cells.values())
    told = [f"{counts[look]} {look.word}" for look in LEGEND if counts[look]]
    if own := sum(bool(answer.own) for answer in reach.cells.values()):
        told.append(f"of these, {own} have another answer on some CNI")
    return ", ".join(told) or "no flows"


def matrix_picture(reach: Reach) -> Picture:
    """The table as a picture; each square tells its flow in words."""
    askers = [group for group in reach.groups if group.asks]
    rows = [ends_words(group.ends) for group in askers]
    columns = [column_words(column) for column in reach.columns]
    numbers = {group: number for number, group in enumerate(askers)}
    places = {column: number for number, column in enumerate(reach.columns)}
    squares = {}
    for (group, column), answer in reach.cells.items():
        row, place, look = numbers[group], places[column], look_of(answer.verdict)
        words = answer_words(answer) if answer.own else look.word
        told = f"{rows[row]} to {columns[place]}: {words}"
        squares[row, place] = Square(look, told)
    return Picture(rows, columns, squares, LEGEND)


def matrix_document(reach: Reach, origin: str, basis: Basis) -> dict[str, Any]:
    """The table for programs, valid by `templates/matrix.schema.json`."""
    numbers = {group: number for number, group in enumerate(reach.groups)}
    return {
        "schema": SCHEMA_VERSION,
        "origin": origin,
        "observed": False,
        "groups": [
            {"name": ends_words(group.ends), "members": [as_json(end) for end in group.ends]}
            for group in reach.groups
        ],
        "cells": [
            {
                "from": numbers[group],
                "to": numbers[column.group],
                "ports": [str(port) for port in column.ports],
                "verdict": str(answer.verdict),
                "cni_answers": dict(answer.own),
            }
            for (group, column), answer in reach.cells.items()
        ],
        "undeclared_ports_open": reach.undeclared,
        "summary": summary(reach),
        **basis.document(),
    }
