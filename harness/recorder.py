"""The records of a run: one per row that was collected, from `not checked` on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from harness.core.lab.documented import Row
from harness.core.lab.record import Record, Status, judge
from harness.core.observation import Observation
from harness.core.outcome import Reading
from harness.core.predict.scenario import Prediction
from harness.exitcode import ExitCode
from harness.report.document import exit_ok, to_json
from harness.report.writer import Reports

WRITE_EVERY = 1.0
"""Seconds: what a crash of the machine can lose."""

_CODES = {
    Status.PASS: ExitCode.OK,
    Status.ERRATUM: ExitCode.OK,
    Status.FAIL: ExitCode.DIFFERS,
    Status.NOT_CHECKED: ExitCode.NO_VERDICT,
}


@dataclass(slots=True)
class Recorder:
    """Keeps the records by test id and writes them out as they come.

    `began`: the rows were collected and the first one was about to run, so there is a result.
    `interrupted`: Ctrl-C or SIGTERM ended the run. `stopped`: the run ended before its last row.
    """

    reports: Reports
    command: str = ""
    environment: dict[str, Any] = field(default_factory=dict)
    gate: dict[str, Any] | None = None
    changes: Sequence[Mapping[str, Any]] = ()
    deselected: int = 0
    began: bool = False
    interrupted: bool = False
    stopped: bool = False
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _records: dict[str, Record] = field(default_factory=dict)
    _failures: set[ExitCode] = field(default_factory=set)
    _written: float = 0.0

    @property
    def records(self) -> Sequence[Record]:
        """All records in the order of collection."""
        return tuple(self._records.values())

    def expect(
        self, test: str, tutorial: str, phase: str, row: Row, prediction: Prediction
    ) -> None:
        """Note a row that the run is going to check."""
        self._records[test] = Record(
            tutorial=tutorial,
            phase=phase,
            row=row,
            predicted=prediction.reading,
            observation=None,
            status=Status.NOT_CHECKED,
            reasons=prediction.reasons,
            problem="the run ended before this row",
            next_step="run it again",
            order=len(self._records),
        )

    def known(self, test: str) -> bool:
        """Whether the test is a row's."""
        return test in self._records

    def record(self, test: str) -> Record:
        """The record of a row's test."""
        return self._records[test]

    def observed(self, test: str, observation: Observation) -> Record:
        """Judge a row by what was observed."""
        record = self._records[test]
        status, problem = judge(record.row, record.predicted, observation)
        self._records[test] = replace(
            record,
            observation=observation,
            status=status,
            problem=problem,
            next_step=_next_step(record.row, observation.reading) if problem else "",
        )
        return self._records[test]

    def not_checked(self, test: str, problem: str) -> Record:
        """Note that a row has no verdict, and why."""
        self._records[test] = replace(
            self._records[test],
            status=Status.NOT_CHECKED,
            problem=problem,
            next_step="see the message above",
        )
        return self._records[test]

    def failed(self, code: ExitCode | None = None) -> None:
        """Note that a test failed beside its row's verdict: with this code, or as any test."""
        self._failures.add(code or ExitCode.DIFFERS)

    def took(self, test: str, seconds: float) -> None:
        """Add to the time that a row took."""
        record = self._records[test]
        self._records[test] = replace(record, seconds=round(record.seconds + seconds, 3))

    @property
    def exit_code(self) -> ExitCode:
        """What the run says as a whole: the most certain finding first."""
        found = {_CODES[record.status] for record in self._records.values()} | self._failures
        order = (ExitCode.DIFFERS, ExitCode.USAGE, ExitCode.FAULT, ExitCode.NO_VERDICT)
        return next((code for code in order if code in found), ExitCode.OK)

    def complete(self) -> bool:
        """Whether every row was checked and none failed."""
        return exit_ok(self.records)

    def document(self) -> dict[str, Any]:
        """The content of labs.json."""
        return to_json(
            self.records,
            self.environment,
            started=self.started.isoformat(timespec="seconds"),
            seconds=round((datetime.now(UTC) - self.started).total_seconds(), 1),
            command=self.command,
            gate=self.gate,
            deselected=self.deselected,
            interrupted=self.stopped,
            changes=self.changes,
        )

    def write(self) -> None:
        """Bring labs.json up to date, once a second at most; the end of the run always does."""
        now = time.monotonic()
        if now - self._written >= WRITE_EVERY:
            self.reports.write(self.document())
            self._written = now

    def finish(self) -> None:
        """Write all reports."""
        self.reports.finish(self.document())


def _next_step(row: Row, seen: Reading) -> str:
    replay = f"kubectl -n {row.source.namespace} exec {row.source.name} -- "
    command = " ".join(row.command) if row.command else f"<your client> {row.target}"
    return (
        f"expected {row.outcome}, the cluster shows {seen}. Compare the manifests in force "
        f"({', '.join(row.apply)}) with `kubectl get networkpolicy -A`, then try it by hand: "
        f"{replay}{command}"
    )
