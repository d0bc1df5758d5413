"""Archives of submissions, read in memory: nothing is ever unpacked onto the disk.

What an archive says of itself is not believed: sizes are counted while reading, and names are only
compared, never used as paths.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
MAX_ENTRIES = 20_000
"""Entries of one archive: a class of 1,000 students with 20 files each."""
MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes of all entries of one archive together."""
_PIECE = 64 * 1024


class ArchiveError(Exception):
    """Why an archive is not read, in words for its owner."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive, or what stands in a file's place: then `problem` says what it is.

    `parts` are the parts of its name. `data` is cut off behind the limit of one file.
    """

    parts: tuple[str, ...]
    data: bytes
    problem: str = ""


def is_archive(name: str) -> bool:
    """Whether a file's name is that of an archive."""
    return name.lower().endswith(ARCHIVES)


def entries(path: Path, *, most: int) -> Iterator[Entry]:
    """The files of an archive in their order, of each of them at most so many bytes.

    Raises:
        ArchiveError: it is no archive, is damaged or encrypted, or holds too much.
    """
    try:
        if path.name.lower().endswith(".zip"):
            yield from _of_zip(path, most)
        else:
            yield from _of_tar(path, most)
    except (
        *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError),
        lzma.LZMAError,
        *(RuntimeError, NotImplementedError, ValueError, UnicodeError),
    ) as error:
        raise ArchiveError(f"the archive cannot be read: {error}") from error


def _of_zip(path: Path, most: int) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        budget = _Budget()
        for info in archive.infolist():
            budget.one_more()
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise ArchiveError("the archive is encrypted, and nobody gave policylab a password")
            parts, problem = _named(info.filename)
            if stat.S_ISLNK(info.external_attr >> 16):
                problem = "it is a link"
            if problem:
                yield Entry(parts, b"", problem)
                continue
            with archive.open(info) as opened:
                yield Entry(parts, budget.read(opened, most))


def _of_tar(path: Path, most: int) -> Iterator[Entry]:
    # As a stream: a list of all entries would be as long as the archive says.
    # The whole stream is counted, for what is passed over has to be unpacked as well.
    with _unpacked(path) as source, tarfile.open(fileobj=_Counted(source), mode="r|") as archive:
        budget = _Budget()
        for info in archive:
            budget.one_more()
            if info.isdir():
                continue
            parts, problem = _named(info.name)
            if not info.isreg():
                problem = "it is a link or a device, and no file"
            opened = None if problem else archive.extractfile(info)
            yield Entry(parts, budget.read(opened, most) if opened else b"", problem)


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as packed:
        head = packed.read(6)
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path))
    if head.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.open(path))
    if head.startswith(b"\xfd7zXZ"):
        return cast("IO[bytes]", lzma.open(path))
    return path.open("rb")


class _Counted(io.RawIOBase):
    """A stream that fails when more is read of it than an archive may unpack to."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._left = MAX_UNPACKED

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size if size >= 0 else MAX_UNPACKED + 1)
        self._left -= len(data)
        if self._left < 0:
            raise _too_much()
        return data


def _too_much() -> ArchiveError:
    return ArchiveError(f"the archive unpacks to more than {MAX_UNPACKED // 1024**2} MiB")


def _named(name: str) -> tuple[tuple[str, ...], str]:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")):
        kept = tuple(part for part in parts if part not in ("/", "..") and not part.endswith(":"))
        return kept, "its name leads out of the archive"
    return parts, ""


class _Budget:
    """What an archive may still hold."""

    def __init__(self) -> None:
        self._entries, self._bytes = MAX_ENTRIES, MAX_UNPACKED

    def one_more(self) -> None:
        self._entries -= 1
        if self._entries < 0:
            raise ArchiveError(f"the archive has more than {MAX_ENTRIES} entries")

    def read(self, opened: IO[bytes], most: int) -> bytes:
        kept: list[bytes] = []
        size = 0
        # One byte more than is allowed is read, so that whoever parses the file sees it is too big.
        while size <= most and (piece := opened.read(min(_PIECE, most + 1 - size))):
            kept.append(piece)
            size += len(piece)
            self._bytes -= len(piece)
            if self._bytes < 0:
                raise _too_much()
        return b"".join(kept)
