"""The files of a run of conformance: the reports, and a folder for each row that failed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from harness.core.conformance.deviations import Verdict
from harness.core.conformance.report import Facts, report
from harness.core.conformance.row import Row, Status, folder_name
from harness.errors import ContentError
from harness.report.conformance.junit import columns, junit
from harness.report.conformance.pages import html, markdown
from harness.report.writer import to_job

REPORT, FAILED, FLOWS = "report.yaml", "failed", "flows.txt"
MAX_EVIDENCE = 16 * 1024 * 1024


def ready(folder: Path) -> None:
    """Check before a run, which may take long, that its reports can be written.

    Raises:
        ContentError: the folder cannot be written, or the summary of the CI job.
    """
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / ".ready", "")
        (folder / ".ready").unlink()
    to_job("")


def write(verdicts: Sequence[Verdict], facts: Facts, folder: Path) -> str:
    """Write all files; the summary in Markdown, which a CI job gets as well.

    Raises:
        ContentError: the folder cannot be written.
    """
    document = report(verdicts, facts)
    summary = markdown(document)
    text = yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / REPORT, text)
        _put(folder / "junit.xml", junit(verdicts, facts.implementation.project))
        _put(folder / "summary.md", summary)
        _put(folder / "report.html", html(document))
        _clear(folder / FAILED)
        for verdict in verdicts:
            if verdict.row.files or verdict.row.status is Status.FAILED:
                _evidence(verdict.row, folder / FAILED)
    to_job(summary)
    return summary


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ContentError(
            "the reports cannot be written",
            where=str(folder),
            seen=error.strerror or str(error),
            try_="name another folder: --out DIR",
        ) from error


def _clear(home: Path) -> None:
    """Remove the folders of an earlier run's cases, and nothing that somebody else put there."""
    for file in home.glob(f"*/{FLOWS}"):
        shutil.rmtree(file.parent)
    if home.is_dir() and not any(home.iterdir()):
        home.rmdir()


def _evidence(row: Row, home: Path) -> None:
    folder = home / folder_name(row.name)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [row.about, row.why, "", *map(columns, row.flows), "", *row.evidence]
    _put(folder / FLOWS, "\n".join(lines) + "\n")
    for name, text in row.files.items():
        _put(folder / folder_name(name), text)


def evidence_of(name: str, folder: Path) -> dict[str, str]:
    """What lies beside a report for the row of this name, by the files' names.

    Raises:
        ContentError: a file cannot be read, or is larger than any that policylab writes.
    """
    home = folder / FAILED / folder_name(name)
    found = {}
    for file in sorted(home.iterdir()) if home.is_dir() else ():
        if file.name == FLOWS or file.is_symlink() or not file.is_file():
            continue
        try:
            if file.stat().st_size > MAX_EVIDENCE:
                raise ContentError(f"the file has more than {MAX_EVIDENCE} bytes", where=str(file))
            found[file.name] = file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            seen = error.strerror or str(error)
            raise ContentError("the file cannot be read", where=str(file), seen=seen) from error
    return found


def _put(file: Path, text: str) -> None:
    """Replace a file in one move, so that no reader and no crash finds half of it."""
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
