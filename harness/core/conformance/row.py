"""A row of a conformance report: one check of a CNI, with its figures and its evidence.

Cases, made-up policies and measurements (restarts, latency) all end in this value, so that reports,
deviations, repetitions and baselines know one shape only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MADE_UP, MEASURED = "made-up", ("lifecycle", "latency")
"""The first parts of the names of rows that are no cases."""

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


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


def folder_name(row: str) -> str:
    """A row's name, or a file's, as the name of a folder or a file, which leads nowhere else."""
    return _UNFIT.sub("-", row).strip(".") or "row"


def why_no_case(name: str) -> str:
    """Why a case cannot have this name; empty if it can."""
    parts = name.split("/")
    if not all(map(_PART.fullmatch, parts)):
        return "it has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit"
    if is_measured(name):
        return f"rows whose names begin with `{parts[0]}/` are measured, and are no cases"
    return ""


def is_measured(name: str) -> bool:
    """Whether the row of this name is no case: it is measured, or about policies of a seed."""
    group, slash, _ = name.partition("/")
    return bool(slash) and group in (MADE_UP, *MEASURED)


def alike(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that are equal, or that would share a folder; None if there are none."""
    seen: dict[str, str] = {}
    for name in names:
        folder = folder_name(name)
        if folder in seen:
            return seen[folder], name
        seen[folder] = name
    return None
