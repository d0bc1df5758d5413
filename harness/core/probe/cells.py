"""A matrix of observations: who reaches whom, and where that differs from what the policies say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.core.ask import Ask
from harness.core.model import External, Pod
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Verdict
from harness.core.policy.reachability import Key, Matrix, Mismatch, Port, compare
from harness.core.probe.judge import verdict
from harness.core.target import ExternalPort, PodPort
from harness.errors import ProbeError


@dataclass(frozen=True, slots=True)
class Cell:
    """One flow of a matrix: a view of what was observed of it, or of why there is no verdict."""

    answer: Answer[Observation]

    def __str__(self) -> str:
        return str(self.outcome)

    @property
    def outcome(self) -> Outcome:
        """What the client saw; UNSTABLE where there is no verdict."""
        seen = self.answer.value
        return seen.reading.outcome if seen else Outcome.UNSTABLE

    @property
    def ms(self) -> float | None:
        """How long the first answer took, in ms; None if there was none."""
        seen = self.answer.value
        return seen.ms if seen else None

    @property
    def peer(self) -> str:
        """The name by which the answer called itself; empty if it gave none."""
        seen = self.answer.value
        return seen.peer if seen else ""

    @property
    def verdict(self) -> Verdict | None:
        """What the policies do with the flow, by what was seen; None if that does not tell."""
        seen = self.answer.value
        return verdict(seen) if seen else None

    @property
    def problem(self) -> str:
        """Why there is no verdict; empty if there is one."""
        error, seen = self.answer.problem, self.answer.value
        if error:
            return f"{error.what} ({error.seen})" if error.seen else error.what
        return "; ".join(seen.notes) if seen and seen.reading.outcome is Outcome.UNSTABLE else ""


def asks_of(
    sources: Sequence[Pod], targets: Sequence[Port], only: Collection[Key] | None = None
) -> dict[Key, Ask]:
    """Every source to every port, by the matrix's keys; with `only`, just those."""
    keys = {
        (str(source), str(target)): (source, target) for source in sources for target in targets
    }
    return {
        key: Ask(source.ref, _target(target))
        for key, (source, target) in keys.items()
        if only is None or key in only
    }


def pod_ports(targets: Iterable[Port]) -> list[PodPort]:
    """The ports that are pods', as an ask names them."""
    return [found for port in targets if isinstance(found := _target(port), PodPort)]


def _target(port: Port) -> PodPort | ExternalPort:
    match port.end:
        case Pod() as pod:
            return PodPort(pod.ref, port.port, port.protocol)
        case External(name):
            return ExternalPort(name, port.port, port.protocol)


def matrix_of(
    sources: Sequence[Pod],
    targets: Sequence[Port],
    asks: Mapping[Key, Ask],
    found: Mapping[Ask, Answer[Observation]],
) -> Matrix[Cell]:
    """What was observed of the asks, as a matrix."""
    cells = {key: Cell(found[ask]) for key, ask in asks.items()}
    return Matrix(tuple(map(str, sources)), tuple(map(str, targets)), cells)


def differences(expected: Matrix[Verdict], seen: Matrix[Cell]) -> tuple[Mismatch[str], ...]:
    """Where the policies and the cluster differ.

    Not compared: what the policies leave open, and cells without a verdict (`unclear`).
    """
    keys = [
        (source, target)
        for source, target, verdict in expected
        if verdict is not Verdict.UNDEFINED and _word(seen.cells.get((source, target)))
    ]
    said = {key: str(expected[key]) for key in keys}
    shown = {key: _word(seen[key]) for key in keys}
    return compare(
        Matrix(expected.sources, expected.targets, said),
        Matrix(expected.sources, expected.targets, shown),
    )


def unclear(
    seen: Matrix[Cell], expected: Matrix[Verdict] | None = None
) -> tuple[tuple[str, str, Cell], ...]:
    """The cells without a verdict, but for those that the policies leave open anyway.

    A flow of `expected` that was not looked at is unclear as well.
    """
    found = [
        (source, target, cell)
        for source, target, cell in seen
        if not _word(cell)
        and not (expected and expected.cells.get((source, target)) is Verdict.UNDEFINED)
    ]
    if expected:
        missing = Cell(Answer(problem=ProbeError("it was not looked at")))
        found += [
            (source, target, missing)
            for source, target, verdict in expected
            if verdict is not Verdict.UNDEFINED and (source, target) not in seen.cells
        ]
    return tuple(found)


def _word(cell: Cell | None) -> str:
    """What is compared with a verdict; empty if the cell has none."""
    if cell is None or cell.outcome is Outcome.UNSTABLE:
        return ""
    if cell.outcome in (Outcome.WRONG_PEER, Outcome.ONE_WAY):
        return str(cell.outcome)
    return str(cell.verdict or "")
