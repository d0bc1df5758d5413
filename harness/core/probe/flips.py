"""What changed between one look at some flows and the next, and for how long it had been so."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.core.policy.reachability import Matrix
from harness.core.probe.cells import Cell
from harness.core.target.ask import Ask


@dataclass(frozen=True, slots=True)
class Flip:
    """A flow that showed another outcome than before: `at` and `held_ms` as of this look.

    `at` is seconds since the watch began; `held_ms` how long the state before had lasted.
    """

    ask: Ask
    at: float
    before: str
    after: str
    held_ms: float

    def __str__(self) -> str:
        return (
            f"{self.at:9.3f} s  {self.ask}: {self.before} -> {self.after} "
            f"(after {self.held_ms:.0f} ms)"
        )


@dataclass(slots=True)
class Track:
    """One flow so far: its state, since when (seconds), its flips, and ms spent in each state."""

    state: str
    since: float
    flips: int = 0
    spent: dict[str, float] = field(default_factory=dict)

    def until(self, at: float) -> dict[str, float]:
        """The ms spent in each state, if the present one lasted until `at`."""
        now = self.spent.get(self.state, 0.0) + (at - self.since) * 1000
        return {**self.spent, self.state: round(now, 1)}


class FlipLog:
    """Takes one look after the other; times are seconds since the watch began."""

    def __init__(self) -> None:
        self.tracks: dict[Ask, Track] = {}

    def note(self, at: float, seen: Matrix[Cell]) -> tuple[Flip, ...]:
        """Take a look that began at `at`; returns what flipped since the one before.

        The look's beginning is the time of a flip: a policy that is seen then was in force by then.
        """
        found = []
        for ask, cell in seen:
            state = str(cell.outcome)
            track = self.tracks.setdefault(ask, Track(state, at))
            if track.state == state:
                continue
            held = (at - track.since) * 1000
            found.append(Flip(ask, at, track.state, state, round(held, 1)))
            track.spent = track.until(at)
            track.state, track.since, track.flips = state, at, track.flips + 1
        return tuple(found)
