"""Archives of submissions, read in memory: nothing is ever unpacked onto the disk.

What an archive says of itself is not believed: sizes are counted while reading, and names are only
compared, never used as paths. What is wrong with one entry is told of that entry. In an archive of
a whole course each owner has limits of their own, so that nobody's files cost another's.
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
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
MAX_ENTRIES = 20_000
"""Entries of one owner."""
MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes of all entries of one owner together."""
MAX_COURSE_ENTRIES, MAX_COURSE_UNPACKED = 200_000, 1024 * 1024 * 1024
"""The same of an archive of several owners."""
LEADS_OUT = "its name leads out of the archive"
_PIECE = 64 * 1024
_FAULTS = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError),
    lzma.LZMAError,
    *(RuntimeError, NotImplementedError, ValueError, UnicodeError),
)


class ArchiveError(Exception):
    """Why an archive is not read, in words for its owner."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive, or what stands in a file's place: then `problem` says what it is.

    `parts` are the parts of its name. `data` is cut off behind the limit of one file. `whole`: the
    problem is one of all files of its owner.
    """

    parts: tuple[str, ...]
    data: bytes
    problem: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive by its name, and its bytes: a file, or what another archive holds."""

    name: str
    source: Path | bytes

    def open(self) -> IO[bytes]:
        """The bytes from their beginning."""
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        return self.source.open("rb")


Wanted = Callable[[str], bool]
Owner = Callable[[tuple[str, ...]], Hashable]


def is_archive(name: str) -> bool:
    """Whether a file's name is that of an archive."""
    return name.lower().endswith(ARCHIVES)


def everything(_: str) -> bool:
    """Want every entry."""
    return True


def entries(
    path: Path | Archive, *, most: int, wanted: Wanted = everything, owner: Owner | None = None
) -> Iterator[Entry]:
    """The files of an archive in their order, of each of them at most so many bytes.

    Only those whose names are `wanted` are read; the others have no bytes. `owner` says whose an
    entry is, by the parts of its name; for an owner who has too much there is an entry that
    says so. Without `owner` the archive is one owner's.

    Raises:
        ArchiveError: it is no archive, is damaged, or holds too much.
    """
    archive = path if isinstance(path, Archive) else Archive(path.name, path)
    budget = _Budget(owner)
    read = _of_zip if archive.name.lower().endswith(".zip") else _of_tar
    try:
        yield from read(archive, budget, most, wanted)
    except _FAULTS as error:
        raise ArchiveError(f"the archive cannot be read: {error}") from error


def _of_zip(archive: Archive, budget: _Budget, most: int, wanted: Wanted) -> Iterator[Entry]:
    with archive.open() as opened, zipfile.ZipFile(opened) as packed:
        for info in packed.infolist():
            if info.is_dir():
                budget.one_more(())
                continue
            parts, problem = _named(info.filename)
            if stat.S_ISLNK(info.external_attr >> 16):
                problem = "it is a link"
            elif info.flag_bits & 1:
                problem = "it is encrypted, and nobody gave policylab a password"
            if (too_much := budget.one_more(parts)) is not None:
                yield from too_much
            elif problem or not wanted("/".join(parts)):
                yield Entry(parts, b"", problem)
            else:
                yield from _entry_of_zip(packed, info, parts, budget, most)


def _entry_of_zip(
    packed: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    parts: tuple[str, ...],
    budget: _Budget,
    most: int,
) -> Iterator[Entry]:
    try:
        with packed.open(info) as opened:
            yield from budget.read(parts, opened, most)
    except _FAULTS as error:
        # The place of every other entry is known, so that this one costs nothing but itself.
        yield Entry(parts, b"", f"it cannot be read: {error}")


def _of_tar(archive: Archive, budget: _Budget, most: int, wanted: Wanted) -> Iterator[Entry]:
    # As a stream: a list of all entries would be as long as the archive says.
    # The whole stream is counted, for what is passed over has to be unpacked as well.
    with (
        archive.open() as packed,
        closing(_Counted(_unpacked(packed), budget.in_all)) as counted,
        tarfile.open(fileobj=counted, mode="r|") as opened,
    ):
        for info in opened:
            if info.isdir():
                budget.one_more(())
                continue
            parts, problem = _named(info.name)
            if not info.isreg():
                problem = "it is a link or a device, and no file"
            if (too_much := budget.one_more(parts)) is not None:
                yield from too_much
                continue
            file = None if problem or not wanted("/".join(parts)) else opened.extractfile(info)
            if file is None:
                yield Entry(parts, b"", problem)
            else:
                yield from budget.read(parts, file, most)


def _unpacked(packed: IO[bytes]) -> IO[bytes]:
    head = packed.read(6)
    packed.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(packed))
    if head.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.open(packed))
    if head.startswith(b"\xfd7zXZ"):
        return cast("IO[bytes]", lzma.open(packed))
    return packed


class _Counted(io.RawIOBase):
    """A stream that fails when more is read of it than an archive may unpack to."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source = source
        self._most = self._left = most

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size if size >= 0 else self._most + 1)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(_too_much("the archive", self._most))
        return data

    def close(self) -> None:
        self._source.close()
        super().close()


def _too_much(what: str, most: int) -> str:
    return f"{what} unpacks to more than {most // 1024**2} MiB"


def _named(name: str) -> tuple[tuple[str, ...], str]:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")):
        kept = tuple(part for part in parts if part not in ("/", "..") and not part.endswith(":"))
        return kept, LEADS_OUT
    return parts, ""


class _Budget:
    """What an archive, and each owner of a part of it, may still hold."""

    def __init__(self, owner: Owner | None) -> None:
        self._owner = owner or (lambda _: "")
        several = owner is not None
        self.in_all = MAX_COURSE_UNPACKED if several else MAX_UNPACKED
        self._several = several
        self._entries = MAX_COURSE_ENTRIES if several else MAX_ENTRIES
        self._bytes = self.in_all
        self._of: dict[Hashable, list[int]] = defaultdict(lambda: [MAX_ENTRIES, MAX_UNPACKED])

    def one_more(self, parts: tuple[str, ...]) -> tuple[Entry, ...] | None:
        """Count an entry; what stands in its place if its owner has too many, else None."""
        self._entries -= 1
        if self._entries < 0:
            most = MAX_COURSE_ENTRIES if self._several else MAX_ENTRIES
            raise ArchiveError(f"the archive has more than {most} entries")
        left = self._of[self._owner(parts)]
        left[0] -= 1
        if left[1] < 0 or left[0] < -1:
            return ()  # this was told already
        if left[0] < 0:
            words = f"there are more than {MAX_ENTRIES} entries"
            return (Entry(parts, b"", words, whole=True),)
        return None

    def read(self, parts: tuple[str, ...], opened: IO[bytes], most: int) -> Iterator[Entry]:
        """The entry with its bytes, or with a problem if its owner has too much."""
        kept: list[bytes] = []
        size = 0
        left = self._of[self._owner(parts)]
        # One byte more than is allowed is read, so that whoever parses the file sees it is too big.
        while size <= most and (piece := opened.read(min(_PIECE, most + 1 - size))):
            kept.append(piece)
            size += len(piece)
            self._bytes -= len(piece)
            left[1] -= len(piece)
            if self._bytes < 0 or (left[1] < 0 and not self._several):
                raise ArchiveError(_too_much("the archive", self.in_all))
            if left[1] < 0:
                words = _too_much("what was handed in", MAX_UNPACKED)
                yield Entry(parts, b"", words, whole=True)
                return
        yield Entry(parts, b"".join(kept))
