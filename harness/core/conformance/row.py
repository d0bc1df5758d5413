"""A row of a conformance report: one check of a CNI, with its figures and its evidence.

Cases, made-up policies and measurements (restarts, latency) all end in this value, so that reports,
deviations, repetitions and baselines know one shape only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What a row says of the CNI.

    PASSED: it does what the row asks for. FAILED: it does otherwise. SKIPPED: the row was not run,
    and `Row.why` says why. NO_VERDICT: the row was run, and a tool broke or gave no answer; it is
    never folded into one of the others.
    """

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NO_VERDICT = "no_verdict"


class Level(StrEnum):
    """How much a row asks of a CNI.

    CORE: what the API promises of every NetworkPolicy. EXTENDED: what the API leaves to the CNI or
    to the machine (SCTP, addresses of pods in an ipBlock), what costs long, and measurements.
    """

    CORE = "core"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number.

    Attributes:
        name: what was measured, in a few words: `outage`, `settled`.
        value: the number; None if it was not measured.
        unit: the unit, as one word: `ms`, `s`, `flows`, `per second`.
        budget: the greatest value that the CNI's profile or the user allows; None for no limit.
    """

    name: str
    value: float | None
    unit: str
    budget: float | None = None

    @property
    def over(self) -> bool:
        """Whether the value is over its budget."""
        return self.value is not None and self.budget is not None and self.value > self.budget

    def __str__(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:g} {self.unit}"
        limit = "" if self.budget is None else f" (at most {self.budget:g})"
        return f"{self.name}: {value}{limit}"


@dataclass(frozen=True, slots=True)
class FlowSeen:
    """One flow of a row in three columns.

    Attributes:
        state: the state of the cluster in which it was looked at, in words; empty for the only one.
        flow: the client and the target, as tables write them.
        expected: what the row asks for, as an `Outcome` and its detail; `undefined` where the API
            leaves it open.
        predicted: what the oracle says, in the same words.
        observed: what the cluster showed, in the same words; empty if there is no verdict.
        why: the reasons of the prediction, or why there is no verdict.
    """

    state: str
    flow: str
    expected: str
    predicted: str
    observed: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Runs:
    """How often a row that was run several times passed.

    Attributes:
        passed: the number of runs that passed.
        of: the number of all runs.
        interval: within which share of runs it passes, as the ends of an interval of 95 %; None if
            no run was judged.
    """

    passed: int
    of: int
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        words = f"passed {self.passed} of {self.of} runs"
        if self.interval:
            low, high = self.interval
            words += f" (95 % interval {low:.0%} to {high:.0%})"
        return words


@dataclass(frozen=True, slots=True)
class Row:
    """One check of a CNI.

    Attributes:
        name: the row's name, which is the same in every run.
        level: how much it asks for.
        features: what of the API it is about, as tags.
        status: what it says of the CNI.
        why: one sentence: what failed, or why it was skipped or has no verdict; empty if it passed.
        about: what it checks, in one sentence.
        source: where that is written down: the API reference, a KEP, an issue.
        figures: what was measured.
        flows: the flows that differ or have no verdict; not those that are as expected.
        agreed: the number of flows that are as expected.
        evidence: further sentences and lines for a person who looks into it.
        seconds: how long it took.
        files: what lies beside the report for this row, by its file's name.
        runs: how often it passed; None if it was run once.
    """

    name: str
    level: Level
    features: tuple[str, ...]
    status: Status
    why: str = ""
    about: str = ""
    source: str = ""
    figures: tuple[Figure, ...] = ()
    flows: tuple[FlowSeen, ...] = ()
    agreed: int = 0
    evidence: tuple[str, ...] = ()
    seconds: float = 0.0
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    runs: Runs | None = None

    def __post_init__(self) -> None:
        if (self.status is Status.PASSED) is bool(self.why):
            raise ValueError(f"{self.name}: a row says why exactly if it did not pass")


def status_of(figures: Iterable[Figure]) -> tuple[Status, str]:
    """The status of a row that is measured only, and its `why`.

    A figure over its budget fails; one that was not measured leaves the row without a verdict.
    """
    figures = tuple(figures)
    if over := [figure for figure in figures if figure.over]:
        return Status.FAILED, "; ".join(map(str, over))
    if lost := [figure for figure in figures if figure.value is None]:
        return Status.NO_VERDICT, "; ".join(map(str, lost))
    return Status.PASSED, ""


def counts(rows: Iterable[Row]) -> dict[Status, int]:
    """The number of rows with each status; 0 for a status that no row has."""
    found = dict.fromkeys(Status, 0)
    for row in rows:
        found[row.status] += 1
    return found


def row_json(row: Row) -> dict[str, Any]:
    """The row as plain data, without its files."""
    return {
        "name": row.name,
        "level": row.level.value,
        "status": row.status.value,
        "why": row.why,
        "about": row.about,
        "source": row.source,
        "features": list(row.features),
        "agreed": row.agreed,
        "figures": [
            {"name": f.name, "value": f.value, "unit": f.unit, "budget": f.budget}
            for f in row.figures
        ],
        "flows": [
            {
                "state": seen.state,
                "flow": seen.flow,
                "expected": seen.expected,
                "predicted": seen.predicted,
                "observed": seen.observed or None,
                "why": list(seen.why),
            }
            for seen in row.flows
        ],
        "evidence": list(row.evidence),
        "seconds": round(row.seconds, 3),
        "runs": _runs_json(row.runs),
    }


def row_of_json(data: Mapping[str, Any], files: Mapping[str, str]) -> Row:
    """The row that `row_json` wrote, with its files.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    return Row(
        str(data["name"]),
        Level(data["level"]),
        tuple(map(str, data["features"])),
        Status(data["status"]),
        str(data["why"]),
        str(data["about"]),
        str(data["source"]),
        tuple(map(_figure, data["figures"])),
        tuple(
            FlowSeen(
                str(seen["state"]),
                str(seen["flow"]),
                str(seen["expected"]),
                str(seen["predicted"]),
                str(seen["observed"] or ""),
                tuple(map(str, seen["why"])),
            )
            for seen in data["flows"]
        ),
        int(data["agreed"]),
        tuple(map(str, data["evidence"])),
        float(data["seconds"]),
        files,
        _runs(data.get("runs")),
    )


def _figure(data: Mapping[str, Any]) -> Figure:
    value, budget = (None if data[key] is None else float(data[key]) for key in ("value", "budget"))
    return Figure(str(data["name"]), value, str(data["unit"]), budget)


def _runs_json(runs: Runs | None) -> dict[str, Any] | None:
    if runs is None:
        return None
    ends = runs.interval and [round(end, 4) for end in runs.interval]
    return {"passed": runs.passed, "of": runs.of, "interval": ends}


def _runs(data: Mapping[str, Any] | None) -> Runs | None:
    if data is None:
        return None
    ends = data["interval"] and tuple(map(float, data["interval"]))
    return Runs(int(data["passed"]), int(data["of"]), ends)
