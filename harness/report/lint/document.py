"""The findings of lint for programs: a document that `templates/lint.schema.json` describes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness import __version__
from harness.core.lint.finding import Finding, Shown, Sure
from harness.core.lint.linting import Ignored, Linted
from harness.core.lint.table import BY_ID

SCHEMA_VERSION = 1


def to_json(linted: Linted, sure: Sure) -> dict[str, Any]:
    """The document: findings at least as sure as this, and how many are less sure."""
    shown = linted.at_least(sure)
    return {
        "schema_version": SCHEMA_VERSION,
        "policylab": __version__,
        "sure": str(sure),
        "findings": [_finding(finding) for finding in shown],
        "ignored": [_ignored(ignored) for ignored in linted.ignored],
        "unchecked": list(linted.unchecked),
        "basis": linted.basis.document(),
        "summary": {
            "policies": linted.policies,
            "findings": len(shown),
            "less_sure": len(linted.findings) - len(shown),
            "by_rule": dict(sorted(Counter(finding.rule for finding in shown).items())),
        },
    }


def _finding(finding: Finding) -> dict[str, Any]:
    spot = finding.spot
    return {
        "rule": finding.rule,
        "meaning": BY_ID[finding.rule].meaning,
        "sure": str(finding.sure),
        "file": spot.file,
        "line": spot.line or None,
        "object": spot.object or None,
        "field": spot.field or None,
        "what": finding.what,
        "flow": _flow(finding.shown) if finding.shown else None,
        "no_flow": None if finding.shown else BY_ID[finding.rule].no_flow,
        "fix": {"sentence": finding.fix.sentence, "yaml": finding.fix.yaml or None},
    }


def _flow(shown: Shown) -> dict[str, Any]:
    return {
        "from": str(shown.flow.source),
        "to": str(shown.flow.direct),
        "verdict": str(shown.verdict),
        "mended": str(shown.mended) if shown.mended else None,
        "reasons": list(shown.reasons),
        "made_up": list(shown.made_up),
    }


def _ignored(ignored: Ignored) -> dict[str, Any]:
    comment = ignored.ignore
    found = _finding(ignored.finding)
    return {**found, "ignored_by": {"line": comment.line, "reason": comment.reason}}
