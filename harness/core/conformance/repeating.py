"""One case in several runs: how often it passed, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from harness.core.conformance.row import Row, Runs, Status

Z = 1.959964
"""The standard normal deviate of an interval of 95 %."""


def wilson(passed: int, runs: int) -> tuple[float, float]:
    """The interval of 95 % for the share of runs that pass (Wilson, JASA 22, 1927, p. 209).

    Unlike the usual interval it says something where all or none of a few runs passed.
    """
    share, square = passed / runs, Z * Z / runs
    middle = (share + square / 2) / (1 + square)
    half = Z * sqrt(share * (1 - share) / runs + square / (4 * runs)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def merged(rows: Sequence[Row]) -> Row:
    """One row of several runs of a case: the first that failed, else that had no verdict.

    A case that failed once has failed; its row says how often it passed.
    """
    worst = {Status.FAILED: 0, Status.NO_VERDICT: 1, Status.PASSED: 2, Status.SKIPPED: 3}
    found = min(rows, key=lambda row: worst[row.status])
    if len(rows) == 1 or found.status is Status.SKIPPED:
        return found
    passed = sum(row.status is Status.PASSED for row in rows)
    judged = sum(row.status in (Status.PASSED, Status.FAILED) for row in rows)
    runs = Runs(passed, len(rows), wilson(passed, judged) if judged else None)
    why = f"{runs}; {found.why}" if found.why else ""
    seconds = sum(row.seconds for row in rows)
    evidence = (str(runs), *found.evidence)
    return replace(found, why=why, evidence=evidence, seconds=seconds, runs=runs)
