"""What changes between two states: which flows open, which close, and which are no longer known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.core.compare.bundles import Bundle, bundles
from harness.core.compare.ports import PortClass
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import EndClass, Kind, State, closed_world
from harness.core.outcome import Verdict

BEFORE, AFTER = 0, 1


class Turn(StrEnum):
    """What becomes of flows: they close, open, change in another way, or stay shut.

    Only a change that is certain closes or opens a flow. SHUT is for flows of a list alone: they
    passed neither before nor after.
    """

    CLOSES = "closes"
    OPENS = "opens"
    OTHER = "other"
    SHUT = "shut"


@dataclass(frozen=True, slots=True)
class Fate:
    """The verdicts before and after; None where an end is not there. `lists` have these flows."""

    before: Verdict | None
    after: Verdict | None
    lists: tuple[str, ...] = ()

    @property
    def turn(self) -> Turn:
        """What becomes of the flows."""
        if self.before is self.after or not (_passes(self.before) or _passes(self.after)):
            shut = self.before in _SHUT and self.after in _SHUT
            return Turn.SHUT if shut else Turn.OTHER
        if self.after in _SHUT:
            return Turn.CLOSES
        return Turn.OPENS if self.before in _SHUT else Turn.OTHER


_SHUT = (None, Verdict.DENY)


def _passes(verdict: Verdict | None) -> bool:
    return verdict not in (None, Verdict.DENY, Verdict.UNDEFINED)


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of two states.

    `fates` are the flows that do not fare as before, and the listed ones that pass in neither
    state; `gone` and `new` are pods that are in one state only, and whose flows are told only where
    a list has them. `compared` is the number of flows that stand for all, and `unknown` how many of
    them are undefined in both states.
    """

    fates: tuple[Bundle[Fate], ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    compared: int
    unknown: int = 0

    @property
    def equal(self) -> bool:
        """Whether every flow fares the same."""
        return not (self.gone or self.new or any(f.tag.turn is not Turn.SHUT for f in self.fates))

    def turning(self, turn: Turn) -> tuple[Bundle[Fate], ...]:
        """The bundles of one kind."""
        return tuple(bundle for bundle in self.fates if bundle.tag.turn is turn)

    @property
    def closing(self) -> tuple[Bundle[Fate], ...]:
        """The listed flows that close."""
        return tuple(bundle for bundle in self.turning(Turn.CLOSES) if bundle.tag.lists)

    @property
    def doubtful(self) -> tuple[Bundle[Fate], ...]:
        """The listed flows that passed, and of which nobody can say that they still do so."""
        return tuple(
            bundle
            for bundle in self.turning(Turn.OTHER)
            if bundle.tag.lists and _passes(bundle.tag.before)
        )


def change_of(before: State, after: State, lists: Wishes) -> Change:
    """Compare two states over the closed world of both."""
    old, new = before.topology.pods.keys(), after.topology.pods.keys()
    world = closed_world(
        [before, after],
        networks=lists.networks,
        names=lists.names,
        ports=lists.ports,
        marks=lists.marks(old | new),
    )
    compared = unknown = 0

    def judge(source: EndClass, target: EndClass, port: PortClass) -> Fate | None:
        nonlocal compared, unknown
        if source.kind is target.kind is Kind.OUTSIDE:
            return None
        compared += 1
        was, will = (world.verdict(state, source, target, port) for state in (BEFORE, AFTER))
        unknown += was is will is Verdict.UNDEFINED
        if was is will and will is not Verdict.DENY:
            return None
        fate = Fate(was, will, lists.of(source, target, port))
        if fate.lists:
            return fate
        return fate if was is not will and was is not None and will is not None else None

    fates = bundles(world, judge)
    return Change(fates, tuple(sorted(old - new)), tuple(sorted(new - old)), compared, unknown)
