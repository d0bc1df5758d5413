"""What students handed in: folders, loose files or an archive, one or more files for each student.

A learning platform exports loose files by name: `alice_lab12.yaml`, or with a number and more words
in between. The student is the part before the first `_`. Where two students would be called the
same by that, both keep their whole names. Nothing of a submission is used as a path, and what is no
manifest is never opened.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.core.grading.submitting import MAX_BYTES
from harness.core.manifests.reader import File
from harness.edge.files.library import SUFFIXES
from harness.edge.grading.archives import (
    ARCHIVES,
    MAX_ENTRIES,
    MAX_UNPACKED,
    ArchiveError,
    Entry,
    entries,
    is_archive,
)
from harness.errors import ContentError

MAX_FILES = 100
"""Manifests of one student."""
MAX_NAME = 200
_PLATFORM = "_assignsubmission_"
"""What Moodle writes behind the name in a student's folder."""
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
        if _is_hidden(entry.name):
            continue
        if entry.is_symlink():
            students.append(((entry.name, ""), [Entry((), b"", "it is a link")]))
        elif entry.is_dir():
            students.append(((entry.name, ""), _below(entry)))
        elif entry.is_file() and _is_handed_in(entry.name):
            students.append(((entry.name,), _file(entry)))
    yield from _called(students)


def _course_of(path: Path) -> Iterator[HandedIn]:
    """The students of an archive: its folders and loose files, below one folder of its own."""
    try:
        found = list(entries(path, most=MAX_BYTES))
    except ArchiveError as error:
        raise ContentError("the archive is not read", where=str(path), seen=str(error)) from error
    found = [e for e in found if e.parts and not any(_is_hidden(part) for part in e.parts)]
    if len({e.parts[0] for e in found}) == 1 and all(len(e.parts) > 1 for e in found):
        # One folder around the whole course, unless the folder is the only student's.
        below = [Entry(e.parts[1:], e.data, e.problem) for e in found]
        students_below = {_prefix(e.parts[0]) for e in below if len(e.parts) == 1}
        if len(students_below) > 1 or any(len(e.parts) > 1 for e in below):
            found = below
    students: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in found:
        key = (entry.parts[0], "") if len(entry.parts) > 1 else (entry.parts[0],)
        if len(key) > 1 or _is_handed_in(entry.parts[0]):
            students[key].append(entry)
    yield from _called(sorted(students.items()))


def _called(students: Sequence[tuple[tuple[str, ...], list[Entry]]]) -> Iterator[HandedIn]:
    """Give each student a name; loose files of one student come together."""
    groups: dict[str, list[tuple[tuple[str, ...], list[Entry]]]] = defaultdict(list)
    for name, found in students:
        groups[_short(name)].append((name, found))
    for short, group in groups.items():
        loose = all(len(name) == 1 for name, _ in group)
        numbers = {_number(name[0]) for name, _ in group}
        if len(group) == 1 or (loose and len(numbers) == 1):
            yield _submission(short, [entry for _, found in group for entry in found])
        else:
            for name, found in group:
                yield _submission(_whole(name[0]), found)


def _short(name: tuple[str, ...]) -> str:
    """The student's name. A folder's whole name is it, unless a platform wrote more behind it."""
    is_folder = len(name) > 1
    return _whole(name[0]) if is_folder and _PLATFORM not in name[0] else _prefix(name[0])


def _whole(name: str) -> str:
    stem = name
    for suffix in (*SUFFIXES, *ARCHIVES):
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            stem = stem[: -len(suffix)]
            break
    return unicodedata.normalize("NFC", stem)[:MAX_NAME]


def _prefix(name: str) -> str:
    stem = _whole(name)
    return stem.partition("_")[0].strip() or stem


def _number(name: str) -> str:
    """What follows the student's name: a platform's number, the same for all of one's files."""
    return _whole(name).partition("_")[2].partition("_")[0]


def _is_handed_in(name: str) -> bool:
    """Whether a loose file is somebody's submission, and not the list of the course, say."""
    return _is_manifest(name) or is_archive(name) or "_" in name


def _is_manifest(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_hidden(part: str) -> bool:
    return part.startswith(".") or part == "__MACOSX"


def _below(folder: Path) -> list[Entry]:
    found: list[Entry] = []
    budget = MAX_UNPACKED
    paths = sorted(islice(folder.rglob("*"), MAX_ENTRIES + 1))
    if len(paths) > MAX_ENTRIES:
        return [Entry((folder.name,), b"", f"the folder has more than {MAX_ENTRIES} entries")]
    for path in paths:
        parts = path.relative_to(folder).parts
        if any(_is_hidden(part) for part in parts):
            continue
        if path.is_symlink():
            found.append(Entry(parts, b"", "it is a link"))
        elif path.is_file():
            one = _file(path)
            budget -= sum(len(entry.data) for entry in one)
            if budget < 0:
                break
            found += [
                Entry((*parts[:-1], *entry.parts), entry.data, entry.problem) for entry in one
            ]
        elif not path.is_dir():
            found.append(Entry(parts, b"", "it is no file"))
    return found


def _file(path: Path) -> list[Entry]:
    """A file of a student's, or the files of an archive of a student's."""
    if is_archive(path.name):
        try:
            inner = list(entries(path, most=MAX_BYTES))
        except ArchiveError as error:
            return [Entry((path.name,), b"", f"{error}")]
        return [
            entry
            if not is_archive(entry.parts[-1] if entry.parts else "")
            else Entry(entry.parts, b"", "it is an archive inside of an archive")
            for entry in inner
            if not any(_is_hidden(part) for part in entry.parts)
        ]
    if not _is_manifest(path.name):
        return [Entry((path.name,), b"")]
    # One byte more than is allowed, so that the reader says that the file is too large.
    with path.open("rb") as opened:
        return [Entry((path.name,), opened.read(MAX_BYTES + 1))]


def _submission(name: str, found: Sequence[Entry]) -> HandedIn:
    """One student's files. What is no manifest is told of, and never looked into."""
    files: list[File] = []
    passed: list[str] = []
    problems: list[str] = []
    for entry in found:
        label = "/".join(entry.parts)[:MAX_NAME]
        wanted = _is_manifest(label) or is_archive(label)
        if entry.problem and (wanted or not entry.parts):
            problems.append(f"{label}: {entry.problem}")
        elif not _is_manifest(label):
            passed.append(label)
        else:
            files.append(File(label, entry.data))
    notes = [f"{label} is no manifest and was ignored" for label in passed[:_SHOWN]]
    if len(passed) > _SHOWN:
        notes.append(f"{len(passed) - _SHOWN} more files are no manifests and were ignored")
    if len(files) > MAX_FILES:
        problems.append(f"there are {len(files)} manifests, and at most {MAX_FILES} are read")
    return HandedIn(name, tuple(files[:MAX_FILES]), tuple(notes), "\n".join(problems))
