"""A run in parts: what belongs to which part, when several machines share one run.

A student's part follows from the id and the number of parts alone: the same on every machine, and
another student who hands in late moves nobody to another part. Of what has numbers, such as the
worlds of the fuzz, each part takes its turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from harness.errors import ContentError

MAX_SHARDS = 10_000
_FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of a run in `of` parts; the first is number 1."""

    number: int
    of: int

    def has(self, student: str) -> bool:
        """Whether this part has the student's submission."""
        return shard_of(student, self.of) == self.number

    def takes(self, number: int) -> bool:
        """Whether the thing with this number, from 1 on, is this part's turn."""
        return (number - 1) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def shard_of(student: str, of: int) -> int:
    """The number of the part that has a student's submission, from 1."""
    drawn = sha256(student.encode(errors="replace")).digest()[:8]
    return int.from_bytes(drawn) % of + 1


def parse_shard(text: str) -> Shard:
    """A part as it is written: `2/4` is the second of four.

    Raises:
        ContentError: it is not of this form, or there is no such part.
    """
    found = _FORM.fullmatch(text)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not found or not 1 <= number <= of or of > MAX_SHARDS:
        raise ContentError(
            f"`{text}` is no shard",
            where="--shard",
            seen=f"a part is written NUMBER/OF, from 1/1 to {MAX_SHARDS}/{MAX_SHARDS}",
            try_="for the second of four parts write --shard 2/4; the first one has the number 1",
        )
    return Shard(number, of)


def of_one_run(parts: Mapping[str, Mapping[str, object]]) -> None:
    """Check that the parts agree: each has values by their names in words; keys say where it is.

    Raises:
        ContentError: two parts differ in a value.
    """
    (first_at, first), *rest = parts.items()
    for where, part in rest:
        for words, here in first.items():
            if part.get(words) != here:
                raise ContentError(
                    f"these shards are not of one run: {words} differs",
                    where=f"{first_at} and {where}",
                    seen=f"{here} and {part.get(words)}",
                    try_="run all shards with the same command, but for --shard and --out",
                )


def missing_of(shards: Mapping[str, Shard], *, missing_ok: bool) -> list[int]:
    """The numbers of the parts that are not there; the keys say where each part was read.

    Raises:
        ContentError: the parts are of runs in different numbers of parts, a part is there twice,
            or one is missing; with `missing_ok` it may be.
    """
    of_one_run({where: {"the number of shards": shard.of} for where, shard in shards.items()})
    there: dict[int, str] = {}
    of = next(iter(shards.values())).of
    for where, shard in shards.items():
        if before := there.get(shard.number):
            what = f"shard {shard.number} of {of} is there twice"
            raise ContentError(what, where=f"{before} and {where}")
        there[shard.number] = where
    missing = sorted({*range(1, of + 1)} - there.keys())
    if missing and not missing_ok:
        raise ContentError(
            f"of {of} shards these are missing: {ranges(missing)}",
            seen=", ".join(shards),
            try_="name their folders as well, or add --missing-ok",
        )
    return missing


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in few words: `1, 3 to 5`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if run[1:] else f"{run[0]}" for run in runs)
