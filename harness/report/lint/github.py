"""The findings of lint as workflow commands, which GitHub shows beside the lines of a change.

Source of the form: GitHub's documentation, "Workflow commands for GitHub Actions", and the
escapes of its own toolkit (actions/toolkit, packages/core/src/command.ts).
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.lint.finding import Finding, Sure
from harness.core.lint.linting import Linted
from harness.report.lint.sarif import message

LEVELS = {Sure.CERTAIN: "error", Sure.LIKELY: "warning", Sure.POSSIBLE: "notice"}


def workflow_commands(linted: Linted, sure: Sure) -> Iterator[str]:
    """One command for each finding that is at least as sure as this; each is one line."""
    for finding in linted.at_least(sure):
        yield _annotation(finding)
    for text in linted.basis.unknown if linted.unchecked else ():
        yield f"::warning title=not known::{_data(text)}"


def _annotation(finding: Finding) -> str:
    spot = finding.spot
    properties = {"file": spot.file, "line": str(spot.line)} if spot.line else {}
    properties["title"] = f"{finding.rule} ({finding.sure})"
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{LEVELS[finding.sure]} {written}::{_data(message(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
