"""Everything that a lab may import."""

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
    """A lab's table is wrong; pytest shows only the message, without a traceback."""

    def __init__(self, error: OutcomeTableError) -> None:
        super().__init__(error.what, where=error.where, seen=error.seen, try_=error.try_)
        self.args = (str(self),)  # pytest shows nothing else of a CollectError


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A lab's outcome table; `each_row` makes one test from every row."""

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

    `cni` names the only CNI on which the lab can run, if the lab needs a feature of that CNI.

    Raises:
        LabTableError: the table is wrong; the message names the lab's file and line, and says what
            to try.
    """
    here = inspect.currentframe()
    caller = here.f_back if here else None
    place = _place(table, caller) if caller else None
    try:
        return Outcomes(parse_table(table, source=source, errata=errata, cni=cni, place=place))
    except OutcomeTableError as error:
        raise LabTableError(error) from error


def _place(table: str, caller: FrameType) -> Place:
    """The file and the line at which the table's text begins, in the lab that calls."""
    path = Path(caller.f_code.co_filename)
    source = "".join(linecache.getlines(str(path)))
    before = source.find(table)
    line = source.count("\n", 0, before) + 1 if before >= 0 else caller.f_lineno
    here = Path.cwd()
    return Place(str(path.relative_to(here) if path.is_relative_to(here) else path), line)
