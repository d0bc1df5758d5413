"""A YAML file of policylab's own, read part by part: each fault names its file and line.

A reader says which parts there may be, and gets values of the right type. Nothing is guessed: a
part that is not known is a fault, with the nearest word that would be right.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NoReturn, Self, TypeVar

from harness.core.manifests.text.documents import Document, FieldPath
from harness.errors import ContentError

Word = TypeVar("Word", bound=StrEnum)
_LINK = re.compile(r"https?://[^/\s]+(/\S*)?")


class Part:
    """A mapping of the file, whose faults know their line.

    `root` is what the whole file is called in a message. Every method that reads a part raises
    `ContentError` where the part is not of its form.
    """

    def __init__(
        self, document: Document, file: str, path: FieldPath = (), *, root: str = "the file"
    ) -> None:
        self._document = document
        self._file = file
        self._path = path
        self._root = root
        value = document.value
        for step in path:
            value = value[step]
        if not isinstance(value, dict):
            raise ContentError(
                f"{self.name} must have named parts",
                where=self.where(),
                seen=str(value)[:200],
                try_="write NAME: VALUE, one a line",
            )
        self.value: Mapping[str, Any] = value

    @property
    def name(self) -> str:
        """What this part is called in a message."""
        steps = (f"[{s + 1}]" if isinstance(s, int) else f".{s}" for s in self._path)
        return "".join(steps).lstrip(".") or self._root

    def where(self, key: str = "") -> str:
        """The file and the line of a key, or of the whole part."""
        return f"{self._file}:{self._document.line((*self._path, *([key] if key else [])))}"

    def fail(self, what: str, key: str = "", try_: str = "") -> NoReturn:
        """Raise the fault, at the place of a key or of the whole part."""
        raise ContentError(what, where=self.where(key), try_=try_)

    def only(self, keys: Collection[str]) -> None:
        """No key may be there that has no meaning."""
        for key in self.value:
            if key not in keys:
                self.fail(f"{self.name} has no part called `{key}`", key, near(key, keys))

    def has(self, key: str) -> bool:
        """Whether the key is there, with a value."""
        return self.value.get(key) is not None

    def get(self, key: str) -> Any:
        """The value as YAML has it; None if it is not there."""
        return self.value.get(key)

    def _must(self, key: str) -> Any:
        if not self.has(key):
            self.fail(f"{self.name} lacks `{key}`", try_=f"write {key}: ...")
        return self.value[key]

    def text(self, key: str, default: str | None = None) -> str:
        """A text on one line; without a default it must be there."""
        if default is not None and not self.has(key):
            return default
        value = self._must(key)
        if not isinstance(value, str):
            self.fail(f"`{key}` must be a text, and is `{value}`", key, f'write {key}: "{value}"')
        return " ".join(value.split())

    def link(self, key: str) -> str:
        """The address of a page."""
        text = self.text(key)
        if not _LINK.fullmatch(text):
            self.fail(f"`{key}` must be the address of a page, and is `{text}`", key, "https://...")
        return text

    def sentence(self, key: str) -> str:
        """A text that says something."""
        if not (text := self.text(key)):
            self.fail(f"`{key}` says nothing", key)
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """A text, or a list of them."""
        value = self._must(key)
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(one, str) and one for one in values):
            self.fail(f"`{key}` must be a text or a list of texts, and is `{value}`", key)
        return tuple(values)

    def names(self, key: str, known: Collection[str], *, needed: bool = True) -> tuple[str, ...]:
        """One or more of the known names."""
        if not needed and not self.has(key):
            return ()
        found = self.texts(key)
        for name in found:
            if name not in known:
                self.fail(f"`{name}` is not known", key, near(name, known))
        return tuple(dict.fromkeys(found))

    def word(self, key: str, words: type[Word], default: Word | None = None) -> Word:
        """One of the words; without a default it must be there."""
        if default is not None and not self.has(key):
            return default
        text, known = self.text(key), [word.value for word in words]
        if text not in known:
            self.fail(f"`{key}` must not be `{text}`", key, near(text, known))
        return words(text)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            self.fail(f"`{key}` must be true or false, and is `{value}`", key)
        return value

    def labels(self, key: str) -> dict[str, str]:
        """Names with texts; empty if the key is not there."""
        value = self.value.get(key) or {}
        texts = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
        if not texts:
            self.fail(f"`{key}` must have labels, and is `{value}`", key, "write {app: web}")
        return {str(name): one for name, one in value.items()}

    def mapping(self, key: str, *, needed: bool = True) -> Self:
        """The part under a key; an empty part if it is not there and need not be."""
        if not self.has(key):
            if needed:
                self._must(key)
            return self._inner(replace(self._document, value={}), ())
        return self._inner(self._document, (*self._path, key))

    def parts(self, key: str, *, needed: bool = True) -> list[Self]:
        """The parts of a list."""
        value = self._must(key) if needed else self.value.get(key) or []
        if not isinstance(value, list):
            self.fail(f"`{key}` must be a list", key, "begin each entry with `- `")
        return [self._inner(self._document, (*self._path, key, n)) for n in range(len(value))]

    def _inner(self, document: Document, path: FieldPath) -> Self:
        return type(self)(document, self._file, path, root=self._root)


def near(word: str, known: Iterable[str]) -> str:
    """What to write instead of a word that is not known."""
    names = sorted(known)
    found = get_close_matches(word, names, n=1)
    return f"did you mean `{found[0]}`?" if found else f"write one of: {', '.join(names)}"
