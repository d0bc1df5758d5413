"""A conformance run as JUnit's XML: a suite for each level, a case for each row."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.conformance.deviations import Verdict
from harness.core.conformance.row import FlowSeen, Level, Status
from harness.report.junit import Amiss, TestCase, xml
from harness.report.view import clean


def junit(verdicts: Sequence[Verdict], project: str) -> str:
    """The XML. A known deviation is skipped; a listed one that passes fails."""
    suites = [
        (level.value, [_case(v) for v in verdicts if v.row.level is level]) for level in Level
    ]
    return xml(f"NetworkPolicy conformance of {project}", suites)


def _case(verdict: Verdict) -> TestCase:
    row = verdict.row
    amiss: Amiss | None = None
    if verdict.red:
        amiss = Amiss.FAILURE
    elif row.status is Status.NO_VERDICT:
        amiss = Amiss.ERROR
    elif row.status is not Status.PASSED:
        amiss = Amiss.SKIPPED
    group, _, name = row.name.rpartition("/")
    message = "; ".join(filter(None, (verdict.says, row.why)))
    lines = [row.about, *map(columns, row.flows)] if amiss else []
    return TestCase(
        f"policylab.{group or row.level}",
        name,
        amiss,
        str(clean(message)) if amiss else "",
        str(clean("\n".join(lines))),
        row.seconds,
    )


def columns(flow: FlowSeen) -> str:
    """A flow in three columns, on one line."""
    state = f" ({flow.state})" if flow.state else ""
    seen = flow.observed or "no verdict"
    return (
        f"{flow.flow}{state}: expected {flow.expected}, predicted {flow.predicted}, observed {seen}"
    )
