"""A matrix of observations: who reaches whom, and where that differs from what the policies say."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Verdict
from harness.core.policy.reachability import Matrix, Mismatch, compare
from harness.core.probe.judge import verdict
from harness.core.target.ask import Ask
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


def differences(expected: Matrix[Verdict], seen: Matrix[Cell]) -> tuple[Mismatch[str], ...]:
    """Where the policies and the cluster differ.

    Not compared: what the policies leave open, and cells without a verdict (`unclear`).
    """
    asks = [
        ask
        for ask, verdict in expected
        if verdict is not Verdict.UNDEFINED and _word(seen.cells.get(ask))
    ]
    said = {ask: str(expected[ask]) for ask in asks}
    shown = {ask: _word(seen[ask]) for ask in asks}
    return compare(
        Matrix(expected.sources, expected.targets, said),
        Matrix(expected.sources, expected.targets, shown),
    )


def unclear(
    seen: Matrix[Cell], expected: Matrix[Verdict] | None = None
) -> tuple[tuple[Ask, Cell], ...]:
    """The cells without a verdict, but for those that the policies leave open anyway.

    An ask of `expected` that was not looked at is unclear as well.
    """
    found = [
        (ask, cell)
        for ask, cell in seen
        if not _word(cell) and not (expected and expected.cells.get(ask) is Verdict.UNDEFINED)
    ]
    if expected:
        missing = Cell(Answer(problem=ProbeError("it was not looked at")))
        found += [
            (ask, missing)
            for ask, verdict in expected
            if verdict is not Verdict.UNDEFINED and ask not in seen.cells
        ]
    return tuple(found)


def _word(cell: Cell | None) -> str:
    """What is compared with a verdict; empty if the cell has none."""
    if cell is None or cell.outcome is Outcome.UNSTABLE:
        return ""
    if cell.outcome in (Outcome.WRONG_PEER, Outcome.ONE_WAY, Outcome.FAMILIES_DIFFER):
        return str(cell.outcome)
    return str(cell.verdict or "")
