"""Who may reach whom in one state, with equal rows and columns once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.compare.ports import PortClass
from harness.core.compare.world import Answer, ClosedWorld, EndClass, Kind
from harness.core.outcome import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Classes of ends whose rows and columns are equal."""

    ends: tuple[EndClass, ...]

    @property
    def alone(self) -> bool:
        """Whether the group has one member, which has nobody else of the group to talk to."""
        return len(self.ends) == 1 and self.ends[0].alone

    @property
    def asks(self) -> bool:
        """Whether flows begin in the group."""
        return self.ends[0].asks


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A group as a receiver, on ports that fare alike."""

    group: Group
    ports: tuple[PortClass, ...]
    all_ports: tuple[PortClass, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """The table: an answer for each group that asks and each column, where there is such a flow.

    `undeclared` is the number of flows, counted by groups, that pass or may pass to ports that no
    receiver declares, if the table leaves such ports out.
    """

    groups: tuple[Group, ...]
    columns: tuple[Column, ...]
    cells: Mapping[tuple[Group, Column], Answer]
    undeclared: int = 0


def reach_of(world: ClosedWorld, *, every_port: bool = False, state: int = 0) -> Reach:
    """The table of a state. Without `every_port`, a receiver's declared ports, if it has any."""
    askers = [end for end in world.ends if end.asks]
    table = {
        (target, port): tuple(world.answer(state, source, target, port) for source in askers)
        for target in world.ends
        for port in world.ports(target)
    }
    groups = _groups(world, askers, table)
    rows = {end: number for number, end in enumerate(askers)}
    columns: list[Column] = []
    cells: dict[tuple[Group, Column], Answer] = {}
    undeclared = 0
    for group in groups:
        target = group.ends[0]
        every = world.ports(target)
        declared = tuple(port for port in every if port.declared)
        chosen = every if every_port or not declared else declared
        alike: dict[tuple[Answer | None, ...], list[PortClass]] = defaultdict(list)
        for port in chosen:
            alike[table[target, port]].append(port)
        for answers, ports in alike.items():
            column = Column(group, tuple(ports), chosen)
            found = {
                (source, column): answer
                for source in groups
                if source.asks
                and not (source is group and group.alone)
                and (answer := answers[rows[source.ends[0]]]) is not None
            }
            if found:
                columns.append(column)
                cells |= found
        undeclared += sum(
            answer is not None and answer.verdict is not Verdict.DENY
            for port in every
            if port not in chosen
            for source, answer in zip(askers, table[target, port], strict=True)
            if not (source is target and target.alone)
        )
    return Reach(groups, tuple(columns), cells, undeclared)


def _groups(
    world: ClosedWorld,
    askers: Sequence[EndClass],
    table: Mapping[tuple[EndClass, PortClass], tuple[Answer | None, ...]],
) -> tuple[Group, ...]:
    """The classes with equal rows and columns, together; strangers and addresses stay alone."""
    rows = dict(zip(askers, zip(*table.values(), strict=True), strict=True)) if table else {}
    alike: dict[object, list[EndClass]] = defaultdict(list)
    for end in world.ends:
        column = tuple((port, table[end, port]) for port in world.ports(end))
        own = end if end.kind is not Kind.POD else None
        alike[own, rows.get(end), column].append(end)
    return tuple(Group(tuple(ends)) for ends in alike.values())
