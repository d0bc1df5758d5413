"""Assignments on disk: the shipped ones by name, any other by its folder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import harness
from harness.core.grading.model import Assignment
from harness.core.grading.reading import FILE, read_assignment
from harness.core.manifests.reader import File, Loaded
from harness.edge.files.library import files_at, read
from harness.errors import ContentError

FOLDER = "assignments"
WORKLOADS, REFERENCE, TASK = "workloads", "reference", "task.md"
MAX_TEXT = 256 * 1024


def shipped() -> dict[str, Path]:
    """The folders of the assignments that policylab brings, by name."""
    home = Path(harness.__file__).parent / FOLDER
    return {path.parent.name: path.parent for path in sorted(home.glob(f"*/{FILE}"))}


def load_assignment(name: str, cnis: Collection[str]) -> Assignment:
    """An assignment by the name of a shipped one, or by a folder; `cnis` are the known CNIs.

    Raises:
        ContentError: there is no such assignment, or its folder lacks a file or has a wrong one.
    """
    folder = folder_of(name)
    text = text_of(folder / FILE, f"an assignment is a folder with a file {FILE}")
    # The workloads are read with their namespaces stated, as a lab's: nothing lands elsewhere.
    workloads = _objects(folder, WORKLOADS)
    return read_assignment(
        folder.resolve().name,
        text,
        origin=str(folder),
        workloads=tuple(resource for resources in workloads.values() for resource in resources),
        reference=reference_of(folder),
        task=text_of(folder / TASK, "the task is the text that students get"),
        cnis=cnis,
    )


def folder_of(name: str) -> Path:
    """The folder of an assignment.

    Raises:
        ContentError: there is none of this name or at this place.
    """
    known = shipped()
    if name in known:
        return known[name]
    folder = Path(name)
    if folder.is_dir():
        return folder
    near = get_close_matches(name, known, n=1)
    raise ContentError(
        f"there is no assignment `{name}`",
        seen=f"shipped: {', '.join(known)}",
        try_=f"did you mean `{near[0]}`?" if near else "name one of these, or a folder",
    )


def reference_of(folder: Path) -> tuple[File, ...]:
    """The files of the right solution; their names are short, for messages.

    Raises:
        ContentError: there is none.
    """
    paths = [p for p in (folder / f"{REFERENCE}.yaml", folder / REFERENCE) if p.exists()]
    if not paths:
        raise ContentError(
            "the assignment has no right solution, by which policylab checks it",
            where=str(folder),
            try_=f"write a right one into {REFERENCE}.yaml; students never get it",
        )
    found = files_at(paths)
    return tuple(replace(file, origin=file.name) for file in found)


def _objects(folder: Path, name: str) -> Loaded:
    paths = [p for p in (folder / f"{name}.yaml", folder / name) if p.exists()]
    if not paths:
        raise ContentError("the assignment has no workloads", where=f"{folder}/{name}.yaml")
    return read(paths[0])


def text_of(path: Path, meaning: str) -> str:
    """The text of a file of an assignment; `meaning` says what it is, for the error.

    Raises:
        ContentError: it is not there, or is no text.
    """
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_TEXT).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(
            f"the file cannot be read: {meaning}", where=str(path), seen=str(error)
        ) from error
