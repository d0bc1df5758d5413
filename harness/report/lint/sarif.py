"""The findings of lint as SARIF 2.1.0, which code scanning services and editors read.

Source of the form: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0",
section 3. Ignored findings are results with a suppression, as section 3.35 has it.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePath, PurePosixPath
from typing import Any
from urllib.parse import quote

from harness import __version__
from harness.core.lint.finding import Finding, Sure
from harness.core.lint.linting import Ignored, Linted
from harness.core.lint.table import RULES
from harness.report.lint.text import flow_words

VERSION = "2.1.0"
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {Sure.CERTAIN: "error", Sure.LIKELY: "warning", Sure.POSSIBLE: "note"}
NUMBERS = {rule.id: number for number, rule in enumerate(RULES)}


def to_sarif(linted: Linted, sure: Sure) -> dict[str, Any]:
    """One run with a result for each finding that is at least as sure as this."""
    results = [_result(finding) for finding in linted.at_least(sure)]
    results += [
        {**_result(one.finding), "suppressions": [_suppression(one)]} for one in linted.ignored
    ]
    basis = linted.basis
    said = [("warning", text) for text in basis.unknown]
    said += [("note", text) for text in (*basis.assumed, *basis.notes)]
    invocation = {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": text}} for level, text in said
        ],
    }
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": _driver()},
                "columnKind": "unicodeCodePoints",
                "invocations": [invocation],
                "results": results,
            }
        ],
    }


def _driver() -> dict[str, Any]:
    return {
        "name": "policylab lint",
        "semanticVersion": __version__,
        "rules": [{"id": rule.id, "shortDescription": {"text": rule.meaning}} for rule in RULES],
    }


def _result(finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": NUMBERS[finding.rule],
        "level": LEVELS[finding.sure],
        "message": {"text": message(finding)},
        "locations": [_location(finding)],
        "partialFingerprints": {"policylab/v1": _fingerprint(finding)},
        "properties": {"sure": str(finding.sure)},
    }


def message(finding: Finding) -> str:
    """What happens, the flow that shows it, and the fix, in one text."""
    parts = [f"{finding.what}."]
    if finding.shown is not None:
        parts.append(f"Flow: {flow_words(finding.shown)}.")
    parts.append(f"Fix: {finding.fix.sentence}")
    text = " ".join(parts)
    return f"{text}\n{finding.fix.yaml}" if finding.fix.sentence.endswith(":") else f"{text}."


def _location(finding: Finding) -> dict[str, Any]:
    spot = finding.spot
    found: dict[str, Any] = {}
    if spot.line:
        found["physicalLocation"] = {
            "artifactLocation": {"uri": uri(spot.file)},
            "region": {"startLine": spot.line},
        }
    if spot.object:
        name = " ".join(filter(None, (spot.object, spot.field)))
        found["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return found


def uri(file: str) -> str:
    """A file as a reference of RFC 3986: relative to where the command ran, or absolute."""
    path = PurePath(file)
    if path.is_absolute():
        return path.as_uri()
    return quote(str(PurePosixPath(*path.parts)))


def _fingerprint(finding: Finding) -> str:
    """What stays the same when lines move: the rule, the object and the field."""
    spot = finding.spot
    parts = (finding.rule, spot.file, spot.object, spot.field)
    return sha256("\0".join(parts).encode()).hexdigest()


def _suppression(ignored: Ignored) -> dict[str, str]:
    return {"kind": "inSource", "justification": ignored.ignore.reason}
