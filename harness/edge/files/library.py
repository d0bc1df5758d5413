"""Reads manifests from a tutorial's folder, or from any folder, file or stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from harness.core.manifests.reader import MAX_BYTES, File, Loaded, Resource, parse, read_files
from harness.core.target.family import IPV4, Families, Family
from harness.errors import ContentError

SUFFIXES = (".yaml", ".yml", ".json")
"""The suffixes of the files that `kubectl apply -f` reads in a folder."""
STDIN = "-"
OVERLAY = "ipv6"
"""The folder with what replaces a tutorial's manifests on a cluster that has IPv6."""
MAX_FILES = 1_000
LAB_BYTES = 64 * 1024


def load(folder: Path, families: Families = IPV4) -> Loaded:
    """Every manifest of a tutorial's folder, by file name without its suffix.

    Each object must name its namespace, so that no object gets into another namespace. Where the
    cluster has IPv6, a file in the folder `ipv6` takes the place of the file of the same name: a
    manifest that names networks of IPv4 alone would mean something else there.

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
    twins = folder / OVERLAY if Family.IPV6 in families else None
    used = [twins / p.name if twins and (twins / p.name).is_file() else p for p in paths]
    return Loaded({path.stem: _lab_file(path) for path in used})


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


def files_at(sources: Iterable[Path], *, deep: bool = False) -> list[File]:
    """The manifests of files, folders and `-` (stdin), each called by its path as it is named.

    `deep`: folders inside of folders are read as well.

    Raises:
        ContentError: there is no such folder or file, or it holds nothing to read.
    """
    found: dict[str, File] = {}
    for source in sources:
        if str(source) == STDIN:
            found.setdefault("stdin", File("stdin", _bounded(sys.stdin.buffer)))
            continue
        for path in _paths(source, deep=deep):
            if str(path) not in found:
                found[str(path)] = File(str(path), _content(path))
        if len(found) > MAX_FILES:
            raise ContentError(f"at most {MAX_FILES} manifests are read", where=str(source))
    return list(found.values())


def _paths(source: Path, *, deep: bool = False) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise ContentError("there is no such folder or file", where=str(source))
    inside = source.rglob("*") if deep else source.iterdir()
    named = sorted(path for path in inside if path.suffix in SUFFIXES)
    paths = [path for path in named if path.is_file()]
    if dead := [path for path in named if not path.is_file() and not path.is_dir()]:
        # As kubectl does: the policy that somebody meant would be missing without a word.
        raise ContentError(
            "a manifest is no file that can be read",
            where=str(dead[0]),
            seen=f"a link to {dead[0].readlink()}" if dead[0].is_symlink() else "no usual file",
            try_="mend it, or remove it",
        )
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
        yield File(f"{path.parent.name}/{path.name}", _content(path))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            return _bounded(opened)
    except OSError as error:
        raise ContentError("a manifest cannot be read", where=str(path), seen=str(error)) from error


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
