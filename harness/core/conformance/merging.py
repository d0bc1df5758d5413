"""The report of a run that several clusters or CI jobs shared, put together from their reports.

Nothing is judged again: the rows are those of the shards, and what follows from all rows (counts,
profiles, features) is worked out anew by `harness.core.conformance.report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.compare.sharding import Shard, missing_of, of_one_run, parse_shard, ranges
from harness.core.conformance.deviations import Deviation, Verdict
from harness.core.conformance.report import API_VERSION, Facts, Implementation
from harness.core.conformance.row import row_of_json
from harness.errors import ContentError

Document = Mapping[str, Any]

_OF_CLUSTER = ("kubernetes", "cni", "cni_version", "dataplane", "kube_proxy", "family", "profile")
"""The parts of the environment in which all clusters must agree."""


@dataclass(frozen=True, slots=True)
class Part:
    """The report of one shard.

    Attributes:
        document: its `report.yaml`, as plain data.
        files: what lies beside it for each row, by the row's name and the file's name.
    """

    document: Document
    files: Mapping[str, Mapping[str, str]]


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


def merged(parts: Mapping[str, Part], *, command: str, missing_ok: bool = False) -> Whole:
    """The parts as one run; the keys say where each was read.

    The parts ran at the same time, so that the longest time of one is that of the run.

    Raises:
        ContentError: a part is no report of a shard; the parts are not of one run (another CNI,
            cluster, seed or choice of cases); a shard is there twice, missing, or was interrupted.
    """
    shards = {where: _shard(where, part.document) for where, part in parts.items()}
    found = sorted(parts, key=lambda where: shards[where].number)
    of_one_run({where: _same(parts[where].document) for where in found})
    missing = missing_of({where: shards[where] for where in found}, missing_ok=missing_ok)
    cut = [where for where in found if parts[where].document["policylab"]["interrupted"]]
    if cut and not missing_ok:
        raise ContentError(
            f"shard {shards[cut[0]]} was interrupted before its last row",
            where=cut[0],
            try_="run it again, or add --missing-ok",
        )
    rows = {where: _verdicts(where, parts[where]) for where in found}
    _once(rows)
    gone = tuple(sorted({*missing, *(shards[where].number for where in cut)}))
    documents = [parts[where].document for where in found]
    return Whole(
        tuple(verdict for each in rows.values() for verdict in each),
        _facts(documents, command, gone, shards[found[0]].of),
        gone,
    )


def _facts(documents: list[Document], command: str, gone: tuple[int, ...], of: int) -> Facts:
    ours = [document["policylab"] for document in documents]
    notes = list(dict.fromkeys(str(note) for each in ours for note in each["notes"]))
    if gone:
        lacking = f"Of {of} shards these are missing or were interrupted: {ranges(gone)}."
        notes.insert(0, lacking)
    whose = documents[0]["implementation"]
    return Facts(
        Implementation(
            str(whose["project"]),
            str(whose["version"]),
            str(whose["organization"]),
            str(whose["url"]),
            tuple(map(str, whose["contact"])),
        ),
        min(str(document["date"]) for document in documents),
        max(float(each["seconds"]) for each in ours),
        command,
        str(ours[0]["version"]),
        {**documents[0]["environment"], "shards": str(of)},
        tuple(notes),
        interrupted=bool(gone),
        asked=ours[0]["asked"],
    )


def _shard(where: str, document: Document) -> Shard:
    ours = document.get("policylab")
    shard = ours.get("shard") if isinstance(ours, Mapping) else None
    is_ours = document.get("apiVersion") == API_VERSION
    if not is_ours or not isinstance(shard, Mapping) or not {"number", "of"} <= shard.keys():
        raise ContentError(
            "this is not the report of a shard of conformance",
            where=where,
            seen=f"apiVersion: {document.get('apiVersion')}, shard: {shard}",
            try_="`policylab conformance --shard 1/3 --out DIR` writes one",
        )
    return parse_shard(f"{shard['number']}/{shard['of']}")


def _same(document: Document) -> dict[str, object]:
    """What all parts must agree about, by its name in words."""
    whose, cluster = document.get("implementation", {}), document.get("environment", {})
    ours = document["policylab"]
    return {
        "the CNI": whose.get("project"),
        "the version of the CNI": whose.get("version"),
        "the version of policylab": ours.get("version"),
        **{f"the cluster's {key}": cluster.get(key) for key in _OF_CLUSTER},
        **{str(words): value for words, value in sorted((ours.get("asked") or {}).items())},
    }


def _verdicts(where: str, part: Part) -> list[Verdict]:
    try:
        return [_verdict(row, part) for row in part.document["rows"]]
    except (KeyError, TypeError, ValueError) as error:
        what = "a row of this report cannot be read"
        raise ContentError(what, where=where, seen=repr(error)) from error


def _verdict(row: Mapping[str, Any], part: Part) -> Verdict:
    listed = row["deviation"]
    deviation = listed and Deviation(str(row["name"]), str(listed["reason"]), str(listed["link"]))
    found = row_of_json(row, part.files.get(str(row["name"]), {}))
    return Verdict(found, bool(row["red"]), deviation, str(row["says"]))


def _once(rows: Mapping[str, list[Verdict]]) -> None:
    """Check that each row is of one shard.

    Raises:
        ContentError: two shards have it.
    """
    seen: dict[str, str] = {}
    for where, verdicts in rows.items():
        for verdict in verdicts:
            name = verdict.row.name
            if before := seen.get(name):
                what = f"two shards have the row {name}"
                raise ContentError(what, where=f"{before} and {where}")
            seen[name] = where
