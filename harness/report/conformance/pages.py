"""A conformance run as Markdown and as one page, made from the document of `report.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.core.conformance.row import Status
from harness.report.pages import templates
from harness.report.view import clean, environment_line

ICONS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.SKIPPED: "○",
    Status.NO_VERDICT: "?",
}
STYLES = {
    Status.PASSED: "pass",
    Status.FAILED: "fail",
    Status.SKIPPED: "not_observed",
    Status.NO_VERDICT: "not_checked",
}
"""The class of each status in `report.css`."""


def html(document: Mapping[str, Any]) -> str:
    """The document as one self-contained HTML page; every text is escaped."""
    return templates().get_template("conformance.html.j2").render(_context(document))


def markdown(document: Mapping[str, Any]) -> str:
    """The document as GitHub-flavoured Markdown, for a job's summary."""
    text = templates().get_template("conformance.md.j2").render(_context(document))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def verdict_line(document: Mapping[str, Any]) -> str:
    """The run in one sentence."""
    project, red = document["implementation"]["project"], document["policylab"]["red"]
    listed = sum(bool(r["deviation"]) and r["status"] == Status.FAILED for r in document["rows"])
    lost = sum(row["status"] == Status.NO_VERDICT for row in document["rows"])
    if red:
        return f"{project}: {len(red)} of {len(document['rows'])} rows are red"
    words = f"{project} does what the rows ask for"
    if listed:
        words += f", but for {listed} known deviations"
    return words + (f"; {lost} rows have no verdict" if lost else "")


def _context(document: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = clean(document)
    profile = cleaned["profiles"][0]
    return {
        "document": cleaned,
        "verdict": verdict_line(cleaned),
        "good": not cleaned["policylab"]["red"],
        "profiles": {level: profile[level] for level in ("core", "extended")},
        "amiss": [r for r in cleaned["rows"] if r["status"] != Status.PASSED or r["red"]],
        "environment": environment_line(cleaned["environment"]),
        "status_icons": ICONS,
        "status_styles": STYLES,
    }
