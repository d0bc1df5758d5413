"""The matrix of a submission as a picture: what is wanted, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.core.grading.model import Got, Want
from harness.core.grading.telling.matrix import Cell, Matrix
from harness.core.grading.telling.plain import plain
from harness.report.matrix.heatmap import OPEN, SHUT, UNCLEAR, Look, Picture, Square

_WANTED: Mapping[Want, Look] = {
    Want.OPEN: Look("must be open", OPEN.letter, OPEN.fill, OPEN.ink),
    Want.CLOSED: Look("must be closed", SHUT.letter, SHUT.fill, SHUT.ink),
    Want.EITHER: Look("open or closed", UNCLEAR.letter, UNCLEAR.fill, UNCLEAR.ink),
}
_RIGHT = {
    Want.OPEN: Look("open, as wanted", OPEN.letter, OPEN.fill, OPEN.ink),
    Want.CLOSED: Look("closed, as wanted", SHUT.letter, SHUT.fill, SHUT.ink),
    Want.EITHER: Look("open or closed", "o", "#ffffff", "#333333"),
}
_WRONG = {
    Got.OPEN: Look("open, must be closed", "!", "#d55e00"),
    Got.CLOSED: Look("closed, must be open", "x", "#f0e442", "#000000"),
    Got.NO_VERDICT: Look("not checked", "?", "#ffffff", "#000000"),
}
LOOKS = (*_RIGHT.values(), *_WRONG.values())


def wanted_picture(matrix: Matrix) -> Picture:
    """What must be open and closed."""
    return _picture(matrix, lambda cell: _WANTED[cell.want], frames=False)


def got_picture(matrix: Matrix) -> Picture:
    """What is as it was wanted, and what is not; what is not has a frame."""
    return _picture(matrix, _look, frames=True)


def _look(cell: Cell) -> Look:
    right = cell.got is None or cell.got.value == cell.want.value
    return _RIGHT[cell.want] if right or cell.got is None else _WRONG[cell.got]


def _picture(matrix: Matrix, look: Callable[[Cell], Look], *, frames: bool) -> Picture:
    rows = {name: number for number, name in enumerate(matrix.senders)}
    columns = {column: number for number, column in enumerate(matrix.columns)}
    squares = {}
    for (sender, column), cell in matrix.cells.items():
        found = look(cell)
        told = f"{plain(sender)} to {plain(column.target)} on {column.protocol} {column.port}"
        framed = frames and found not in _RIGHT.values()
        squares[rows[sender], columns[column]] = Square(found, f"{told}: {found.word}", framed)
    used = {square.look for square in squares.values()}
    legend = [one for one in (*_WANTED.values(), *LOOKS) if one in used]
    return Picture(list(map(plain, rows)), [plain(str(one)) for one in columns], squares, legend)
