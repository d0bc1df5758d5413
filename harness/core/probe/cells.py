"""The cells of an observed matrix: what the sockets of one flow add up to, and what that says.

The diagonal is the control: a pod that connects to its own address stays in its own network
namespace, where no policy acts, so it shows what the server there does with whoever reaches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.core.observation import Attempt
from harness.core.outcome import Outcome, Verdict
from harness.core.policy.reachability import Matrix, Mismatch, compare
from harness.core.probe.attempts import classify
from harness.core.probe.greeting import Reply, reply_of
from harness.errors import ProbeError


@dataclass(frozen=True, slots=True)
class Cell:
    """What one flow showed; `ms` until the first answer. `problem` says why there is no verdict."""

    outcome: Outcome
    ms: float | None = None
    peer: str = ""
    problem: str = ""
    verdict: Verdict | None = None

    def __str__(self) -> str:
        return str(self.outcome)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a flow must be answered: with this nonce, by a server of this name; empty: anyhow.

    `attempts` is how many must have been silent for silence.
    """

    attempts: int
    nonce: str = ""
    peer: str = ""


def cell_of(attempts: Sequence[Attempt], wanted: Wanted, *, heard: bool, where: str) -> Cell:
    """The cell of one flow; `heard`: the listener at its other end got the nonce."""
    try:
        outcome = classify(attempts, wanted=wanted.attempts, where=where)
    except ProbeError as error:
        return Cell(Outcome.UNSTABLE, problem=f"{error.what} ({error.seen})")
    if outcome is Outcome.UNSTABLE:
        phases = ", ".join(attempt.phase for attempt in attempts)
        return Cell(outcome, problem=f"the attempts disagree: {phases}")
    if outcome is Outcome.TIMEOUT:
        return Cell(Outcome.ONE_WAY if heard else outcome)
    ms = min(attempt.ms for attempt in attempts)
    if outcome is not Outcome.CONNECTED:
        return Cell(outcome, ms)
    return _identified(Cell(outcome, ms), [reply_of(a.data) for a in attempts], wanted)


def _identified(cell: Cell, replies: Sequence[Reply], wanted: Wanted) -> Cell:
    named = [reply for reply in replies if reply.name]
    if not named:
        if not wanted.nonce:
            return cell
        problem = "somebody accepted the connection, and nobody said who"
        return replace(cell, outcome=Outcome.UNSTABLE, problem=problem)
    wrong = [r for r in named if (wanted.peer and r.name != wanted.peer) or r.nonce != wanted.nonce]
    if wrong:
        return replace(cell, outcome=Outcome.WRONG_PEER, peer=wrong[0].name)
    return replace(cell, peer=named[0].name)


def judged(cell: Cell, control: Cell) -> Cell:
    """The cell with its verdict, given what the target shows to itself.

    A refusal by a port that refuses its own pod as well was sent by that pod, so the flow reached
    it; one by a port that is open was sent by something between. Silence counts only where the
    target answers itself.
    """
    match cell.outcome, control.outcome:
        case Outcome.CONNECTED, _:
            return replace(cell, verdict=Verdict.ALLOW)
        case ((Outcome.REFUSED | Outcome.RESET), same) if same is cell.outcome:
            return replace(cell, verdict=Verdict.ALLOW)
        case Outcome.REFUSED, Outcome.CONNECTED:
            return replace(cell, verdict=Verdict.DENY)
        case Outcome.TIMEOUT, (Outcome.CONNECTED | Outcome.REFUSED | Outcome.RESET):
            return replace(cell, verdict=Verdict.DENY)
        case Outcome.TIMEOUT, _:
            problem = f"silence, but the target shows itself {control.outcome}: nobody may be there"
            return replace(cell, problem=problem)
    return cell


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
        and not (expected and expected.cells.get((source, target)) == "undefined")
    ]
    if expected:
        missing = Cell(Outcome.UNSTABLE, problem="it was not looked at")
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
