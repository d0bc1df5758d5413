"""Comments in a manifest that ignore a finding: `# policylab: ignore RULE reason`.

A comment behind a field is about this line. A comment on a line of its own is about the next line
that is not a comment; before the first line of a document, it is about the whole document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import yaml

MARK = "policylab: ignore"
_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*policylab:\s*ignore\b[ \t]*(\S*)[ \t]*(.*?)\s*$")
MAX_IGNORES = 1_000
"""Comments of one file."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment: its file and line, the rule that it names, and the reason that it gives.

    `first` and `last` are the lines whose findings it ignores; `last` is 0 for the end of the file.
    """

    file: str
    line: int
    rule: str
    reason: str
    first: int
    last: int

    def covers(self, file: str, line: int) -> bool:
        """Whether it is about a line of a file."""
        return file == self.file and self.first <= line and (not self.last or line <= self.last)


def ignores_in(file: str, text: str) -> tuple[Ignore, ...]:
    """The comments of a file's text that ignore findings, in their order."""
    if MARK.partition(":")[2].strip() not in text or "policylab" not in text:
        return ()
    rows = text.split("\n")
    inside = _inside_scalars(text)
    found = []
    for number, row in enumerate(rows, 1):
        match = _COMMENT.search(row) if "policylab" in row else None
        if match and not inside(number, match.start()):
            first, last = _reach(rows, number, alone=not row[: match.start()].strip())
            found.append(Ignore(file, number, match[1], match[2], first, last))
    return tuple(found[:MAX_IGNORES])


def _reach(rows: Sequence[str], number: int, *, alone: bool) -> tuple[int, int]:
    """The lines that a comment is about."""
    if not alone:
        return number, number
    behind = number
    while behind < len(rows) and _is_aside(rows[behind]):
        behind += 1
    if _begins_document(rows, number):
        ends = (n for n in range(behind, len(rows)) if rows[n].startswith("---") and n > behind)
        return number, next(ends, 0)
    return behind + 1, behind + 1


def _is_aside(row: str) -> bool:
    return not row.strip() or row.lstrip().startswith("#")


def _begins_document(rows: Sequence[str], number: int) -> bool:
    """Whether only comments are between a line and the beginning of its document."""
    for row in reversed(rows[: number - 1]):
        if row.startswith("---"):
            return True
        if not _is_aside(row):
            return False
    return True


class _Inside:
    """The scalars of a text that hold more than one word: a `#` in them begins no comment."""

    def __init__(self, spans: Iterable[tuple[int, int, int, int]]) -> None:
        self._spans = list(spans)

    def __call__(self, line: int, column: int) -> bool:
        here = (line, column)
        return any((a, b) <= here < (c, d) for a, b, c, d in self._spans)


def _inside_scalars(text: str) -> _Inside:
    return _Inside(_scalars(text))


def _scalars(text: str) -> Iterator[tuple[int, int, int, int]]:
    """The places of scalars in quotes and of blocks of text; lines from 1, columns from 0."""
    try:
        for token in yaml.scan(text, Loader=yaml.CSafeLoader):
            if isinstance(token, yaml.ScalarToken) and not token.plain:
                start, end = token.start_mark, token.end_mark
                yield start.line + 1, start.column, end.line + 1, end.column
    except yaml.YAMLError:
        return
