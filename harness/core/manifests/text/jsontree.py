"""JSON objects that stand one after the other, with line numbers.

Python's json knows no lines, and a YAML parser does not read all of JSON (surrogate pairs, tabs).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from harness.core.manifests.text.documents import Document, Place, UnreadableError
from harness.core.manifests.text.scalars import NotAValueError, as_json

_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile("|".join(_WORDS))
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_DIGITS = 400


def json_documents(text: str, *, max_depth: int) -> Iterator[tuple[Document, int]]:
    """Each value of the text with the offset behind it.

    Raises:
        UnreadableError: the next value is not JSON, has a key twice, or is nested too deeply.
    """
    reader = _Reader(text, max_depth)
    at = reader.blank(0)
    while at < len(text):
        value, place, at = reader.value(at, 0)
        yield Document(value, place), at
        at = reader.blank(at)


class _Reader:
    def __init__(self, text: str, max_depth: int) -> None:
        self._text = text
        self._max_depth = max_depth
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def line(self, at: int) -> int:
        return bisect_right(self._starts, at)

    def blank(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at

    def value(self, at: int, depth: int) -> tuple[Any, Place, int]:
        line = self.line(at)
        if depth > self._max_depth:
            raise UnreadableError(line, f"this is nested more than {self._max_depth} levels deep")
        match self._text[at : at + 1]:
            case "{":
                return self._object(at, depth)
            case "[":
                return self._array(at, depth)
            case '"':
                text, end = self._string(at)
                return text, Place(line), end
        if found := _WORD.match(self._text, at):
            return _WORDS[found[0]], Place(line), found.end()
        if found := _NUMBER.match(self._text, at):
            return self._number(found, line), Place(line), found.end()
        raise self._wrong(at, "a value")

    def _number(self, found: re.Match[str], line: int) -> Any:
        if len(found[0]) > _MOST_DIGITS:
            raise UnreadableError(line, f"this is a number of {len(found[0])} characters")
        try:
            return as_json(float(found[0])) if found[1] or found[2] else int(found[0])
        except NotAValueError as error:
            raise UnreadableError(line, str(error)) from error

    def _string(self, at: int) -> tuple[str, int]:
        try:
            text, end = json.decoder.scanstring(self._text, at + 1)  # type: ignore[attr-defined]
        except json.JSONDecodeError as error:
            raise UnreadableError(self.line(error.pos), f"this is not JSON: {error.msg}") from error
        return _SURROGATE.sub("\ufffd", text), end

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], Place, int]:
        found: dict[str, Any] = {}
        places: dict[str | int, Place] = {}
        start, at = at, self.blank(at + 1)
        while self._text[at : at + 1] != "}":
            if found:
                at = self.blank(self._past(at, ","))
            if self._text[at : at + 1] != '"':
                raise self._wrong(at, "a key in double quotes")
            line = self.line(at)
            key, at = self._string(at)
            if key in found:
                raise UnreadableError(line, f"the key `{key}` stands twice")
            at = self.blank(self._past(self.blank(at), ":"))
            found[key], place, at = self.value(at, depth + 1)
            places[key] = Place(line, place.parts)
            at = self.blank(at)
        return found, Place(self.line(start), places), at + 1

    def _array(self, at: int, depth: int) -> tuple[list[Any], Place, int]:
        found: list[Any] = []
        places: dict[str | int, Place] = {}
        start, at = at, self.blank(at + 1)
        while self._text[at : at + 1] != "]":
            if found:
                at = self.blank(self._past(at, ","))
            value, places[len(found)], at = self.value(at, depth + 1)
            found.append(value)
            at = self.blank(at)
        return found, Place(self.line(start), places), at + 1

    def _past(self, at: int, sign: str) -> int:
        if self._text[at : at + 1] != sign:
            raise self._wrong(at, f"`{sign}`")
        return at + 1

    def _wrong(self, at: int, wanted: str) -> UnreadableError:
        seen = self._text[at : at + 20].split("\n")[0] or "the end of the line or the text"
        return UnreadableError(self.line(at), f"this is not JSON: {wanted} must stand at `{seen}`")
