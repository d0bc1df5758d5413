"""All that a lab may import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from harness.core.lab.documented import Erratum, Row, Table, parse_table
from harness.errors import OutcomeTableError

__all__ = ["Erratum", "Outcomes", "documented"]


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

    `cni` names the only CNI that the lab is for, if it needs one's own kinds.

    Raises:
        pytest.Collector.CollectError: the table is wrong; the message names the line and the cure.
    """
    try:
        return Outcomes(parse_table(table, source=source, errata=errata, cni=cni))
    except OutcomeTableError as error:
        # A fault of the lab's text: pytest shows the message alone, without our traceback.
        raise pytest.Collector.CollectError(str(error)) from error
