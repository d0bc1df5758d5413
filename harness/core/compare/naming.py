"""Many ends in few words: `shop/web-1..web-40 (40 pods)`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from harness.core.compare.world import EndClass, Kind

SHOWN = 4
"""Names, or ranges of names, that words have; the others are counted."""
_NUMBERED = re.compile(r"(.*-)(0|[1-9][0-9]{0,5})\Z")


def pods_words(names: Iterable[str], shown: int = SHOWN) -> str:
    """Pods by NAMESPACE/NAME, with consecutive numbers as a range, and how many there are."""
    found = sorted(names)
    told = list(_told(found))
    words = ", ".join(told[:shown])
    if len(told) > shown:
        words += ", ..."
    return words if len(found) == 1 else f"{words} ({len(found)} pods)"


def ends_words(ends: Sequence[EndClass], shown: int = SHOWN) -> str:
    """Classes of ends in words: the pods first, then strangers, then what is outside."""
    pods = [name for end in ends if end.kind is Kind.POD for name in end.names]
    others = [end.names[0] for end in ends if end.kind is not Kind.POD]
    return ", ".join([*([pods_words(pods, shown)] if pods else []), *others])


def _told(names: Iterable[str]) -> Iterator[str]:
    numbered: dict[str, list[int]] = defaultdict(list)
    plain: list[str] = []
    for name in names:
        match = _NUMBERED.match(name)
        if match:
            numbered[match[1]].append(int(match[2]))
        else:
            plain.append(name)
    yield from plain
    for stem, numbers in numbered.items():
        short = stem.rpartition("/")[2]
        for first, last in _runs(sorted(numbers)):
            yield f"{stem}{first}" if first == last else f"{stem}{first}..{short}{last}"


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number > last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
