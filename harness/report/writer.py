"""The report folder: labs.json exists from the start, and is rewritten as rows are checked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from harness.errors import ContentError
from harness.report.pages import html, markdown

LABS = "labs.json"
JOB = "GITHUB_STEP_SUMMARY"
"""The variable that names the file of a CI job's summary."""


class Reports:
    """Writes the reports of a run, for people and for programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, document: dict[str, Any]) -> None:
        """Replace labs.json in one move, so that no reader and no crash finds half a file."""
        self._replace(LABS, json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    def finish(self, document: dict[str, Any]) -> None:
        """Write labs.json and all reports; a CI job's summary gets the Markdown too."""
        self.write(document)
        self._replace("report.html", html(document))
        summary = markdown(document)
        self._replace("summary.md", summary)
        to_job(summary)

    def _replace(self, name: str, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}.new"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.folder / name)


def to_job(summary: str) -> None:
    """Append a summary in Markdown to that of the CI job, if one runs here.

    Raises:
        ContentError: its file cannot be written.
    """
    if not (job := os.environ.get(JOB)):
        return
    try:
        with Path(job).open("a", encoding="utf-8") as out:
            out.write(summary)
    except OSError as error:
        raise ContentError(
            "the summary of the CI job cannot be written",
            where=job,
            seen=error.strerror or str(error),
            try_=f"unset {JOB}; the reports are written",
        ) from error
