"""Submissions that say the same, or nearly the same. That proves nothing, and costs nothing.

An assignment of this kind has few right answers, so that two students come to the same one alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.core.grading.model import Grade
from harness.core.grading.telling.sketch import MOST

SIMILAR = 0.9
"""The share of statements that two submissions have in common, from which on they are listed."""
COMPARED = 600
"""Different submissions that are compared with each other; of more, equal ones alone are found."""
LISTED = 20
"""Pairs that are listed; the others are counted."""


@dataclass(frozen=True, slots=True)
class Equal:
    """Submissions with the same objects; `to_the_byte`: their files are the same as well."""

    ids: tuple[str, ...]
    to_the_byte: bool


@dataclass(frozen=True, slots=True)
class Near:
    """Two submissions, each with those that are equal to it, and the share they have in common."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Alike:
    """The alike submissions of a course.

    `more` counts the pairs beyond those in `near`; `compared` says whether pairs were looked for.
    """

    equal: tuple[Equal, ...] = ()
    near: tuple[Near, ...] = ()
    more: int = 0
    compared: bool = True


def alike(grades: Iterable[Grade]) -> Alike:
    """The alike submissions among these; what has no files is like nothing.

    Faultless ones come last: their likeness tells least.
    """
    groups: dict[str, list[Grade]] = {}
    for grade in grades:
        if grade.sketch.files:
            groups.setdefault(grade.sketch.objects or grade.sketch.files, []).append(grade)
    ordered = sorted(groups.values(), key=lambda group: _is_faultless(group[0]))
    equal = tuple(_equal(group) for group in ordered if len(group) > 1)
    different = [group for group in ordered if group[0].sketch.parts]
    if len(different) > COMPARED:
        return Alike(equal, compared=False)
    faultless = {group[0].id for group in different if _is_faultless(group[0])}
    pairs = sorted(
        _pairs(different),
        key=lambda near: (
            len(faultless & {near.first[0], near.second[0]}),
            -near.share,
            near.first,
            near.second,
        ),
    )
    return Alike(equal, tuple(islice(pairs, LISTED)), max(len(pairs) - LISTED, 0))


def _equal(group: Sequence[Grade]) -> Equal:
    return Equal(_ids(group), len({grade.sketch.files for grade in group}) == 1)


def _is_faultless(grade: Grade) -> bool:
    return grade.score == grade.max_score


def _ids(group: Sequence[Grade]) -> tuple[str, ...]:
    return tuple(grade.id for grade in group)


def _pairs(groups: Sequence[Sequence[Grade]]) -> Iterator[Near]:
    """Pairs over the threshold. Sizes that are too different cannot be, and are not compared."""
    found = sorted(
        ((frozenset(group[0].sketch.parts), _ids(group)) for group in groups),
        key=lambda one: (len(one[0]), one[1]),
    )
    for number, (parts, ids) in enumerate(found):
        for others, names in islice(found, number + 1, None):
            if len(parts) < SIMILAR * len(others):
                break
            if (share := _share(parts, others)) >= SIMILAR:
                yield Near(min(ids, names), max(ids, names), share)


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    """What two have in common, of all that they have; of samples it is an estimate."""
    both = one & other
    if max(len(one), len(other)) < MOST:
        return len(both) / (len(one) + len(other) - len(both))
    least = sorted(one | other)[:MOST]
    return sum(part in both for part in least) / len(least)
