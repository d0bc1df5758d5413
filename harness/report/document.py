"""The records of a run as the document `labs.json`, from which every report is made.

`templates/labs.schema.json` describes it (JSON Schema 2020-12). It uses the words of `Outcome` and
`Status`; an answer that does not exist is null, never an empty text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any

from harness.core.lab.record import Record, Status
from harness.core.observation import Attempt, Observation, Resolution, Transcript
from harness.core.outcome import Reading
from harness.core.target.ask import Ask

SCHEMA_VERSION = 3
"""3: `profile` says how the CNI behaves, by the table of CNI differences. `lines` of a row says
which lines of it the row's outcomes follow, and `only_on` which CNI its lab needs. 2: a row's
`flow.to` is the whole target, with its port; `flow.words` says it to people. `run` is the name of
the run's folder, and `partial` says that rows were left out."""

ENVIRONMENT = ("kubernetes", "kind", "cni", "kernel")
"""The facts that every result needs; a fact is null if it is not known."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as a whole.

    Attributes:
        name: the name of its folder.
        command: the command line.
        started: the time at which it began, as in ISO 8601.
        seconds: how long it took.
        deselected: the number of rows that the user told pytest to leave out.
        partial: whether the run left out rows of its tutorials, in any way.
        interrupted: whether the run ended before its last row.
        offline: whether no cluster was asked, so that no row was observed.
    """

    name: str
    command: str
    started: str
    seconds: float
    deselected: int = 0
    partial: bool = False
    interrupted: bool = False
    offline: bool = False


def to_json(
    rows: Sequence[Mapping[str, Any]],
    environment: Mapping[str, Any],
    *,
    run: Run,
    profile: Mapping[str, Reading] | None = None,
    gate: Mapping[str, Any] | None = None,
    changes: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The document of one run, with rows as `row_json` makes them.

    `profile` has the lines of the table of CNI differences, as they are told of the run's CNI.
    `gate` has the result of the proof of enforcement before the labs. `changes` says how fast
    changes of policies came into force (`harness.core.probe.latency.Change`).
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.name,
        "environment": {**dict.fromkeys(ENVIRONMENT), **plain(environment)},
        "profile": {line: str(reading) for line, reading in (profile or {}).items()},
        "started": run.started,
        "seconds": round(run.seconds, 3),
        "command": plain(run.command),
        "gate": plain(gate),
        "deselected": run.deselected,
        "partial": run.partial,
        "interrupted": run.interrupted,
        "offline": run.offline,
        "rows": list(rows),
        "changes": [plain(change) for change in changes],
        "summary": summary(rows),
    }


def summary(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The number of rows with each status; 0 for a status that no row has."""
    counts = Counter(row["status"] for row in rows)
    return {status.value: counts[status.value] for status in Status}


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
        "lines": list(dict.fromkeys(filter(None, row.lines))),
        "only_on": row.only_on or None,
        "erratum": asdict(row.erratum) if row.erratum else None,
        "reasons": list(record.reasons),
        "notes": list(seen.notes) if seen else [],
        "problem": record.problem,
        "next_step": record.next_step,
        "seconds": round(record.seconds, 3),
        "evidence": _evidence(seen) if seen else {},
        "transcripts": [_transcript(t) for t in seen.transcripts] if seen else [],
    }


def _evidence(seen: Observation) -> dict[str, Any]:
    """The evidence for a reading, for programs: attempts, addresses, and times in ms."""
    found: dict[str, Any] = {}
    if seen.address:
        found |= {"address": seen.address, "attempts": _attempts(seen.attempts)}
    if seen.own:
        found["target_to_itself"] = str(seen.own)
    if seen.peer:
        found["answered_by"] = seen.peer
    if seen.resolution:
        lookup = _resolution(seen.resolution)
        found |= {"dns": lookup} if seen.address else lookup
    if seen.settled_ms is not None:
        found["settled_ms"] = seen.settled_ms
    return found | dict(seen.evidence)


def _resolution(resolution: Resolution) -> dict[str, Any]:
    questions = [
        {
            "name": asked.qname,
            "type": asked.rdtype,
            "answer": str(asked.reading),
            "attempts": _attempts(asked.attempts),
        }
        for asked in resolution.questions
    ]
    return {"server": resolution.server, "questions": questions}


def _attempts(attempts: Iterable[Attempt]) -> list[dict[str, Any]]:
    return [
        {"phase": a.phase, "ms": a.ms, "at": a.at, "port": a.port}
        | ({"error": a.error} if a.error else {})
        for a in attempts
    ]


def _reading(column: str, reading: Reading | None) -> dict[str, str | None]:
    return {
        column: reading.outcome.value if reading else None,
        f"{column}_detail": (reading.detail or None) if reading else None,
    }


def _flow(ask: Ask) -> dict[str, str | int | None]:
    """The client and the target: as tables write them, in words, and with port and protocol.

    A ping has no port.
    """
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
    """The value as JSON can hold it; a value of another type becomes a text."""
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
