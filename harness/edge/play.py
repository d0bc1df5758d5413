"""Rows on the cluster: a play brings the stage to each step, and observes all its rows at once.

All rows of a step are probed in one batch. Rows that document silence are first observed without
any policy (the positive control), with the same Services and pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Event

from harness.core.lab.control import control_of
from harness.core.lab.documented import Row
from harness.core.lab.replay import agrees
from harness.core.observation import Answer, Observation, Transcript
from harness.core.outcome import SILENT, Reading
from harness.core.predict.scenario import Scenario
from harness.core.target import FACTS, Fact, Measured, Needs
from harness.core.target.ask import Ask
from harness.edge.facts.registry import measure
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.bench import Bench
from harness.edge.stage.rest import Rest
from harness.edge.stage.settling import Settled
from harness.edge.stage.stage import Stage
from harness.edge.stage.twice import asked_again
from harness.errors import HarnessError, ProbeError

WORKERS = 4
Seen = Answer[Observation]
Step = tuple[str, ...]


class Play:
    """One tutorial's rows on one stage."""

    def __init__(self, stage: Stage, replayer: Replayer, bench: Bench, rows: Iterable[Row]) -> None:
        self._stage = stage
        self._replayer = replayer
        self._bench = bench
        self._rows = tuple(rows)
        self._steps: dict[Step, list[Row]] = {}
        for row in self._rows:
            self._steps.setdefault(_step_of(row), []).append(row)
        self._seen: dict[Step, Future[dict[str, Seen]]] = {step: Future() for step in self._steps}
        self._controls: dict[tuple[frozenset[str], str], Seen] = {}

    def run(self, stop: Event) -> None:
        """Observe every step in the rows' order, before a test asks for it, until `stop` is set."""
        for step, rows in self._steps.items():
            if stop.is_set():
                self._seen[step].set_result({})
                continue
            try:
                self._seen[step].set_result(self._step_or_fault(rows))
            except BaseException as error:  # noqa: BLE001 - `observe` raises it
                self._seen[step].set_exception(error)

    def observe(self, row: Row) -> Observation:
        """The observation of the row; waits until `run` reaches its step.

        Raises:
            ProbeError: there is no verdict for this row, or its state was not reached.
        """
        seen = self._seen[_step_of(row)].result().get(_key(row))
        if seen is None:
            raise ProbeError(f"the row {row.id} was not observed", where=row.where)
        return seen.unwrap()

    def _step_or_fault(self, rows: Sequence[Row]) -> dict[str, Seen]:
        try:
            return self._step(rows)
        except HarnessError as error:  # waited for once, not once a row
            return dict.fromkeys(map(_key, rows), Answer(problem=_no_verdict(error)))

    def _step(self, rows: Sequence[Row]) -> dict[str, Seen]:
        apply = rows[0].apply
        controls = self._controls_for(rows)
        entered = self._stage.enter(apply)
        flows = [row for row in rows if not isinstance(row.target, Measured)]
        rest = self._rest(flows, entered.scenario)
        rest.wait()
        # The tutorial's commands run in parallel to the probes, because each waits for its own
        # timeout.
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            typed = [row for row in rows if _reads_command(row)]
            read = {_key(row): pool.submit(self._measured, row) for row in typed}
            replays = {
                _key(row): pool.submit(self._replay, row)
                for row in rows
                if row.command and row not in typed
            }
            found = rest.judge([row.ask for row in flows])
            differs = partial(_differs, entered.scenario)
            found |= asked_again(found, differs, self._stage.observer.read, self._stage.fence)
            seen = {_key(row): found[row.ask] for row in flows}
            transcripts = {key: replay.result() for key, replay in replays.items()}
            seen |= {key: measured.result() for key, measured in read.items()}
        # These run one after another, because some of them change the state and restore it.
        alone = [r for r in rows if isinstance(r.target, Measured) and r not in typed]
        seen |= {_key(row): self._measured(row) for row in alone}
        return {
            key: Answer.of(
                partial(
                    _finish,
                    row,
                    seen[key],
                    controls.get(key),
                    transcripts.get(key),
                    entered.settled,
                )
            )
            for key, row in zip(map(_key, rows), rows, strict=True)
        }

    def _rest(self, rows: Sequence[Row], scenario: Scenario) -> Rest:
        """A wait until the flows stand still about which the oracle says nothing."""
        return Rest(
            self._stage.observer,
            [row.ask for row in rows if scenario.predict(row.ask).reading is None],
            seconds=self._stage.patience,
            clock=self._bench.kube.clock,
        )

    def _controls_for(self, rows: Sequence[Row]) -> dict[str, Seen]:
        """The positive controls: the same flows, with everything except the policies."""
        silent = [row for row in rows if row.outcome.outcome in SILENT]
        if not silent:
            return {}
        base = frozenset(r.origin for r in self._stage.resources(silent[0].apply, policies=False))
        if any((base, _key(row)) not in self._controls for row in silent):
            scenario = self._stage.enter(silent[0].apply, policies=False).scenario
            # Later steps with the same workloads use these controls again.
            alike = [
                row
                for row in self._rows
                if row.outcome.outcome in SILENT and self._base(row) == base
            ]
            asks = {_key(row): control_of(row, scenario.topology) for row in alike}
            found = self._stage.observer.read(list(asks.values()))
            for key, ask in asks.items():
                self._controls[(base, key)] = found[ask]
        return {_key(row): self._controls[(base, _key(row))] for row in silent}

    def _base(self, row: Row) -> frozenset[str]:
        return frozenset(r.origin for r in self._stage.resources(row.apply, policies=False))

    def _measured(self, row: Row) -> Seen:
        """Measure one row; if this breaks, the other rows of the step keep their verdicts."""
        assert isinstance(row.target, Measured)  # noqa: S101 - the callers choose by the type
        try:
            return Answer(measure(self._bench, row, row.target))
        except HarnessError as error:
            return Answer(problem=_no_verdict(error))
        except Exception as error:  # noqa: BLE001 - a fault of the measurement itself
            broken = ProbeError(
                f"the measurement of `{row.target}` broke",
                where=row.where,
                seen=f"{type(error).__name__}: {error}",
            )
            broken.__cause__ = error  # pytest shows its traceback as well
            return Answer(problem=broken)

    def _replay(self, row: Row) -> Answer[Transcript]:
        return Answer.of(lambda: self._replayer.run(row.source, row.command))


def _step_of(row: Row) -> Step:
    return (row.step, *row.apply)


def _reads_command(row: Row) -> bool:
    return isinstance(row.target, Fact) and FACTS[row.target.name].needs is Needs.COMMAND


def _no_verdict(error: HarnessError) -> ProbeError:
    return ProbeError(error.what, where=error.where, seen=error.seen, try_=error.try_)


def _finish(
    row: Row,
    answer: Seen,
    control: Seen | None,
    replay: Answer[Transcript] | None,
    settled: Settled,
) -> Observation:
    """Add the control and the transcript.

    Raises:
        ProbeError: a part gave no verdict, or the two instruments disagree.
    """
    seen = replace(answer.unwrap(), settled_ms=settled.ms)
    if control:
        seen = replace(seen, control=control.unwrap().reading)
    if settled.missing:
        note = f"the state was not in force before its deadline: {settled.missing}"
        seen = replace(seen, notes=(*seen.notes, note))
    if not replay:
        return seen
    transcript = replay.unwrap()
    code = transcript.exit_code
    if code is None or not agrees(row.command, code, seen.reading):
        raise _disagreement(row, transcript, seen.reading)
    return replace(seen, transcripts=(*seen.transcripts, transcript))


def _disagreement(row: Row, transcript: Transcript, reading: Reading) -> ProbeError:
    return ProbeError(
        "the tutorial's command and the prober disagree, so there is no verdict",
        where=row.where,
        seen=f"`{' '.join(row.command)}` exited {transcript.exit_code}; the prober saw {reading}",
        try_=transcript.command,
    )


def _differs(scenario: Scenario, ask: Ask, answer: Seen) -> bool:
    predicted, seen = scenario.predict(ask).reading, answer.value
    return predicted is not None and seen is not None and seen.reading.outcome != predicted.outcome


def _key(row: Row) -> str:
    return f"{row.id}|{' '.join(row.command)}"
