"""All that a lab may import."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from harness.core.lab.documented import Erratum, Row, Table, parse_table
from harness.core.lab.layout import Place
from harness.errors import OutcomeTableError

__all__ = ["Erratum", "Outcomes", "documented"]


class LabTableError(OutcomeTableError, pytest.Collector.CollectError):
    """A lab's table is wrong: pytest shows the message alone, without our traceback."""

    def __init__(self, error: OutcomeTableError) -> None:
        super().__init__(error.what, where=error.where, seen=error.seen, try_=error.try_)
        self.args = (str(self),)  # the only thing that pytest shows of a CollectError


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A lab's outcome table; `each_row` makes one test of every row."""

    table: Table

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in the table's order."""
        return self.table.rows

    def each_row(self, test: Callable[..., None]) -> Callable[..., None]:
        """Run the test once for each row, named by the row's id."""
        mark = pytest.mark.parametrize("row", self.rows, ids=[row.id for row in self.rows])
        marked: Callable[..., None] = mark(test)
        return marked


def documented(
    table: str, *, source: str, errata: Sequence[Erratum] = (), cni: str = ""
) -> Outcomes:
    """Read what a tutorial documents; `source` is `TUTORIAL#SECTION`.

    `cni` names the only CNI that the lab is for, if it needs what only that CNI has.

    Raises:
        LabTableError: the table is wrong; the message names the lab's file, the line in it, and the
            cure.
    """
    here = inspect.currentframe()
    caller = here.f_back if here else None
    place = _place(table, caller) if caller else None
    try:
        return Outcomes(parse_table(table, source=source, errata=errata, cni=cni, place=place))
    except OutcomeTableError as error:
        raise LabTableError(error) from error


def _place(table: str, caller: FrameType) -> Place:
    """Where the table's text stands in the file of the lab that calls."""
    path = Path(caller.f_code.co_filename)
    source = "".join(linecache.getlines(str(path)))
    before = source.find(table)
    line = source.count("\n", 0, before) + 1 if before >= 0 else caller.f_lineno
    here = Path.cwd()
    return Place(str(path.relative_to(here) if path.is_relative_to(here) else path), line)
