"""Reads manifests from a tutorial's folder, or from any folder, file or stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from harness.core.manifests.reader import MAX_BYTES, File, Loaded, Resource, parse, read_files
from harness.errors import ContentError

SUFFIXES = (".yaml", ".yml", ".json")
"""The suffixes of the files that `kubectl apply -f` reads in a folder."""
STDIN = "-"
MAX_FILES = 1_000
LAB_BYTES = 64 * 1024


def load(folder: Path) -> Loaded:
    """Every manifest of a tutorial's folder, by file name without its suffix.

    Each object must name its namespace, so that no object gets into another namespace.

    Raises:
        ContentError: there is no such folder, or a file is too large to be a lab's manifest.
        ManifestError: a file has a field or a kind that policylab does not know.
    """
    paths = sorted(path for path in folder.glob("*.yaml") if path.is_file())
    if not paths:
        raise ContentError(
            "the tutorial has no manifests",
            where=str(folder),
            try_="write one file for each policy step: NN-name.yaml",
        )
    return Loaded({path.stem: _lab_file(path) for path in paths})


def read(source: Path, *, namespace: str = "") -> Loaded:
    """The manifests in a folder (without the folders in it), in a file, or on stdin (`-`).

    Objects that name no namespace get `namespace`; if it is empty, `read_files` chooses one.

    Raises:
        ContentError: there is no such folder or file, or it has no manifest.
        ManifestError: a file cannot be read; the message has every fault of all files.
    """
    if str(source) == STDIN:
        return read_files([File("stdin", _bounded(sys.stdin.buffer))], namespace=namespace)
    paths = _paths(source)
    return read_files(list(_files(paths)), namespace=namespace)


def _paths(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise ContentError("there is no such folder or file", where=str(source))
    paths = sorted(p for p in source.iterdir() if p.suffix in SUFFIXES and p.is_file())
    if not paths:
        raise ContentError(
            "the folder has no manifests",
            where=str(source),
            seen=f"{sum(1 for _ in source.iterdir())} entries, none of them {', '.join(SUFFIXES)}",
            try_="name a folder that has such files itself; folders in it are not read",
        )
    if len(paths) > MAX_FILES:
        raise ContentError(
            f"the folder has {len(paths)} manifests, and at most {MAX_FILES} are read",
            where=str(source),
        )
    return paths


def _files(paths: Iterable[Path]) -> Iterable[File]:
    for path in paths:
        try:
            with path.open("rb") as opened:
                yield File(f"{path.parent.name}/{path.name}", _bounded(opened))
        except OSError as error:
            raise ContentError(
                "a manifest cannot be read", where=str(path), seen=str(error)
            ) from error


def _bounded(opened: BinaryIO) -> bytes:
    """A file's bytes, but at most one byte more than the limit; the reader refuses such a file."""
    return opened.read(MAX_BYTES + 1)


def _lab_file(path: Path) -> tuple[Resource, ...]:
    if path.stat().st_size > LAB_BYTES:
        raise ContentError(
            f"{path.name} is over {LAB_BYTES} bytes",
            where=str(path),
            try_="manifests of labs are short: split the file",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(
            f"{path.name} is not UTF-8 text", where=str(path), seen=str(error)
        ) from error
    return parse(text, origin=f"{path.parent.name}/{path.name}")
