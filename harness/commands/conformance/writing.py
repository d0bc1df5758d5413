"""The files of a run of conformance: the reports, and a folder for each row that failed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from harness.core.conformance.deviations import Verdict
from harness.core.conformance.report import Facts, report
from harness.core.conformance.row import Row
from harness.errors import ContentError
from harness.report.conformance.junit import columns, junit
from harness.report.conformance.pages import html, markdown
from harness.report.writer import to_job

REPORT, FAILED = "report.yaml", "failed"
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


def write(verdicts: Sequence[Verdict], facts: Facts, folder: Path) -> str:
    """Write all files; the summary in Markdown, which a CI job gets as well.

    Raises:
        ContentError: the folder cannot be written.
    """
    document = report(verdicts, facts)
    summary = markdown(document)
    text = yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / REPORT, text)
        _put(folder / "junit.xml", junit(verdicts, facts.implementation.project))
        _put(folder / "summary.md", summary)
        _put(folder / "report.html", html(document))
        shutil.rmtree(folder / FAILED, ignore_errors=True)
        for verdict in verdicts:
            if verdict.row.files:
                _evidence(verdict.row, folder / FAILED)
    except OSError as error:
        raise ContentError(
            "the reports cannot be written",
            where=str(folder),
            seen=error.strerror or str(error),
            try_="name another folder: --out DIR",
        ) from error
    to_job(summary)
    return summary


def _evidence(row: Row, home: Path) -> None:
    folder = home / _UNFIT.sub("-", row.name)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [row.about, row.why, "", *map(columns, row.flows), "", *row.evidence]
    _put(folder / "flows.txt", "\n".join(lines) + "\n")
    for name, text in row.files.items():
        _put(folder / _UNFIT.sub("-", name), text)


def _put(file: Path, text: str) -> None:
    """Replace a file in one move, so that no reader and no crash finds half of it."""
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
