"""The report of a fuzz that several machines shared, put together from their reports.

A report is plain data, as `policylab fuzz` writes it. What follows from all cases (sums, times) is
worked out anew; nothing is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.compare.sharding import ranges
from harness.errors import ContentError

SCHEMA_VERSION = 1

Document = Mapping[str, Any]

_SAME = {
    "schema_version": "the schema version",
    "policylab": "the version of policylab",
    "cni": "the CNI",
    "kubernetes": "the version of Kubernetes",
    "variant": "the variant of the cluster",
    "seed": "the seed",
    "n": "the number of policies to draw",
    "late_seconds": "the time that policies may take",
}
"""What all parts must agree about, in words."""

_SUMS = ("cases", "policies", "agreed", "open", "no_verdict", "disagreed", "cells")
_LISTS = ("in_force_ms", "late", "lost", "no_verdicts", "findings")


def merged(parts: Mapping[str, Document], *, missing_ok: bool = False) -> dict[str, Any]:
    """The parts as one report; the keys say where each part was read.

    `missing` of the result has the numbers of parts that are not there; without `missing_ok` there
    are none. The parts ran at the same time, so that `seconds` is the longest time of one.

    Raises:
        ContentError: the parts are not of one run, or some are there twice or not at all.
    """
    found = sorted(parts.items(), key=lambda part: _shard(*part)["number"])
    (first_at, first), *rest = found
    of = _shard(first_at, first)["of"]
    for where, part in rest:
        for key, words in _SAME.items():
            if part.get(key) != first.get(key):
                raise _apart(words, first_at, where, first.get(key), part.get(key))
        if _shard(where, part)["of"] != of:
            raise _apart("the number of shards", first_at, where, of, _shard(where, part)["of"])
    numbers = [_shard(*part)["number"] for part in found]
    for (one, _), (other, _), number, again in zip(found, rest, numbers, numbers[1:], strict=False):
        if number == again:
            raise ContentError(f"shard {number} of {of} is there twice", where=f"{one} and {other}")
    missing = sorted({*range(1, of + 1)} - {*numbers})
    if missing and not missing_ok:
        raise ContentError(
            f"of {of} shards these are missing: {ranges(missing)}",
            seen=", ".join(parts),
            try_="name their folders as well, or add --missing-ok",
        )
    documents = [part for _, part in found]
    return {
        **{key: first[key] for key in ("lane", "key", *_SAME)},
        "shard": None,
        "missing": missing,
        "seconds": max(part["seconds"] for part in documents),
        **{key: sum(part[key] for part in documents) for key in _SUMS},
        **{key: _all(key, documents) for key in _LISTS},
    }


def _all(key: str, documents: Sequence[Document]) -> list[Any]:
    return [each for part in documents for each in part[key]]


def _shard(where: str, part: Document) -> Mapping[str, int]:
    """Which shard a report is of; the report is a whole one.

    Raises:
        ContentError: it is none.
    """
    shard = part.get("shard")
    keys = {"lane", "key", "seconds", *_SAME, *_SUMS, *_LISTS}
    is_one = isinstance(shard, Mapping) and {"number", "of"} <= shard.keys()
    if not is_one or not keys <= part.keys():
        raise ContentError(
            "this is not the report of a shard",
            where=where,
            try_="`policylab fuzz --shard 1/3 --out DIR` writes one",
        )
    found: Mapping[str, int] = part["shard"]
    return found


def _apart(words: str, one: str, other: str, here: object, there: object) -> ContentError:
    return ContentError(
        f"these shards are not of one run: {words} differs",
        where=f"{one} and {other}",
        seen=f"{here} and {there}",
        try_="run all shards with the same command, but for --shard and --out",
    )
