"""The report of a run that several clusters or CI jobs shared, put together from their reports.

Nothing is judged again: the rows are those of the shards, and what follows from all rows (counts,
profiles, features) is worked out anew by `harness.core.conformance.report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.core.compare.sharding import Shard, missing_of, of_one_run, ranges
from harness.core.conformance.deviations import Verdict
from harness.core.conformance.earlier import Earlier
from harness.core.conformance.report import Facts
from harness.errors import ContentError

_OF_CLUSTER = ("kubernetes", "cni", "cni_version", "dataplane", "kube_proxy", "family", "profile")
"""The parts of the environment in which all clusters must agree."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole run.

    Attributes:
        verdicts: every row, as its shard counted it.
        facts: what the report says of the run.
        missing: the numbers of the shards that are not there, or ended before their last row.
    """

    verdicts: tuple[Verdict, ...]
    facts: Facts
    missing: tuple[int, ...]


def merged(parts: Mapping[str, Earlier], *, command: str, missing_ok: bool = False) -> Whole:
    """The parts as one run; the keys say where each was read.

    The parts ran at the same time, so that the longest time of one is that of the run.

    Raises:
        ContentError: a part is no report of a shard; the parts are not of one run (another CNI,
            cluster, seed or choice of cases); a shard is there twice, missing, or was interrupted.
    """
    shards = {where: _shard(where, part) for where, part in parts.items()}
    found = sorted(parts, key=lambda where: shards[where].number)
    of_one_run({where: _same(parts[where].facts) for where in found})
    missing = missing_of({where: shards[where] for where in found}, missing_ok=missing_ok)
    cut = [where for where in found if parts[where].facts.interrupted]
    if cut and not missing_ok:
        raise ContentError(
            f"shard {shards[cut[0]]} was interrupted before its last row",
            where=cut[0],
            try_="run it again, or add --missing-ok",
        )
    _once(parts)
    gone = tuple(sorted({*missing, *(shards[where].number for where in cut)}))
    return Whole(
        tuple(verdict for where in found for verdict in parts[where].verdicts),
        _facts([parts[where].facts for where in found], command, gone, shards[found[0]].of),
        gone,
    )


def _facts(all_facts: list[Facts], command: str, gone: tuple[int, ...], of: int) -> Facts:
    notes = list(dict.fromkeys(note for facts in all_facts for note in facts.notes))
    if gone:
        lacking = f"Of {of} shards these are missing or were interrupted: {ranges(gone)}."
        notes.insert(0, lacking)
    first = all_facts[0]
    return replace(
        first,
        date=min(facts.date for facts in all_facts),
        seconds=max(facts.seconds for facts in all_facts),
        command=command,
        environment={**first.environment, "shards": str(of)},
        notes=tuple(notes),
        interrupted=bool(gone),
        shard=None,
    )


def _shard(where: str, part: Earlier) -> Shard:
    if part.facts.shard is None:
        raise ContentError(
            "this is not the report of a shard of conformance",
            where=where,
            seen="it is the report of a whole run",
            try_="`policylab conformance --shard 1/3 --out DIR` writes one",
        )
    return part.facts.shard


def _same(facts: Facts) -> dict[str, object]:
    """What all parts must agree about, by its name in words."""
    return {
        "the CNI": facts.implementation.project,
        "the version of the CNI": facts.implementation.version,
        "the version of policylab": facts.policylab,
        **{f"the cluster's {key}": facts.environment.get(key) for key in _OF_CLUSTER},
        **{str(words): value for words, value in sorted(facts.asked.items())},
    }


def _once(parts: Mapping[str, Earlier]) -> None:
    """Check that each row is of one shard.

    Raises:
        ContentError: two shards have it.
    """
    seen: dict[str, str] = {}
    for where, part in parts.items():
        for verdict in part.verdicts:
            name = verdict.row.name
            if before := seen.get(name):
                if before == where:
                    raise ContentError(f"this report has the row {name} twice", where=where)
                what = f"two shards have the row {name}"
                raise ContentError(what, where=f"{before} and {where}")
            seen[name] = where
