"""The report of a fuzz that several machines shared, put together from their reports.

A report is plain data, as `policylab fuzz` writes it. What follows from all cases (sums, times) is
worked out anew; nothing is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.compare.sharding import Shard, missing_of, of_one_run
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
    shards = {where: _shard(where, part) for where, part in parts.items()}
    found = sorted(parts.items(), key=lambda part: shards[part[0]].number)
    of_one_run(
        {where: {words: part.get(key) for key, words in _SAME.items()} for where, part in found}
    )
    missing = missing_of({where: shards[where] for where, _ in found}, missing_ok=missing_ok)
    documents = [part for _, part in found]
    return {
        **{key: documents[0][key] for key in ("lane", "key", *_SAME)},
        "shard": None,
        "missing": missing,
        "seconds": max(part["seconds"] for part in documents),
        **{key: sum(part[key] for part in documents) for key in _SUMS},
        **{key: _all(key, documents) for key in _LISTS},
    }


def _all(key: str, documents: Sequence[Document]) -> list[Any]:
    return [each for part in documents for each in part[key]]


def _shard(where: str, part: Document) -> Shard:
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
    return Shard(part["shard"]["number"], part["shard"]["of"])
