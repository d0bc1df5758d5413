"""A matrix as a picture: one SVG file that loads no scripts and no fonts.

Each cell has a colour and a letter with the same meaning, and a title with all details, so that the
picture works in black and white and with a screen reader. The colours are Okabe and Ito's set,
which people with any colour vision can distinguish.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from harness.core.outcome import Outcome, Verdict
from harness.core.policy.reachability import Matrix
from harness.core.probe.cells import Cell
from harness.core.target import Target
from harness.core.target.ask import Ask

SIZE, GAP, CHAR, MARGIN, LINE = 22, 1, 6.6, 12, 16
"""Pixels: of a cell, between cells, of a letter's width, of the margin, of a line's height."""

KEY_COLUMN = 190
"""The width of one entry of the legend, in pixels."""


@dataclass(frozen=True, slots=True)
class Look:
    """The look of one kind of cell.

    Attributes:
        word: its name in the legend.
        letter: the letter in the cell.
        fill: the colour of the cell.
        ink: the colour of the letter.
    """

    word: str
    letter: str
    fill: str
    ink: str = "#ffffff"


OPEN = Look("reached", "+", "#0072b2")
SHUT = Look("blocked", "-", "#d9d9d9", "#333333")
REJECTED = Look("rejected", "x", "#999999", "#000000")
ODD = Look("wrong peer or one way", "!", "#d55e00")
UNCLEAR = Look("no verdict", "?", "#f0e442", "#000000")
LOOKS = (OPEN, SHUT, REJECTED, ODD, UNCLEAR)
DIFFERS = "#cc0066"
"""The colour of the frame around a cell that differs from the prediction."""


def look(cell: Cell) -> Look:
    """The look of a cell."""
    if cell.outcome in (Outcome.WRONG_PEER, Outcome.ONE_WAY, Outcome.FAMILIES_DIFFER):
        return ODD
    match cell.verdict:
        case Verdict.ALLOW:
            return OPEN
        case Verdict.DENY:
            return SHUT if cell.outcome is Outcome.TIMEOUT else REJECTED
    return UNCLEAR


def told(ask: Ask, cell: Cell) -> str:
    """A cell in one line of text."""
    ms = "" if cell.ms is None else f" after {cell.ms:.1f} ms"
    peer = f", {cell.peer} answered" if cell.peer else ""
    problem = f": {cell.problem}" if cell.problem else ""
    return (
        f"{ask.source} to {ask.target.words}: {look(cell).word} ({cell.outcome}{ms}{peer}){problem}"
    )


@dataclass(frozen=True, slots=True)
class Square:
    """One cell of a picture: its look, its whole story in a line, and whether it has a frame."""

    look: Look
    told: str
    framed: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A matrix to draw: names of rows and columns, the squares by their numbers, and a legend."""

    rows: Sequence[str]
    columns: Sequence[str]
    squares: Mapping[tuple[int, int], Square]
    legend: Sequence[Look]


def picture_of(matrix: Matrix[Cell], differing: Collection[Ask] = frozenset()) -> Picture:
    """The picture of an observed matrix; cells in `differing` get a frame."""
    rows = {source: number for number, source in enumerate(matrix.sources)}
    columns: dict[Target, int] = {target: number for number, target in enumerate(matrix.targets)}
    return Picture(
        [str(source) for source in matrix.sources],
        [target.words for target in matrix.targets],
        {
            (rows[ask.source], columns[ask.target]): Square(
                look(cell), told(ask, cell), framed=ask in differing
            )
            for ask, cell in matrix
        },
        LOOKS,
    )


def svg(picture: Picture, *, title: str) -> str:
    """The picture as the text of an SVG file."""
    left = MARGIN + max(map(len, picture.rows), default=0) * CHAR + 8
    top = MARGIN + 2 * LINE + max(map(len, picture.columns), default=0) * CHAR
    across = len(picture.columns) * (SIZE + GAP)
    down = len(picture.rows) * (SIZE + GAP)
    words = MARGIN + len(title) * CHAR
    width = max(left + across, words, MARGIN + len(picture.legend) * KEY_COLUMN) + MARGIN
    height = top + down + 3 * LINE + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {_size(width, height)}>',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(MARGIN, MARGIN + LINE / 2, title, "bold"),
    ]
    for number, name in enumerate(picture.rows):
        parts.append(_text(MARGIN, top + number * (SIZE + GAP) + 15, name))
    for number, name in enumerate(picture.columns):
        x = left + number * (SIZE + GAP) + 15
        turned = f' transform="rotate(-90 {x:.1f} {top - 6:.1f})"'
        parts.append(_text(x, top - 6, name, more=turned))
    for (row, column), square in picture.squares.items():
        x, y = left + column * (SIZE + GAP), top + row * (SIZE + GAP)
        parts.append(_square(x, y, square))
    for number, kind in enumerate(picture.legend):
        x, y = MARGIN + number * KEY_COLUMN, top + down + LINE
        parts += [_square(x, y, Square(kind, kind.word)), _text(x + 28, y + 15, kind.word)]
    return "\n".join([*parts, "</svg>\n"])


def _size(width: float, height: float) -> str:
    box = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'{box} font-family="ui-monospace, monospace" font-size="11"'


def _text(x: float, y: float, text: str, weight: str = "normal", *, more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" fill="#222222"{more}>'
        f"{escape(text)}</text>"
    )


def _square(x: float, y: float, square: Square) -> str:
    frame = f' stroke="{DIFFERS}" stroke-width="3"' if square.framed else ""
    kind = square.look
    return (
        f"<g><title>{escape(square.told)}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{SIZE}" height="{SIZE}" fill="{kind.fill}"{frame}/>'
        f'<text x="{x + SIZE / 2:.1f}" y="{y + 15:.1f}" text-anchor="middle" font-weight="bold" '
        f'fill="{kind.ink}">{kind.letter}</text></g>'
    )
