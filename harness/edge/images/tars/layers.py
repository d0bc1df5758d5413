"""Layers of images, as tar files: the difference of two roots, or named files.

Details without meaning (times, owners of policylab's files, order) are fixed, so that the same
input gives the same bytes.
"""

from __future__ import annotations

import copy
import hashlib
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

EPOCH = 1_735_689_600
CHUNK = 1 << 20

_Entry = tuple[bytes, int, int, int, str, str]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_files(target: Path, files: Mapping[str, Path], links: Mapping[str, str]) -> None:
    """Write a layer with files (path in the image -> file) and symbolic links."""
    with tarfile.open(target, "w") as layer:
        for name in _folders([*files, *links]):
            layer.addfile(_plain(name, tarfile.DIRTYPE, 0o755))
        for name, source in sorted(files.items()):
            entry = _plain(name, tarfile.REGTYPE, 0o755 if _runs(source) else 0o644)
            entry.size = source.stat().st_size
            with source.open("rb") as content:
                layer.addfile(entry, content)
        for name, goal in sorted(links.items()):
            entry = _plain(name, tarfile.SYMTYPE, 0o777)
            entry.linkname = goal
            layer.addfile(entry)


def write_difference(base: Path, full: Path, target: Path) -> None:
    """Write the layer that turns the root `base` into the root `full`."""
    known = _index(base)
    with tarfile.open(full) as source, tarfile.open(target, "w") as layer:
        entries = {entry.name: entry for entry in source.getmembers()}
        for entry in entries.values():
            if known.get(entry.name) != _entry(source, entry):
                _add_changed(source, entry, entries, layer)
        for name in sorted(known.keys() - entries.keys()):
            path = PurePosixPath(name)
            if str(path.parent) in entries or f"./{path.parent}" in entries:
                gone = str(path.parent / f".wh.{path.name}")
                layer.addfile(_plain(gone, tarfile.REGTYPE, 0o644))


def _add_changed(
    source: tarfile.TarFile,
    entry: tarfile.TarInfo,
    entries: Mapping[str, tarfile.TarInfo],
    layer: tarfile.TarFile,
) -> None:
    """Add one entry; a hard link becomes a file, because its target may be in the layer below."""
    content = source.extractfile(entry) if entry.isreg() or entry.islnk() else None
    if content is not None and entry.islnk():
        size = entries[entry.linkname].size
        entry = copy.copy(entry)
        entry.linkname, entry.type, entry.size = "", tarfile.REGTYPE, size
    layer.addfile(entry, content)


def _index(root: Path) -> dict[str, _Entry]:
    with tarfile.open(root) as source:
        return {entry.name: _entry(source, entry) for entry in source}


def _entry(source: tarfile.TarFile, entry: tarfile.TarInfo) -> _Entry:
    digest = ""
    if entry.isreg() and (content := source.extractfile(entry)) is not None:
        hasher = hashlib.sha256()
        while chunk := content.read(CHUNK):
            hasher.update(chunk)
        digest = hasher.hexdigest()
    return (entry.type, entry.mode, entry.uid, entry.gid, entry.linkname, digest)


def _folders(names: Iterable[str]) -> list[str]:
    found = {str(parent) for name in names for parent in Path(name.lstrip("/")).parents}
    return sorted(found - {"."})


def _plain(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.type, entry.mode, entry.mtime = kind, mode, EPOCH
    return entry


def _runs(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)
