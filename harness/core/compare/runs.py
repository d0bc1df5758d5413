"""What differs between the results of runs: lanes, CNIs, versions, before and after an upgrade.

A row differs if its status, its outcome, what the tutorial documents, what the policies predict, or
the reason differs. How long something took is no verdict, and is not compared. The table of CNI
differences (`harness.core.lab.profile`) explains a difference if each run shows what the table says
of its own CNI.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.core.compare.results import Key, ResultRow, Results
from harness.core.lab.profile import LINES, UNTOLD, CniProfile, reading_of
from harness.core.lab.record import Status
from harness.core.outcome import Outcome, Reading

_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_CHECKED = frozenset({Status.PASS, Status.FAIL, Status.ERRATUM})


class Kind(StrEnum):
    """What is known of a row that differs.

    EXPLAINED: a line of the table of CNI differences says so. UNCHECKED: a run has no verdict on
    the row, or does not have the row, and the other runs agree. UNEXPLAINED: nothing says why.
    """

    UNEXPLAINED = "unexplained"
    UNCHECKED = "unchecked"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that differs.

    Attributes:
        key: the row's tutorial, phase and id.
        kind: what is known of the difference.
        rows: the row in each of the runs, in their order; None where a run does not have it.
        because: the sentences that explain it; empty if nothing does.
    """

    key: Key
    kind: Kind
    rows: tuple[ResultRow | None, ...]
    because: tuple[str, ...]

    @property
    def told(self) -> ResultRow:
        """The row in the first run that has it."""
        return next(row for row in self.rows if row is not None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of runs.

    Attributes:
        runs: the runs, in the order in which the user named them.
        differences: the rows that differ.
        compared: the number of rows in all.
        never_checked: the number of rows of which every run says, alike, that it has no verdict.
    """

    runs: tuple[Results, ...]
    differences: tuple[Difference, ...]
    compared: int
    never_checked: int

    def of(self, kind: Kind) -> tuple[Difference, ...]:
        """The differences of one kind, in the order of the runs."""
        return tuple(each for each in self.differences if each.kind is kind)

    @property
    def unchecked(self) -> bool:
        """Whether a row is not known in one of the runs, or there is no row at all."""
        return bool(self.of(Kind.UNCHECKED) or self.never_checked or not self.compared)


def compare_runs(runs: Sequence[Results], profiles: Mapping[str, CniProfile]) -> Comparison:
    """What differs between these runs.

    `profiles` are those of the CNIs that policylab knows, and of their variants, by column: for
    results without a profile of theirs.
    """
    keys = dict.fromkeys(key for run in runs for key in run.rows)
    found, never_checked = [], 0
    for key in keys:
        rows = tuple(run.rows.get(key) for run in runs)
        if len({_compared(row) for row in rows}) > 1:
            because = tuple(_because(runs, rows, profiles))
            found.append(Difference(key, _kind(rows, because), rows, because))
        elif all(row is not None and row.status is Status.NOT_CHECKED for row in rows):
            never_checked += 1
    return Comparison(tuple(runs), tuple(found), len(keys), never_checked)


def _compared(row: ResultRow | None) -> tuple[object, ...] | None:
    """The parts of a row that make a difference."""
    if row is None:
        return None
    problem = "" if row.status is Status.PASS else _NUMBER.sub("N", row.problem)
    return (row.status, row.documented, row.predicted, _seen(row), problem)


def _seen(row: ResultRow) -> Reading | None:
    """What was observed; without the address of a name, unless the tutorial says which it is.

    Each cluster gives Services and pods other addresses.
    """
    seen = row.observed
    if seen is not None and seen.outcome is Outcome.RESOLVED and not row.documented.detail:
        return Reading(Outcome.RESOLVED)
    return seen


def _kind(rows: Sequence[ResultRow | None], because: Sequence[str]) -> Kind:
    if because:
        return Kind.EXPLAINED
    checked = [row for row in rows if row is not None and row.status in _CHECKED]
    if len(checked) < len(rows) and len({_compared(row) for row in checked}) <= 1:
        return Kind.UNCHECKED
    return Kind.UNEXPLAINED


def _because(
    runs: Sequence[Results],
    rows: Sequence[ResultRow | None],
    profiles: Mapping[str, CniProfile],
) -> Iterator[str]:
    """The sentences that explain a difference; none if one run shows anything else."""
    if None in rows:
        yield from _left_out(runs, rows)
        return
    there = [row for row in rows if row is not None]
    known = [told for run in runs if (told := run.profile or profiles.get(run.column))]
    if len(known) < len(runs) or len({row.lines for row in there}) > 1:
        return
    lines = [line for line in there[0].lines if line in LINES]
    if not lines or not all(map(_as_the_table_says, there, known)):
        return
    for line in lines:
        said = {profile.column: reading_of(line, profile) for profile in known}
        if UNTOLD not in said.values() and len(set(said.values())) > 1:
            each = "; ".join(f"{name}: {reading}" for name, reading in said.items())
            yield f"{line} ({LINES[line]}): {each}"


def _as_the_table_says(row: ResultRow, profile: CniProfile) -> bool:
    """Whether the row is as one of its lines says of the run's CNI.

    A cluster shows it, or the table says so in a run that asked no cluster.
    """
    asked = row.status not in (Status.NOT_OBSERVED, Status.NOT_CHECKED_OFFLINE)
    shown = row.observed if row.status in (Status.PASS, Status.ERRATUM) else None
    said = shown if asked else row.documented
    return said is not None and any(
        said.satisfies(reading_of(line, profile)) for line in row.lines if line in LINES
    )


def _left_out(runs: Sequence[Results], rows: Sequence[ResultRow | None]) -> Iterator[str]:
    """Why a run does not have the row: its lab needs another CNI, and the other runs agree."""
    there = [row for row in rows if row is not None]
    only = {row.only_on for row in there}
    lacking = {run.cni for run, row in zip(runs, rows, strict=True) if row is None}
    agree = len({_compared(row) for row in there}) == len(only) == 1
    if agree and "" not in only | lacking and not only & lacking:
        yield f"the lab runs on {only.pop()} only"
