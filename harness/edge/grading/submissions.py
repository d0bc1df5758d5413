"""What students handed in: folders, one for each student, or loose files, one for each student."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.manifests.reader import File
from harness.edge.files.library import SUFFIXES
from harness.errors import ContentError

MAX_BYTES = 256 * 1024
MAX_FILES = 100


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One student's files as they came; `notes` say what was passed over."""

    id: str
    files: tuple[File, ...]
    notes: tuple[str, ...] = ()


def handed_in(sources: Iterable[Path]) -> list[HandedIn]:
    """The submissions of these folders and files, sorted by id.

    Raises:
        ContentError: there is no such folder or file, or two submissions have one id.
    """
    found: dict[str, HandedIn] = {}
    for source in sources:
        for submission in _at(source):
            if submission.id in found:
                raise ContentError(
                    f"two submissions are called `{submission.id}`", where=str(source)
                )
            found[submission.id] = submission
    return [found[name] for name in sorted(found)]


def _at(source: Path) -> Iterator[HandedIn]:
    if source.is_file():
        yield of_files(source.stem, [source])
        return
    if not source.is_dir():
        raise ContentError("there is no such folder or file", where=str(source))
    entries = sorted(entry for entry in source.iterdir() if not entry.is_symlink())
    for entry in entries:
        if entry.is_dir():
            yield of_files(entry.name, sorted(p for p in entry.rglob("*") if p.is_file()))
        elif entry.suffix in SUFFIXES:
            yield of_files(entry.stem, [entry])


def of_files(name: str, paths: Iterable[Path]) -> HandedIn:
    """One student's files; what is no manifest is passed over, and never looked into."""
    files: list[File] = []
    notes: list[str] = []
    for path in paths:
        if path.is_symlink() or path.suffix not in SUFFIXES:
            notes.append(f"{path.name} is no manifest and was ignored")
        elif len(files) < MAX_FILES:
            with path.open("rb") as opened:
                files.append(File(path.name, opened.read(MAX_BYTES + 1)))
    return HandedIn(name, tuple(files), tuple(notes))


def of_paths(name: str, sources: Iterable[Path]) -> HandedIn:
    """One student's files and folders, as a command line names them.

    Raises:
        ContentError: one of them is not there.
    """
    paths: list[Path] = []
    for source in sources:
        if source.is_dir():
            paths += sorted(p for p in source.rglob("*") if p.is_file())
        elif source.is_file():
            paths.append(source)
        else:
            raise ContentError("there is no such folder or file", where=str(source))
    return of_files(name, paths)
