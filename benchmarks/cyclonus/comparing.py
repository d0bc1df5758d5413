"""What both tools said of the same flows: counted, and each held against the other and the oracle.

A verdict is wrong if the oracle says otherwise, and the other tool saw on the same cluster what the
oracle says. Where both tools saw something else than the oracle says, the CNI does otherwise, or
the oracle is wrong; such flows are counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.cyclonus.cases import ask_of, name_of
from benchmarks.cyclonus.output import Cell, Mark, Printed, Ran
from harness.core.conformance.case import Case, Said
from harness.core.conformance.offline import NOWHERE, scenario
from harness.core.outcome import Outcome, Reading
from harness.core.target.ask import Ask

OPEN = Reading(Outcome.CONNECTED)
NONE = "no verdict"


@dataclass(frozen=True, slots=True)
class Theirs:
    """What Cyclonus said.

    Attributes:
        planned: the cases that it wanted to run.
        cases: those that it ran to their end within the time.
        steps: their steps.
        again: the steps that it probed a second time, because the first look was not as expected.
        flows: the flows of the last look at each step, a pod's way to itself included.
        probes: the probes of all looks.
        seconds: from its start until the last of these cases was printed.
        per_case: seconds of a case, without the start of its pods.
        failed: its cases that say that the CNI is wrong.
        failed_wrongly: those of them that policylab passed, with the same policies.
        own_flows_wrong: ways of a pod to itself through a Service that it calls wrong; the API
            leaves them open.
        wrong: flows between two pods whose verdict is wrong.
        unstable: flows between two pods that its first look had wrong, and its second not.
        as_the_cni: flows that both tools saw otherwise than the oracle says.
        model_differs: flows of which its own model says something else than policylab's oracle.
    """

    planned: int
    cases: int
    steps: int
    again: int
    flows: int
    probes: int
    seconds: float
    per_case: float
    failed: int
    failed_wrongly: int
    own_flows_wrong: int
    wrong: int
    unstable: int
    as_the_cni: int
    model_differs: int


@dataclass(frozen=True, slots=True)
class Ours:
    """What `policylab conformance` said of the cases that Cyclonus ran to their end.

    Attributes:
        cases: the cases.
        steps: their states.
        flows: the flows that were judged, each with a positive control and a repeated look.
        seconds: the whole command, with its gate, the start of its pods, and the reports.
        failed: cases that failed.
        without_verdict: cases that have no verdict, or were skipped.
        wrong: flows whose verdict is wrong.
        flows_without_verdict: flows that have none.
    """

    cases: int
    steps: int
    flows: int
    seconds: float
    failed: int
    without_verdict: int
    wrong: int
    flows_without_verdict: int


@dataclass(frozen=True, slots=True)
class Both:
    """The two side by side."""

    theirs: Theirs
    ours: Ours

    def as_json(self) -> dict[str, Any]:
        """For the file with the figures."""
        theirs, ours = self.theirs, self.ours
        return {
            "cyclonus": {
                **asdict(theirs),
                "flows_per_second": round(theirs.flows / theirs.seconds, 1),
            },
            "policylab": {
                **asdict(ours),
                "per_case": round(ours.seconds / ours.cases, 1),
                "flows_per_second": round(ours.flows / ours.seconds, 1),
            },
            "times_faster": round(self.times_faster, 1),
        }

    @property
    def times_faster(self) -> float:
        """How many times less policylab took for the same cases, with everything before them."""
        return self.theirs.seconds / self.ours.seconds


def compared(
    run: Printed, cases: Mapping[str, Case], rows: Sequence[Mapping[str, Any]], seconds: float
) -> Both:
    """Count; `rows` are those of `report.yaml`, `seconds` is what policylab took."""
    by_name = {row["name"]: row for row in rows}
    tested = [each for each in run.tested if name_of(each) in cases]
    judged = [
        _judged(each, cases[name_of(each)], by_name.get(name_of(each), {})) for each in tested
    ]
    failed = [each for each in tested if not each.passed]
    steps = [step for each in tested for step in each.steps]
    theirs = Theirs(
        planned=run.planned,
        cases=len(tested),
        steps=len(steps),
        again=sum(len(step.tries) > 1 for step in steps),
        flows=sum(len(step.tries[-1]) for step in steps),
        probes=sum(len(look) for step in steps for look in step.tries),
        seconds=round(max((each.ended for each in tested), default=0.0), 1),
        per_case=round(sum(each.seconds for each in tested) / len(tested), 1) if tested else 0.0,
        failed=len(failed),
        failed_wrongly=sum(
            by_name.get(name_of(each), {}).get("status") == "passed" for each in failed
        ),
        own_flows_wrong=sum(
            step.tries[-1][cell] is not mark
            for step in steps
            for cell, mark in step.expected.items()
            if cell.is_own
        ),
        wrong=sum(found.wrong for found in judged),
        unstable=sum(found.unstable for found in judged),
        as_the_cni=sum(found.both for found in judged),
        model_differs=sum(found.model for found in judged),
    )
    status = [by_name.get(name, {}).get("status", NONE) for name in map(name_of, tested)]
    found = [flow for row in rows for flow in row["flows"]]
    ours = Ours(
        cases=len(tested),
        steps=sum(len(cases[name_of(each)].states) for each in tested),
        flows=sum(int(row["agreed"]) + len(row["flows"]) for row in rows),
        seconds=round(seconds, 1),
        failed=status.count("failed"),
        without_verdict=sum(each not in ("passed", "failed") for each in status),
        wrong=sum(one.ours_wrong for one in judged),
        flows_without_verdict=sum(not flow["observed"] for flow in found),
    )
    return Both(theirs, ours)


@dataclass(frozen=True, slots=True)
class _Judged:
    wrong: int = 0
    unstable: int = 0
    both: int = 0
    model: int = 0
    ours_wrong: int = 0


def _judged(tested: Ran, case: Case, row: Mapping[str, Any]) -> _Judged:
    wrong = unstable = both = model = ours_wrong = 0
    for step, state in zip(tested.steps, case.states, strict=True):
        truth = scenario(state)
        for cell in step.expected:
            if cell.is_own:
                continue
            ask = ask_of(cell)
            opens = truth.predict(NOWHERE.ask(ask)).reading == OPEN
            model += opens is not (state.expected[ask] is Said.ALLOW)
            seen = [_opens(look[cell]) is opens for look in step.tries]
            shown = _ours(row, state.does, ask)
            if not seen[-1] and shown is None:
                wrong += 1
            elif not seen[-1] and shown != NONE:
                both += 1
            elif shown not in (None, NONE):
                ours_wrong += 1
            unstable += seen[-1] and not seen[0]
    return _Judged(wrong, unstable, both, model, ours_wrong)


def _opens(mark: Mark) -> bool | None:
    """Whether the flow passed; None where Cyclonus did not find out."""
    return {Mark.ALLOWED: True, Mark.BLOCKED: False}.get(mark)


def _ours(row: Mapping[str, Any], state: str, ask: Ask) -> str | None:
    """What policylab saw instead of what it expects; `NONE` where it has no verdict."""
    if row.get("status") not in ("passed", "failed", "no_verdict") or not (
        row["agreed"] or row["flows"]
    ):
        return NONE
    for flow in row["flows"]:
        if flow["state"] == state and flow["flow"] == str(ask):
            return str(flow["observed"] or NONE)
    return None


def differing(run: Printed) -> list[tuple[str, int, Cell]]:
    """The flows that Cyclonus calls wrong: the case, the step, and the flow; for a person."""
    return [
        (name_of(tested), number, cell)
        for tested in run.tested
        for number, step in enumerate(tested.steps, 1)
        for cell, mark in step.expected.items()
        if step.tries and step.tries[-1].get(cell) is not mark
    ]
