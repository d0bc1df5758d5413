"""The records of a run: one for each collected row, which is `not checked` until it is judged."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.core.lab.documented import Row
from harness.core.lab.record import NOT_REACHED, Observed, Record, Status, Unobserved
from harness.core.outcome import Reading
from harness.core.predict.scenario import Prediction
from harness.edge.files.runs import Runs
from harness.errors import HarnessError
from harness.exitcode import ExitCode
from harness.report.document import Run, row_json, to_json
from harness.report.writer import Reports

WRITE_EVERY = 1.0
"""Seconds between two writes of labs.json: a crash of the machine loses at most this much."""

_CODES = {
    Status.PASS: ExitCode.OK,
    Status.ERRATUM: ExitCode.OK,
    Status.FAIL: ExitCode.DIFFERS,
    Status.NOT_CHECKED: ExitCode.NO_VERDICT,
    # A run without a cluster was asked for, and says of each row that nothing was observed.
    Status.NOT_OBSERVED: ExitCode.OK,
    Status.NOT_CHECKED_OFFLINE: ExitCode.OK,
}


@dataclass(slots=True)
class Recorder:
    """Keeps the records by test id, and writes them into the folder of the run as they come.

    Attributes:
        runs: makes the folder of the run.
        lane: the key of the run's lane, or `offline`: a part of the folder's name.
        command: the command line of the run.
        environment: what is known of the cluster, such as the version of Kubernetes.
        profile: how the run's CNI behaves, by the lines of the table of CNI differences.
        gate: the result of the proof that the cluster enforces policies; None before the proof.
        changes: how fast each change of policies came into force.
        deselected: how many rows pytest was told to leave out.
        partial: whether the run leaves out rows of its tutorials, in any way.
        interrupted: whether Ctrl-C or SIGTERM ended the run.
        offline: whether no cluster is asked.
        started: the time at which the run began, in UTC.
    """

    runs: Runs
    lane: str
    command: str = ""
    environment: dict[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Reading] = field(default_factory=dict)
    gate: dict[str, Any] | None = None
    changes: Sequence[Mapping[str, Any]] = ()
    deselected: int = 0
    partial: bool = False
    interrupted: bool = False
    offline: bool = False
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _records: dict[str, Record] = field(default_factory=dict)
    _failures: set[ExitCode] = field(default_factory=set)
    _taken: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _reached: set[str] = field(default_factory=set)
    _reports: Reports | None = None
    _written: float = 0.0

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """All rows as `labs.json` has them, in the order of collection."""
        return [self.row(test) for test in self._records]

    def row(self, test: str) -> Mapping[str, Any]:
        """One row as `labs.json` has it, from this process or from a worker."""
        return self._taken.get(test) or row_json(self._records[test])

    @property
    def tutorials(self) -> dict[str, str]:
        """The tutorial of each row, by the id of its test."""
        return {test: record.tutorial for test, record in self._records.items()}

    def expect(
        self, test: str, tutorial: str, phase: str, row: Row, prediction: Prediction
    ) -> None:
        """Note a row that the run will check."""
        self._records[test] = Record(
            tutorial=tutorial,
            phase=phase,
            row=row,
            predicted=prediction.reading,
            observation=None,
            status=Status.NOT_CHECKED,
            reasons=prediction.reasons,
            problem=NOT_REACHED,
            next_step="run it again",
        )

    def begin(self) -> None:
        """Make the folder of the run, after the collection and before the first row.

        A run without rows has no folder.

        Raises:
            EnvironmentFault: the folder cannot be written.
        """
        if not self._records:
            return
        folder = self.runs.begin(self.started, self.lane, partial=self.partial)
        self._reports = Reports(folder)

    @property
    def folder(self) -> Path | None:
        """The folder of the run; None if the run has no rows, and so no results."""
        return self._reports.folder if self._reports else None

    def known(self, test: str) -> bool:
        """Whether the test is the test of a row."""
        return test in self._records

    def record(self, test: str) -> Record:
        """The record of a row's test."""
        return self._records[test]

    def record_of(self, found: Observed | Unobserved) -> Record | None:
        """The record that came of an observation, or of a prediction without one."""
        records = self._records.values()
        if isinstance(found, Unobserved):
            return next((record for record in records if record.row is found.row), None)
        return next((r for r in records if r.observation is found.observation), None)

    def observed(self, test: str, observed: Observed) -> Record:
        """Note the observation for a row, and the verdict that follows from it."""
        status, problem = observed.verdict()
        self._records[test] = replace(
            self._records[test],
            observation=observed.observation,
            status=status,
            problem=problem,
            next_step=_next_step(observed.row) if problem else "",
        )
        return self._records[test]

    def unobserved(self, test: str, row: Unobserved) -> Record:
        """Note what the prediction of a row says of its table, in a run without a cluster."""
        status, problem = row.verdict()
        failed = status is Status.FAIL
        self._records[test] = replace(
            self._records[test],
            status=status,
            problem=problem,
            next_step="find out whether the table, a manifest or policylab is wrong" * failed,
        )
        return self._records[test]

    def not_checked(self, test: str, error: HarnessError) -> Record:
        """Note that a row has no verdict, and why."""
        self._records[test] = replace(
            self._records[test],
            status=Status.NOT_CHECKED,
            problem=error.finding,
            next_step=error.try_ or f"run this row again: pytest '{test}'",
        )
        return self._records[test]

    def took(self, test: str, seconds: float) -> None:
        """Add these seconds to the time that a row took."""
        record = self._records[test]
        self._records[test] = replace(record, seconds=round(record.seconds + seconds, 3))
        self._reached.add(test)

    def take(self, test: str, row: Mapping[str, Any]) -> None:
        """Take over a row that a worker has sent."""
        self._taken[test] = row
        self._reached.add(test)

    def lost(self, test: str, why: str) -> None:
        """Note that a test has no result, because its worker crashed."""
        self.failed(ExitCode.NO_VERDICT)
        if self.known(test):
            self._records[test] = replace(self._records[test], problem=why)

    @property
    def stopped(self) -> bool:
        """Whether the run ended, or would end now, before its last row."""
        return self.interrupted or len(self._reached) < len(self._records)

    def failed(self, code: ExitCode) -> None:
        """Note that a test failed for a reason other than the verdict on its row."""
        self._failures.add(code)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the whole run: the most certain result decides."""
        found = {_CODES[Status(row["status"])] for row in self.rows} | self._failures
        order = (ExitCode.DIFFERS, ExitCode.USAGE, ExitCode.FAULT, ExitCode.NO_VERDICT)
        return next((code for code in order if code in found), ExitCode.OK)

    def document(self) -> dict[str, Any]:
        """The content of labs.json."""
        run = Run(
            name=self.folder.name if self.folder else "",
            command=self.command,
            started=self.started.isoformat(timespec="seconds"),
            seconds=round((datetime.now(UTC) - self.started).total_seconds(), 1),
            deselected=self.deselected,
            partial=self.partial,
            interrupted=self.stopped,
            offline=self.offline,
        )
        return to_json(
            self.rows,
            self.environment,
            run=run,
            profile=self.profile,
            gate=self.gate,
            changes=self.changes,
        )

    def write(self) -> None:
        """Bring labs.json up to date, but at most once a second; `finish` always writes it."""
        now = time.monotonic()
        if self._reports and now - self._written >= WRITE_EVERY:
            self._reports.write(self.document())
            self._written = now

    def finish(self) -> None:
        """Write all reports, and let `latest-LANE` point to the run if the run is complete."""
        if self._reports is None:
            return
        self._reports.finish(self.document())
        if not self.partial and not self.stopped:
            self.runs.finish(self._reports.folder, self.lane)


def _next_step(row: Row) -> str:
    replay = f"kubectl -n {row.source.namespace} exec {row.source.name} -- "
    command = " ".join(row.command) if row.command else f"<your client> {row.target}"
    return (
        f"compare the manifests in force ({', '.join(row.apply)}) with `kubectl get networkpolicy "
        f"-A`, then try it by hand: {replay}{command}"
    )
