"""What the cluster showed of one question: the reading, its control, and what led to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.outcome import Reading


@dataclass(frozen=True, slots=True)
class Transcript:
    """One replayed command: what was typed, what came back, and how long it took (seconds)."""

    command: str
    output: str
    exit_code: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What the cluster showed for a row.

    `control` is the same flow without any policy; a silent outcome counts only if that one
    answered. `notes` are sentences for the reader; `evidence` is machine-readable detail
    (attempts, times in ms).
    """

    reading: Reading
    control: Reading | None = None
    transcripts: tuple[Transcript, ...] = ()
    notes: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
