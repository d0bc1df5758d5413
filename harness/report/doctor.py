"""What a machine lacks, as a table for the terminal and as a document for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

SCHEMA_VERSION = 1
SIGNS = {"lack": ("✗", "red"), "unknown": ("?", "magenta"), "note": ("!", "yellow")} | {
    "good": ("✓", "green")
}
"""The sign and the colour of each state, the worst first."""


class Finding(Protocol):
    """A finding (`harness.edge.machine.health.finding`): this room does not know the edge."""

    @property
    def name(self) -> str:
        """What was checked."""
        ...

    @property
    def state(self) -> str:
        """One of `SIGNS`."""
        ...

    @property
    def what(self) -> str:
        """The finding in one sentence."""
        ...

    @property
    def where(self) -> str:
        """What was asked."""
        ...

    @property
    def seen(self) -> str:
        """What was read there."""
        ...

    @property
    def cure(self) -> str:
        """What a person can do; may be empty."""
        ...


def doctor_table(findings: Sequence[Finding], *, good: bool = True) -> Table:
    """The findings, what is lacking first; without the good ones if `good` is false."""
    table = Table(box=SIMPLE)
    table.add_column("")
    table.add_column("checked", overflow="fold")
    table.add_column("finding, and what to do about it", overflow="fold")
    order = list(SIGNS)
    for finding in sorted(findings, key=lambda each: order.index(each.state)):
        if good or finding.state != "good":
            sign, colour = SIGNS[finding.state]
            table.add_row(Text(sign, style=colour), Text(finding.name), Text(_words(finding)))
    return table


def _words(finding: Finding) -> str:
    what = f"{finding.what} ({finding.seen})" if finding.seen else finding.what
    return f"{what}\n-> {finding.cure}" if finding.cure else what


def doctor_summary(findings: Sequence[Finding]) -> str:
    """The findings in one sentence."""
    counts = Counter(finding.state for finding in findings)
    lacks, unknown = counts["lack"], counts["unknown"]
    notes = f"; {counts['note']} to know" if counts["note"] else ""
    checked = f" ({len(findings)} checks{notes})."
    if lacks:
        return f"This machine lacks {lacks} thing{'s' * (lacks != 1)} that the labs need{checked}"
    if unknown:
        return f"Nothing is known to be lacking, but {unknown} could not be checked{checked}"
    return f"This machine has what the labs need{checked}"


def doctor_document(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings for programs, valid by `templates/doctor.schema.json`."""
    counts = Counter(finding.state for finding in findings)
    return {
        "schema_version": SCHEMA_VERSION,
        "summary": {state: counts[state] for state in SIGNS},
        "findings": [
            {
                "checked": finding.name,
                "state": str(finding.state),
                "finding": finding.what,
                "where": finding.where or None,
                "seen": finding.seen or None,
                "cure": finding.cure or None,
            }
            for finding in findings
        ],
    }
