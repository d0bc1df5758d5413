"""Manifests, from a tutorial's folder, or from a folder, file or stdin as people have them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from harness.core.manifests.reader import MAX_BYTES, File, Loaded, Resource, parse, read_files
from harness.errors import ContentError

SUFFIXES = (".yaml", ".yml", ".json")
"""Of the files of a folder that `kubectl apply -f` reads."""
STDIN = "-"
MAX_FILES = 1_000
LAB_BYTES = 64 * 1024


def load(folder: Path) -> Loaded:
    """Every manifest of a tutorial's folder, by file name without its suffix.

    Each object states its namespace, so that nothing lands elsewhere.

    Raises:
        ContentError: there is no such folder, or a file is too large to be a lab's manifest.
        ManifestError: a file holds something that policylab does not know.
    """
    paths = sorted(path for path in folder.glob("*.yaml") if path.is_file())
    if not paths:
        raise ContentError(
            "the tutorial has no manifests",
            where=str(folder),
            try_="one policy step a file, NN-name.yaml",
        )
    return Loaded({path.stem: _lab_file(path) for path in paths})


def read(source: Path, *, namespace: str = "") -> Loaded:
    """Manifests as people have them: a folder (without those inside), a file, or `-` for stdin.

    `namespace` is that of objects that state none; without it, `read_files` says which.

    Raises:
        ContentError: there is no such folder or file, or it holds nothing to read.
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
            try_="a folder whose own files end so; folders inside are not read",
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
    """A file's bytes, and one more than the limit where it has more: the reader refuses it."""
    return opened.read(MAX_BYTES + 1)


def _lab_file(path: Path) -> tuple[Resource, ...]:
    if path.stat().st_size > LAB_BYTES:
        raise ContentError(
            f"{path.name} is over {LAB_BYTES} bytes",
            where=str(path),
            try_="manifests of labs are short: split it",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(
            f"{path.name} is not UTF-8 text", where=str(path), seen=str(error)
        ) from error
    return parse(text, origin=f"{path.parent.name}/{path.name}")
