"""A value that was read from a text, with the line at which each part of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FieldPath = tuple[str | int, ...]
"""The way to a part of a value: keys of mappings, and numbers of lists from 0."""


def dotted(path: FieldPath) -> str:
    """A path as people write it: `spec.egress[0].to`; empty for the whole value."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass(frozen=True, slots=True)
class Place:
    """The line where a value begins (a mapping's part: its key), and the places of its parts.

    `written` is the text of a scalar without quotes, and `key` that of its key, where YAML reads
    something else than this text (`on`, `8e1`, nothing at all); else None.
    """

    line: int
    parts: Mapping[str | int, Place] = field(default_factory=dict)
    written: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One document, or an object inside of one: its value, and the places of its parts."""

    value: Any
    place: Place

    def line(self, path: FieldPath = ()) -> int:
        """The line of a part; of a part that is missing, the line of what it would be in."""
        place = self.place
        for step in path:
            if step not in place.parts:
                break
            place = place.parts[step]
        return place.line

    def part(self, path: FieldPath) -> Document:
        """A value inside of this one, as a document of its own. The path must exist."""
        value, place = self.value, self.place
        for step in path:
            value, place = value[step], place.parts[step]
        return Document(value, place)


@dataclass(frozen=True, slots=True)
class LineFault:
    """Why a text, or one document of it, cannot be read, and at which line."""

    line: int
    text: str


class UnreadableError(Exception):
    """A document that cannot be read, with its fault."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.fault = LineFault(line, text)
