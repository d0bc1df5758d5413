"""How a run of conformance ends: the lines on the terminal, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.commands.conformance.writing import REPORT
from harness.core.conformance.case import Case
from harness.core.conformance.deviations import Verdict
from harness.core.conformance.report import words
from harness.core.conformance.row import Status
from harness.exitcode import ExitCode


def tell_cases(console: Console, cases: Sequence[Case]) -> None:
    """List cases: a line for each, with its level, its features and what it is about."""
    for case in cases:
        features = ", ".join(case.features)
        text = f"{case.name} ({case.level}; {features}): {case.about}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    console.print(f"{len(cases)} cases", highlight=False)


def tell(console: Console, verdicts: Sequence[Verdict], folder: Path) -> None:
    """Say what the rows come to, and which are red."""

    def say(text: str, style: str = "") -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    for verdict in verdicts:
        if verdict.row.runs:
            say(f"{verdict.row.name}: {verdict.row.runs}")
    say(words(verdict.row for verdict in verdicts))
    if not any(verdict.row.status in (Status.PASSED, Status.FAILED) for verdict in verdicts):
        say("no row was judged, so this run says nothing of the CNI")
    for verdict in verdicts:
        if verdict.says and not verdict.red:
            say(f"{verdict.row.name}: {verdict.says}")
    for verdict in verdicts:
        if verdict.red:
            say(f"red: {verdict.row.name}: {verdict.says or verdict.row.why}", "bold red")
    say(f"the report is {folder / REPORT}, and report.html beside it")


def exit_code(verdicts: Sequence[Verdict]) -> ExitCode:
    """Red is certain; without a red row, one without a verdict counts, and so does no row."""
    if any(verdict.red for verdict in verdicts):
        return ExitCode.DIFFERS
    judged_rows = [v for v in verdicts if v.row.status in (Status.PASSED, Status.FAILED)]
    lost = any(verdict.row.status is Status.NO_VERDICT for verdict in verdicts)
    return ExitCode.NO_VERDICT if lost or not judged_rows else ExitCode.OK
