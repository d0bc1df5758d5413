"""The nearest label that exists: what a selector that picks nobody was perhaps meant to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from harness.core.model import Labels, Operator, Requirement, Selector
from harness.core.policy.selectors import selects

LEAST = 0.8
"""How alike two words must be (difflib's ratio) to count as one word with a slip."""
NAMING = frozenset(
    {
        "app",
        "app.kubernetes.io/component",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/name",
        "component",
        "k8s-app",
        "name",
        "role",
        "run",
        "service",
        "tier",
    }
)
"""Keys under which people name an application: the same name under another of them is meant."""


@dataclass(frozen=True, slots=True)
class Near:
    """One requirement in the place of another, by which a selector picks somebody who is there."""

    old: Requirement
    new: Requirement
    labels: Labels

    def mended(self, selector: Selector) -> Selector:
        """The selector with the new requirement in the place of the old one."""
        kept = (self.new if one is self.old else one for one in selector.requirements)
        return Selector(tuple(kept))


def nearest_label(selector: Selector, there: Iterable[Labels]) -> Near | None:
    """The nearest labels that lack one requirement only, of those that are there."""
    found: list[tuple[float, Near]] = []
    for labels in there:
        failing = [r for r in selector.requirements if not selects(Selector((r,)), labels)]
        if len(failing) == 1:
            found += _candidates(failing[0], labels)
    return max(found, key=lambda one: one[0])[1] if found else None


def _candidates(old: Requirement, labels: Labels) -> Iterable[tuple[float, Near]]:
    if old.operator not in (Operator.IN, Operator.EXISTS):
        return
    for key, value in sorted(labels.items()):
        for score, new in _likenesses(old, key, value):
            yield score, Near(old, new, labels)


def _likenesses(old: Requirement, key: str, value: str) -> Iterable[tuple[float, Requirement]]:
    new = Requirement(key, Operator.IN, frozenset({value}))
    if old.operator is Operator.EXISTS:
        if slip(old.key, key):
            yield likeness(old.key, key), Requirement(key, Operator.EXISTS)
        return
    if key == old.key:
        for wanted in old.values:
            if slip(wanted, value):
                yield 1 + likeness(wanted, value), new
    elif value in old.values:
        if slip(old.key, key):
            yield 2.0, new
        elif {old.key, key} <= NAMING:
            yield 1.0, new


def likeness(one: str, other: str) -> float:
    """How alike two words are, from 0 to 1; case does not count."""
    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def slip(one: str, other: str) -> bool:
    """Whether one word is probably the other one with a slip of the hand.

    Words that differ in a number, or in their last letter only (team-a and team-b), are two names.
    """
    if one == other or likeness(one, other) < LEAST:
        return False
    if one.lower() == other.lower():
        return True
    differing = [
        one[i1:i2] + other[j1:j2]
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, other).get_opcodes()
        if tag != "equal"
    ]
    if any(character.isdigit() for part in differing for character in part):
        return False
    return not (len(one) == len(other) and one[:-1] == other[:-1])
