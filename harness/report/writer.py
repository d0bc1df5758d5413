"""The report folder: labs.json from the first moment on, rewritten whole after every row."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from harness.report.pages import html, markdown

LABS = "labs.json"


class Reports:
    """Writes what people and machines read after a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, document: dict[str, Any]) -> None:
        """Replace labs.json in one move, so that a reader or a crash never meets half a file."""
        self._replace(LABS, json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    def finish(self, document: dict[str, Any]) -> None:
        """Write labs.json and what is rendered from it; a CI job's summary gets Markdown too."""
        self.write(document)
        self._replace("report.html", html(document))
        summary = markdown(document)
        self._replace("summary.md", summary)
        if job := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(job).open("a", encoding="utf-8") as out:
                out.write(summary)

    def _replace(self, name: str, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}.new"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.folder / name)
