"""What names of folders and files say: who handed something in, and what may be read.

A learning platform exports loose files by name: `alice_lab12.yaml`, or with a number and more words
in between (`alice_LATE_77_815_lab12.yaml`). The student is the part before the first `_`.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator

from harness.core.grading.telling.plain import visible
from harness.edge.files.library import SUFFIXES
from harness.edge.grading.archives import ARCHIVES, is_archive

MAX_NAME = 200
_PLATFORM = "_assignsubmission_"
"""What Moodle writes behind the name in a student's folder."""
_LATE = "LATE"
"""What Canvas writes behind the name of a student whose file came after the deadline."""


def short(name: tuple[str, ...]) -> str:
    """The student's name. A folder's whole name is it, unless a platform wrote more behind it."""
    is_folder = len(name) > 1
    return whole(name[0]) if is_folder and _PLATFORM not in name[0] else prefix(name[0])


def whole(name: str) -> str:
    """A name without the ending of a file, as students are called by it."""
    stem = name
    for suffix in (*SUFFIXES, *ARCHIVES):
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            stem = stem[: -len(suffix)]
            break
    # A name that is no UTF-8 is spelt out, so that two of them never become one.
    clear = os.fsencode(stem).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", clear)[:MAX_NAME]


def prefix(name: str) -> str:
    """The part of a loose file's name that is the student's."""
    stem = whole(name)
    return stem.partition("_")[0].strip() or stem


def number(name: str) -> str:
    """What follows the student's name: a platform's number, the same for all of one's files."""
    parts = whole(name).split("_")[1:]
    if parts[:1] == [_LATE]:
        del parts[0]
    return parts[0] if parts else ""


def is_handed_in(name: str) -> bool:
    """Whether a loose file is somebody's submission, and not the list of the course, say."""
    return is_manifest(name) or is_archive(name) or "_" in name


def is_manifest(name: str) -> bool:
    """Whether a file is one of YAML or JSON, by its name."""
    return name.lower().endswith(SUFFIXES)


def is_hidden(part: str) -> bool:
    """Whether a part of a path is of an operating system or a tool, and not handed in."""
    return part.startswith(".") or part == "__MACOSX"


def apart(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """An id for each name, of which no two are one, with what people should know of it.

    Each name comes with the place from which it is.
    """
    found = tuple(found)
    taken = {name for name, _ in found}
    came: dict[str, str] = {}
    for name, place in found:
        notes: list[str] = []
        own = name
        if name in came:
            count = 2
            while (own := f"{name} ({count})") in taken:
                count += 1
            taken.add(own)
            notes.append(f"{came[name]} has the same name; this one is {place}")
        came.setdefault(name, place)
        if (shown := visible(own)) != own:
            notes.append(f"the name has characters that nobody sees: {shown}")
        yield own, tuple(notes)
