"""Wanted against got: flows as a table, as far as a student may see them.

The rows are the pods that students get, who is outside, and pods that nobody deployed whose flows
went wrong. The columns are the ports that shown rows open, and further ports where something went
wrong. What went wrong elsewhere is counted, and the list of flows tells it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from harness.core.compare.ports import PortClass
from harness.core.compare.world import EndClass, Kind
from harness.core.grading.judge import called, home_of
from harness.core.grading.model import FlowResult, Got, Row, Want
from harness.core.grading.world import World
from harness.core.model import Protocol
from harness.core.predict.surroundings import NAME_SERVERS

T = TypeVar("T")
MORE_SENDERS, MORE_PORTS = 12, 8
"""Rows and columns that are there only because something went wrong in them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A receiver, and one of its ports; `rest`: it stands for all ports that nobody names."""

    target: str
    port: int
    protocol: Protocol
    rest: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        port = f"other {self.protocol}" if self.rest else f"{self.protocol} {self.port}"
        return f"{self.target} {port}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A flow: what it must be, and what it is. `got` is None where both answers are right."""

    want: Want
    got: Got | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """The flows of a submission, or of none. A flow of which a student sees nothing has no cell.

    `outside` counts the wrong flows that have no cell.
    """

    senders: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: Mapping[tuple[str, Column], Cell]
    outside: int


class Matrices:
    """The matrices of submissions that meet one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rows = world.rows()
        self._closed = world.closed((), self._rows)
        self._decides = {row.id: row for row in world.assignment.all_rows}
        names = frozenset(self._rows.names)
        self._ends = {called(end, names)[0]: end for end in self._closed.ends}
        self._known = _known(world, self._ends)

    def of(self, flows: Iterable[FlowResult] = ()) -> Matrix:
        """The matrix of a submission with these wrong flows; without any: what is wanted."""
        hidden = {row.id for row in self._decides.values() if row.hidden}
        odd = {(flow.source, _column(flow)): flow for flow in flows if flow.row not in hidden}
        columns = [*self._asked, *self._more_columns(odd)]
        chosen = set(columns)
        seen = [name for name, column in odd if column in chosen]
        senders = [*self._known, *_most(seen, MORE_SENDERS, self._known)]
        cells = {
            (sender, column): cell
            for sender in senders
            for column in columns
            if (cell := self._cell(sender, column, odd.get((sender, column)))) is not None
        }
        # Who sends nothing that counts has no row.
        asked = {sender for sender, _ in cells}
        return Matrix(
            tuple(sender for sender in senders if sender in asked),
            tuple(columns),
            cells,
            len(odd.keys() - cells.keys()),
        )

    @cached_property
    def _asked(self) -> list[Column]:
        """The ports of known receivers that shown rows open."""
        found: dict[Column, None] = {}
        for target in self._known:
            for port in self._closed.ports(self._ends[target]):
                column = Column(target, port.number, port.protocol)
                rows = (self._row(self._ends[source], column) for source in self._known)
                if any(r and r.want is Want.OPEN and not r.hidden and r.targets for r in rows):
                    found[column] = None
        return list(found)

    def _more_columns(self, odd: Iterable[tuple[str, Column]]) -> Iterator[Column]:
        wrong = (column for _, column in odd if column.target in self._known)
        counts: Counter[str] = Counter()
        ranked: list[tuple[int, Column]] = []
        for column in _most(wrong, None, self._asked):
            counts[column.target] += 1
            ranked.append((counts[column.target], column))
        # The worst port of each receiver comes before the second one of any.
        chosen = sorted(ranked, key=lambda one: one[0])[:MORE_PORTS]
        for _, column in sorted(chosen, key=lambda one: self._known.index(one[1].target)):
            yield replace(column, rest=self._port(column).rest)

    def _cell(self, sender: str, column: Column, odd: FlowResult | None) -> Cell | None:
        if odd is not None:
            return Cell(odd.wanted, odd.got)
        end = self._ends.get(sender)
        row = self._row(end, column) if end is not None else None
        if row is None or row.hidden:
            return None
        if row.want is Want.EITHER:
            return Cell(row.want, None)
        return Cell(row.want, Got.OPEN if row.want is Want.OPEN else Got.CLOSED)

    def _row(self, source: EndClass, column: Column) -> Row | None:
        """The row that decides; None: no submission decides about the flow, or there is none."""
        target = self._ends[column.target]
        ours = self.world.assignment.namespaces
        if source is target or not {home_of(source), home_of(target)} & ours:
            return None
        if source.kind is target.kind is Kind.OUTSIDE:
            return None
        ids = self._rows.of(source, target, self._port(column))
        return self._decides[ids[0]] if ids else self.world.assignment.rest

    def _port(self, column: Column) -> PortClass:
        """The port; one that a policy names alone stands for itself."""
        ports = self._closed.ports(self._ends[column.target])
        own = PortClass(column.port, column.protocol, column.port)
        same = (p for p in ports if (p.number, p.protocol) == (column.port, column.protocol))
        return next(same, own)


def _known(world: World, names: Iterable[str]) -> list[str]:
    """The pods that students get, name servers, and names outside: addresses stand for others."""
    servers = world.topology.behind(world.topology.services[NAME_SERVERS])
    pods = {*world.deployed, *map(str, servers)}
    return [
        name
        for name in names
        if name in pods or (name.startswith("net/") and not name[4:5].isdigit())
    ]


def _column(flow: FlowResult) -> Column:
    return Column(flow.target, flow.port, flow.protocol)


def _most(found: Iterable[T], most: int | None, but: Iterable[T]) -> list[T]:
    """The ones that are there most often, but for some; those that came first before equals."""
    without = set(but)
    counts = Counter(one for one in found if one not in without)
    return [one for one, _ in counts.most_common(most)]
