"""What students handed in: folders, loose files or an archive, one or more files for each student.

Who handed in what follows from names (`names`). Where two students would be called the same by the
first part of a name, both keep their whole names. Nothing of a submission is used as a path, and
what is no manifest is never opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from harness.core.grading.submitting import MAX_BYTES
from harness.core.grading.telling.plain import visible
from harness.core.manifests.reader import File
from harness.edge.grading.archives import (
    LEADS_OUT,
    MAX_ENTRIES,
    MAX_UNPACKED,
    Archive,
    ArchiveError,
    Entry,
    entries,
    is_archive,
)
from harness.edge.grading.names import (
    MAX_NAME,
    apart,
    is_handed_in,
    is_hidden,
    is_manifest,
    number,
    prefix,
    short,
    whole,
)
from harness.errors import ContentError

MAX_FILES = 100
"""Manifests of one student."""
_SHOWN = 5
"""Files that are named as passed over; the others are counted."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One student's files as they came.

    `notes` say what was passed over; with a `problem`, nothing of it can be graded.
    """

    id: str
    files: tuple[File, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""


def handed_in(sources: Iterable[Path]) -> list[HandedIn]:
    """The submissions of these folders, files and archives, sorted by id.

    Raises:
        ContentError: there is no such folder or file, two submissions have one id, or an archive
            of the whole course cannot be read.
    """
    found: dict[str, HandedIn] = {}
    for source in sources:
        for submission in _at(source):
            if submission.id in found:
                raise ContentError(
                    f"two submissions are called `{submission.id}`",
                    where=str(source),
                    try_="rename one of them",
                )
            found[submission.id] = submission
    return [found[name] for name in sorted(found)]


def of_paths(name: str, sources: Iterable[Path]) -> HandedIn:
    """One student's files, folders and archives, as a command line names them.

    Raises:
        ContentError: one of them is not there.
    """
    found: list[Entry] = []
    for source in sources:
        if source.is_dir():
            found += _below(source)
        elif source.is_file():
            found += _file(source)
        else:
            raise ContentError("there is no such folder or file", where=str(source))
    return _submission(name, found)


def _at(source: Path) -> Iterator[HandedIn]:
    if source.is_file() and is_archive(source.name):
        yield from _course_of(source)
        return
    if source.is_file():
        yield from _called([((source.name,), _file(source))])
        return
    if not source.is_dir():
        raise ContentError("there is no such folder or file", where=str(source))
    students: list[tuple[tuple[str, ...], list[Entry]]] = []
    for entry in sorted(source.iterdir()):
        if is_hidden(entry.name):
            continue
        if entry.is_symlink():
            students.append(((entry.name, ""), [Entry((), b"", "it is a link")]))
        elif entry.is_dir():
            students.append(((entry.name, ""), _below(entry)))
        elif entry.is_file() and is_handed_in(entry.name):
            students.append(((entry.name,), _file(entry)))
    yield from _called(students)


def _course_of(path: Path) -> Iterator[HandedIn]:
    """The students of an archive: its folders and loose files, below one folder of its own."""
    try:
        # The names first: they say whose an entry is, so that everybody has limits of their own.
        names = list(entries(path, most=0, wanted=lambda _: False, owner=lambda _: ""))
        around = _around(names)

        def owner(parts: tuple[str, ...]) -> tuple[str, ...]:
            inner = parts[around:]
            return (inner[0], "") if len(inner) > 1 else inner

        known = {owner(e.parts) for e in names if e.problem != LEADS_OUT and _is_seen(e)}
        students: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        for entry in entries(path, most=MAX_BYTES, wanted=_is_read, owner=owner):
            key = owner(entry.parts)
            _must_be_known(entry, known=key in known)
            if _is_seen(entry) and (len(key) > 1 or is_handed_in(key[0])):
                # The files are called as in a folder, where the student's own is not said.
                above = around + len(key) - 1
                students[key] += _inner(replace(entry, parts=entry.parts[above:]))
    except ArchiveError as error:
        raise ContentError(
            "the archive is not read",
            where=str(path),
            seen=str(error),
            try_="unpack it, and name its folder in place of it",
        ) from error
    yield from _called(sorted(students.items()))


def _around(found: Sequence[Entry]) -> int:
    """How many folders are around the whole course: one, or none.

    A folder is not around a course if it is the only student's.
    """
    seen = [entry.parts for entry in found if _is_seen(entry) and entry.problem != LEADS_OUT]
    if len({parts[0] for parts in seen}) != 1 or any(len(parts) == 1 for parts in seen):
        return 0
    below = [parts[1:] for parts in seen]
    students = {prefix(parts[0]) for parts in below if len(parts) == 1}
    return 1 if len(students) > 1 or any(len(parts) > 1 for parts in below) else 0


def _must_be_known(entry: Entry, *, known: bool) -> None:
    if entry.problem == LEADS_OUT and not known:
        name = "/".join(entry.parts) or ".."
        raise ArchiveError(f"nobody knows whose `{name}` is: {LEADS_OUT}")


def _is_seen(entry: Entry) -> bool:
    return bool(entry.parts) and not any(map(is_hidden, entry.parts))


def _is_read(name: str) -> bool:
    return is_manifest(name) or is_archive(name)


def _inner(entry: Entry) -> list[Entry]:
    """An entry of a student's folder, or the files of the archive that it is."""
    if entry.problem or not is_archive(entry.parts[-1]):
        return [entry]
    if len(entry.data) > MAX_BYTES:
        words = f"an archive in an archive has at most {MAX_BYTES} bytes"
        return [replace(entry, data=b"", problem=words)]
    return _of_archive(Archive(entry.parts[-1], entry.data), entry.parts[:-1])


def _called(students: Sequence[tuple[tuple[str, ...], list[Entry]]]) -> Iterator[HandedIn]:
    """Give each student a name; loose files of one student come together."""
    groups: dict[str, list[tuple[tuple[str, ...], list[Entry]]]] = defaultdict(list)
    for name, found in students:
        groups[short(name)].append((name, found))
    named: list[tuple[str, str, list[Entry]]] = []
    for own, group in groups.items():
        loose = all(len(name) == 1 for name, _ in group)
        numbers = {number(name[0]) for name, _ in group}
        if len(group) == 1 or (loose and len(numbers) == 1):
            every = [entry for _, found in group for entry in found]
            named.append((own, visible(group[0][0][0]), every))
        else:
            named += [(whole(name[0]), visible("/".join(name)), found) for name, found in group]
    ids = apart((name, place) for name, place, _ in named)
    for (own, notes), (_, _, found) in zip(ids, named, strict=True):
        yield _submission(own, found, notes)


def _below(folder: Path) -> list[Entry]:
    found: list[Entry] = []
    budget = MAX_UNPACKED
    paths = sorted(islice(folder.rglob("*"), MAX_ENTRIES + 1))
    if len(paths) > MAX_ENTRIES:
        words = f"the folder has more than {MAX_ENTRIES} entries"
        return [Entry((), b"", words, whole=True)]
    for path in paths:
        parts = path.relative_to(folder).parts
        if any(is_hidden(part) for part in parts):
            continue
        if path.is_symlink():
            found.append(Entry(parts, b"", "it is a link"))
        elif path.is_file():
            one = _file(path)
            budget -= sum(len(entry.data) for entry in one)
            if budget < 0:
                words = f"the folder has more than {MAX_UNPACKED // 1024**2} MiB of manifests"
                return [Entry((), b"", words, whole=True)]
            found += [
                Entry((*parts[:-1], *entry.parts), entry.data, entry.problem) for entry in one
            ]
        elif not path.is_dir():
            found.append(Entry(parts, b"", "it is no file"))
    return found


def _file(path: Path) -> list[Entry]:
    """A file of a student's, or the files of an archive of a student's."""
    if is_archive(path.name):
        return _of_archive(Archive(path.name, path))
    if not is_manifest(path.name):
        return [Entry((path.name,), b"")]
    # One byte more than is allowed, so that the reader says that the file is too large.
    with path.open("rb") as opened:
        return [Entry((path.name,), opened.read(MAX_BYTES + 1))]


def _of_archive(archive: Archive, above: tuple[str, ...] = ()) -> list[Entry]:
    """The files of a student's archive; one inside of it is not opened."""
    try:
        inner = list(entries(archive, most=MAX_BYTES, wanted=_is_read))
    except ArchiveError as error:
        return [Entry((*above, archive.name), b"", f"{error}")]
    return [
        replace(
            entry,
            parts=(*above, *entry.parts),
            problem=entry.problem
            or ("it is an archive inside of an archive" if is_archive(entry.parts[-1]) else ""),
        )
        if entry.parts
        else entry
        for entry in inner
        if not any(is_hidden(part) for part in entry.parts)
    ]


def _submission(name: str, found: Sequence[Entry], told: Sequence[str] = ()) -> HandedIn:
    """One student's files. What is no manifest is told of, and never looked into."""
    files: list[File] = []
    passed: list[str] = []
    problems: list[str] = []
    for entry in found:
        label = "/".join(entry.parts)[:MAX_NAME]
        wanted = is_manifest(label) or is_archive(label)
        if entry.whole:
            problems.append(entry.problem)
        elif entry.problem and (wanted or not entry.parts):
            problems.append(f"{label}: {entry.problem}" if label else entry.problem)
        elif not is_manifest(label):
            passed.append(label)
        else:
            files.append(File(label, entry.data))
    notes = [*told]
    notes += [f"{label} is no manifest and was ignored" for label in passed[:_SHOWN]]
    if len(passed) > _SHOWN:
        notes.append(f"{len(passed) - _SHOWN} more files are no manifests and were ignored")
    if len(files) > MAX_FILES:
        problems.append(f"there are {len(files)} manifests, and at most {MAX_FILES} are read")
    return HandedIn(name, tuple(files[:MAX_FILES]), tuple(notes), "\n".join(problems))
