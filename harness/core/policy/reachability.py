"""Who reaches whom: the answers to many asks of one state, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.target import ExternalPort, PodPort, PodRef
from harness.core.target.ask import Ask, Flow, end_of, pod_of

Value = TypeVar("Value")
"""A Verdict in a predicted matrix, what was observed in the other."""

Address = PodPort | ExternalPort
"""Where a matrix's asks go: to addresses, for policies know no Services and no names."""


@dataclass(frozen=True, slots=True)
class Matrix(Generic[Value]):
    """A value for each ask: `sources` are the rows, `targets` the columns, in the order given.

    `cells` goes row by row; an ask without a cell was not asked.
    """

    sources: tuple[PodRef, ...]
    targets: tuple[Address, ...]
    cells: Mapping[Ask, Value]

    def __getitem__(self, ask: Ask) -> Value:
        return self.cells[ask]

    def __iter__(self) -> Iterator[tuple[Ask, Value]]:
        return iter(self.cells.items())

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, slots=True)
class Mismatch(Generic[Value]):
    """An ask about which two matrices differ; None where one of them does not have it."""

    ask: Ask
    expected: Value | None
    observed: Value | None

    def __str__(self) -> str:
        words = [
            "nothing" if value is None else str(value) for value in (self.expected, self.observed)
        ]
        return f"{self.ask}: expected {words[0]}, observed {words[1]}"


def asks_of(sources: Iterable[PodRef], targets: Iterable[Address]) -> Iterator[Ask]:
    """Every source to every target, row by row."""
    targets = tuple(targets)
    return (Ask(source, target) for source in sources for target in targets)


def compute(
    oracle: Oracle,
    sources: Iterable[PodRef],
    targets: Iterable[Address],
    *,
    only: Collection[Ask] | None = None,
) -> Matrix[Verdict]:
    """What the policies say of every source and target; with `only`, of these asks.

    Raises:
        ManifestError: an end is not in the oracle's topology.
    """
    own = {source: pod_of(source, oracle.topology) for source in sources}
    ends = {target: end_of(target, oracle.topology) for target in targets}

    def verdict(source: PodRef, target: Address) -> Verdict:
        return oracle.verdict(Flow(own[source], ends[target], target.port, target.protocol))

    asks = asks_of(own, ends) if only is None else only
    cells = {
        ask: verdict(ask.source, ask.target)
        for ask in asks
        if isinstance(ask.target, PodPort | ExternalPort)
    }
    return Matrix(tuple(own), tuple(ends), cells)


def compare(expected: Matrix[Value], observed: Matrix[Value]) -> tuple[Mismatch[Value], ...]:
    """Where two matrices differ, in the order of the first.

    An ask that only one of them has is a mismatch: a cell that is missing never counts as equal.
    """
    asks = dict.fromkeys(ask for matrix in (expected, observed) for ask, _ in matrix)
    return tuple(
        Mismatch(ask, expected.cells.get(ask), observed.cells.get(ask))
        for ask in asks
        if expected.cells.get(ask) != observed.cells.get(ask)
    )
