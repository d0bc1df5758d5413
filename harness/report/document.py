"""A run's records as the document `labs.json`: the one thing that every report is made from.

`templates/labs.schema.json` describes it (JSON Schema 2020-12). Words are those of `Outcome` and
`Status`; an answer that does not exist is null, never an empty word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any

from harness.core.ask import Ask
from harness.core.lab.record import Record, Status
from harness.core.observation import Transcript
from harness.core.outcome import Reading

SCHEMA_VERSION = 2
"""2: a row's `flow.to` is the whole target, with its port; `flow.words` says it to people."""

ENVIRONMENT = ("kubernetes", "kind", "cni", "kernel")
"""What a result means nothing without; null where it could not be found out."""


def to_json(
    records: Iterable[Record],
    environment: Mapping[str, Any],
    *,
    started: str,
    seconds: float,
    command: str,
    gate: Mapping[str, Any] | None = None,
    deselected: int = 0,
    interrupted: bool = False,
    changes: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The document of one run; equal records give equal documents, whatever order they came in.

    `started` is ISO 8601, `seconds` the whole run's duration, `command` what was typed, `gate` what
    the proof of enforcement before the labs showed, `deselected` the number of rows left out,
    `changes` how fast changes of policies came into force (`harness.core.probe.latency.Change`).
    """
    ordered = in_order(records)
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": {**dict.fromkeys(ENVIRONMENT), **plain(environment)},
        "started": started,
        "seconds": round(seconds, 3),
        "command": plain(command),
        "gate": plain(gate),
        "deselected": deselected,
        "interrupted": interrupted,
        "rows": [row_json(record) for record in ordered],
        "changes": [plain(change) for change in changes],
        "summary": summary(ordered),
    }


def in_order(records: Iterable[Record]) -> list[Record]:
    """Records as their labs tell them: by the order of the run, then by name."""
    return sorted(records, key=lambda r: (r.order, r.tutorial, r.phase, r.row.id))


def summary(records: Iterable[Record]) -> dict[str, int]:
    """How many rows ended in each status; a status that no row has is 0."""
    counts = Counter(record.status for record in records)
    return {status.value: counts[status] for status in Status}


def exit_ok(records: Sequence[Record]) -> bool:
    """Whether every row was checked and none failed. A run without rows checked nothing: False."""
    good = (Status.PASS, Status.ERRATUM)
    return bool(records) and all(record.status in good for record in records)


def row_json(record: Record) -> dict[str, Any]:
    """One row of the document."""
    found: dict[str, Any] = plain(_row(record))
    return found


def _row(record: Record) -> dict[str, Any]:
    row, seen = record.row, record.observation
    return {
        "tutorial": record.tutorial,
        "phase": record.phase,
        "step": row.step,
        "apply": list(row.apply),
        "id": row.id,
        "flow": _flow(row.ask),
        **_reading("documented", row.documented),
        **_reading("predicted", record.predicted),
        **_reading("observed", seen.reading if seen else None),
        "status": record.status.value,
        "claimed_by": "policylab" if row.ours else "tutorial",
        "cite": row.cite,
        "why": row.why,
        "control": str(seen.control) if seen and seen.control else None,
        "erratum": asdict(row.erratum) if row.erratum else None,
        "reasons": list(record.reasons),
        "notes": list(seen.notes) if seen else [],
        "problem": record.problem,
        "next_step": record.next_step,
        "seconds": round(record.seconds, 3),
        "evidence": seen.evidence if seen else {},
        "transcripts": [_transcript(t) for t in seen.transcripts] if seen else [],
    }


def _reading(column: str, reading: Reading | None) -> dict[str, str | None]:
    return {
        column: reading.outcome.value if reading else None,
        f"{column}_detail": (reading.detail or None) if reading else None,
    }


def _flow(ask: Ask) -> dict[str, str | int | None]:
    """Who asks, and whom: as tables write it, in words, and over what (a ping has no port)."""
    target = ask.target
    return {
        "from": str(ask.source),
        "to": str(target),
        "words": target.words,
        "protocol": target.protocol and target.protocol.value,
        "port": target.port,
    }


def _transcript(transcript: Transcript) -> dict[str, Any]:
    return {**asdict(transcript), "seconds": round(transcript.seconds, 3)}


def plain(value: Any) -> Any:
    """What JSON can hold; anything it has no word for is kept as text."""
    match value:
        case Enum():
            return plain(value.value)
        case str():
            # A surrogate half (an undecodable byte of some output) cannot be written as UTF-8.
            return value.encode("utf-8", "replace").decode("utf-8")
        case None | bool() | int():
            return value
        case float():
            return value if isfinite(value) else None
        case bytes():
            return value.decode(errors="replace")
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
        case list() | tuple():
            return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    return str(value)
