"""What changes between two states: which flows open, which close, and which are no longer known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.core.compare.bundles import Bundle, bundles
from harness.core.compare.ports import PortClass
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import Answer, EndClass, Kind, State, closed_world
from harness.core.lab.profile import CniProfile
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
    """The verdicts before and after; None where an end is not there. `lists` have these flows.

    `was_own` and `own` are the CNIs' own answers before and after, where they are known and differ
    from the verdict.
    """

    before: Verdict | None
    after: Verdict | None
    lists: tuple[str, ...] = ()
    was_own: tuple[tuple[str, str], ...] = ()
    own: tuple[tuple[str, str], ...] = ()

    @property
    def turn(self) -> Turn:
        """What becomes of the flows."""
        if self.before is self.after or not (_passes(self.before) or _passes(self.after)):
            shut = self.before in _SHUT and self.after in _SHUT and self.was_own == self.own
            return Turn.SHUT if shut else Turn.OTHER
        if self.after in _SHUT:
            return Turn.CLOSES
        return Turn.OPENS if self.before in _SHUT else Turn.OTHER

    @property
    def doubtful(self) -> bool:
        """Whether nobody can say that flows still pass that passed, or perhaps passed, before."""
        if self.turn is not Turn.OTHER or self.before in _SHUT:
            return False
        return self.after is not Verdict.ALLOW or any(told != _ALLOWS for _, told in self.own)


def _fate(was: Answer | None, will: Answer | None, lists: tuple[str, ...]) -> Fate:
    return Fate(
        was.verdict if was else None,
        will.verdict if will else None,
        lists,
        was.own if was else (),
        will.own if will else (),
    )


_SHUT = (None, Verdict.DENY)
_ALLOWS = str(Verdict.ALLOW)


def _passes(verdict: Verdict | None) -> bool:
    return verdict not in (None, Verdict.DENY, Verdict.UNDEFINED)


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of two states.

    `fates` are the flows that do not fare as before, and the listed ones of which nobody can say
    that they pass, in neither state; `gone` and `new` are pods that are in one state only, and
    whose flows are told only where a list has them. `compared` is the number of flows that stand
    for all, and `unknown` how many of them are undefined in both states.
    """

    fates: tuple[Bundle[Fate], ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    compared: int
    unknown: int = 0

    @property
    def equal(self) -> bool:
        """Whether every flow fares the same."""
        return not (self.gone or self.new or any(_changes(f.tag) for f in self.fates))

    def turning(self, turn: Turn) -> tuple[Bundle[Fate], ...]:
        """The bundles of one kind."""
        return tuple(bundle for bundle in self.fates if bundle.tag.turn is turn)

    @property
    def closing(self) -> tuple[Bundle[Fate], ...]:
        """The listed flows that close."""
        return tuple(bundle for bundle in self.turning(Turn.CLOSES) if bundle.tag.lists)

    @property
    def doubtful(self) -> tuple[Bundle[Fate], ...]:
        """The listed flows of which nobody can say that they pass as they did before."""
        return tuple(bundle for bundle in self.fates if bundle.tag.lists and bundle.tag.doubtful)


def _changes(fate: Fate) -> bool:
    return fate.before is not fate.after or fate.was_own != fate.own


def change_of(
    before: State, after: State, lists: Wishes, profiles: Iterable[CniProfile] = ()
) -> Change:
    """Compare two states over the closed world of both.

    `profiles` are the CNIs whose own answers are compared as well.
    """
    old, new = before.topology.pods.keys(), after.topology.pods.keys()
    world = closed_world(
        [before, after],
        networks=lists.networks,
        names=lists.names,
        ports=lists.ports,
        marks=lists.marks(old | new),
        profiles=profiles,
    )
    compared = unknown = 0

    def judge(source: EndClass, target: EndClass, port: PortClass) -> Fate | None:
        nonlocal compared, unknown
        if source.kind is target.kind is Kind.OUTSIDE:
            return None
        compared += 1
        was, will = (world.answer(state, source, target, port) for state in (BEFORE, AFTER))
        if was == will:
            unknown += will is not None and will.verdict is Verdict.UNDEFINED
            if will is None or will.verdict is Verdict.ALLOW or will.verdict is Verdict.SOME:
                return None
        fate = _fate(was, will, lists.of(source, target, port))
        return fate if fate.lists or (was != will and was and will) else None

    fates = bundles(world, judge)
    return Change(fates, tuple(sorted(old - new)), tuple(sorted(new - old)), compared, unknown)
