"""`report.yaml`: a conformance run as one document, in the shape of published reports.

The parts `implementation`, `date` and `profiles` are those of the ConformanceReport of
sigs.k8s.io/network-policy-api (conformance/apis/v1alpha1, and conformance/reports/v0.1.2), so that
the document can be published beside those. `rows`, `environment` and `policylab` are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from harness.core.compare.sharding import Shard
from harness.core.conformance.deviations import Verdict
from harness.core.conformance.row import Level, Row, Runs, Status, counts

API_VERSION = "policylab/v1"
"""The version of this document. A reader of the network-policy-api's reports sees that this is none
of its own suite's."""

KIND = "ConformanceReport"
NOT_NAMED = "not named"
"""The project of a report whose CNI nobody named."""

PROFILE = "NetworkPolicy"


class Result(StrEnum):
    """What a profile comes to, in the words of network-policy-api.

    PARTIAL: nothing failed, but a row was skipped or has no verdict.
    """

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Implementation:
    """Whom a report is about.

    Attributes:
        project: the CNI's name.
        version: its version.
        organization: who makes it.
        url: where it is found.
        contact: whom to ask.
    """

    project: str
    version: str = ""
    organization: str = ""
    url: str = ""
    contact: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report says of its run.

    Attributes:
        implementation: the CNI.
        date: when the run began, as in ISO 8601.
        seconds: how long it took.
        command: the command line.
        policylab: the version of policylab.
        environment: the versions of the cluster's parts.
        notes: what a reader must know of the cluster or of the run, as sentences.
        interrupted: whether the run ended before its last row.
        shard: which part of the run this is; None for the whole run.
        asked: what the command line asked for, apart from the shard: plain data by its name in
            words. All shards of a run have the same.
    """

    implementation: Implementation
    date: str
    seconds: float
    command: str
    policylab: str
    environment: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    shard: Shard | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)


def report(verdicts: Sequence[Verdict], facts: Facts) -> dict[str, Any]:
    """The document of a run; rows are in the order of their names."""
    verdicts = sorted(verdicts, key=lambda verdict: verdict.row.name)
    whose = facts.implementation
    rows = [verdict.row for verdict in verdicts]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "date": facts.date,
        "networkPolicyAPIVersion": "networking.k8s.io/v1",
        "implementation": {
            "organization": whose.organization,
            "project": whose.project,
            "url": whose.url,
            "version": whose.version,
            "contact": list(whose.contact),
            "additionalInformation": facts.command,
        },
        "profiles": [
            {
                "name": PROFILE,
                "core": _profile([row for row in rows if row.level is Level.CORE]),
                "extended": {
                    **_profile([row for row in rows if row.level is Level.EXTENDED]),
                    **_features(rows),
                },
            }
        ],
        "policylab": {
            "version": facts.policylab,
            "seconds": round(facts.seconds, 1),
            "interrupted": facts.interrupted,
            "red": [verdict.row.name for verdict in verdicts if verdict.red],
            "notes": list(facts.notes),
            "shard": facts.shard and asdict(facts.shard),
            "asked": dict(facts.asked),
        },
        "environment": dict(facts.environment),
        "rows": [_row(verdict) for verdict in verdicts],
    }


def _row(verdict: Verdict) -> dict[str, Any]:
    listed = verdict.deviation
    return {
        **row_json(verdict.row),
        "red": verdict.red,
        "says": verdict.says,
        "deviation": {"reason": listed.reason, "link": listed.link} if listed else None,
    }


def _profile(rows: Sequence[Row]) -> dict[str, Any]:
    found = counts(rows)
    result = Result.SUCCESS
    if found[Status.FAILED]:
        result = Result.FAILURE
    elif found[Status.SKIPPED] or found[Status.NO_VERDICT] or not rows:
        result = Result.PARTIAL
    return {
        "result": result.value,
        "summary": words(rows),
        "statistics": {
            "Passed": found[Status.PASSED],
            "Skipped": found[Status.SKIPPED],
            "Failed": found[Status.FAILED],
            "NoVerdict": found[Status.NO_VERDICT],
        },
        "skippedTests": [row.name for row in rows if row.status is Status.SKIPPED],
        "failedTests": [row.name for row in rows if row.status is Status.FAILED],
    }


def _features(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The features that only extended rows have: a row that fails leaves its own unsupported."""
    extended = [row for row in rows if row.level is Level.EXTENDED]
    core = {feature for row in rows if row.level is Level.CORE for feature in row.features}
    of: dict[str, set[Status]] = {}
    for row in extended:
        for feature in set(row.features) - core:
            of.setdefault(feature, set()).add(row.status)
    return {
        "supportedFeatures": sorted(f for f, found in of.items() if found == {Status.PASSED}),
        "unsupportedFeatures": sorted(f for f, found in of.items() if Status.FAILED in found),
    }


def words(rows: Iterable[Row]) -> str:
    """The counts in words: `88 passed, 2 failed, 3 skipped`."""
    names = {
        Status.PASSED: "passed",
        Status.FAILED: "failed",
        Status.SKIPPED: "skipped",
        Status.NO_VERDICT: "without a verdict",
    }
    found = counts(rows)
    return ", ".join(f"{n} {names[s]}" for s, n in found.items() if n or s is Status.PASSED)


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


def _runs_json(runs: Runs | None) -> dict[str, Any] | None:
    if runs is None:
        return None
    ends = runs.interval and [round(end, 4) for end in runs.interval]
    return {"passed": runs.passed, "of": runs.of, "interval": ends}
