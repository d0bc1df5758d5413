"""Who reaches whom: all flows of a state at once, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.core.ask import Flow
from harness.core.model import External, Pod, Protocol
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle

Cell = TypeVar("Cell")
"""A Verdict in a predicted matrix, an Outcome in an observed one."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Port:
    """Where a flow goes: an end, and the port and protocol there."""

    end: Pod | External
    port: int
    protocol: Protocol = Protocol.TCP

    def __str__(self) -> str:
        return f"{self.end}:{self.port}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Matrix(Generic[Cell]):
    """A cell for every source and target; rows are sources, in the order given."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cells: Mapping[Key, Cell]

    def __getitem__(self, key: Key) -> Cell:
        return self.cells[key]

    def __iter__(self) -> Iterator[tuple[str, str, Cell]]:
        for source in self.sources:
            for target in self.targets:
                if (source, target) in self.cells:
                    yield source, target, self.cells[source, target]

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, slots=True)
class Mismatch(Generic[Cell]):
    """A flow of which two matrices differ; None where one of them does not have it."""

    source: str
    target: str
    expected: Cell | None
    observed: Cell | None

    def __str__(self) -> str:
        words = [
            "nothing" if cell is None else str(cell) for cell in (self.expected, self.observed)
        ]
        return f"{self.source} -> {self.target}: expected {words[0]}, observed {words[1]}"


def compute(
    oracle: Oracle, sources: Iterable[Pod | External], targets: Iterable[Port]
) -> Matrix[Verdict]:
    """What the policies say of every source and target."""
    sources, targets = tuple(sources), tuple(targets)
    cells = {
        (str(source), str(target)): oracle.verdict(
            Flow(source, target.end, target.port, target.protocol)
        )
        for source in sources
        for target in targets
    }
    return Matrix(tuple(map(str, sources)), tuple(map(str, targets)), cells)


def compare(expected: Matrix[Cell], observed: Matrix[Cell]) -> tuple[Mismatch[Cell], ...]:
    """Where two matrices differ, in the order of the first.

    A flow that only one of them has is a mismatch: what was not looked at never counts as agreed.
    """
    keys = dict.fromkeys(
        (source, target) for matrix in (expected, observed) for source, target, _ in matrix
    )
    return tuple(
        Mismatch(*key, expected.cells.get(key), observed.cells.get(key))
        for key in keys
        if expected.cells.get(key) != observed.cells.get(key)
    )
