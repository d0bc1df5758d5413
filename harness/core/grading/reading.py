"""`assignment.yaml` and the files beside it, read into an `Assignment`.

Every fault names its file and line, and the nearest word that would be right. The ends of rows are
looked up here too, so that a row about a pod that is not there never gets as far as a student.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction
from typing import Any, NoReturn, TypeVar

from harness.core.grading.model import (
    REST,
    Assignment,
    Broken,
    LeastPrivilege,
    Row,
    Want,
    Witness,
)
from harness.core.grading.world import world_of
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.reader import File, Resource
from harness.core.manifests.text.documents import Document, FieldPath
from harness.core.manifests.text.reading import read
from harness.core.model import PodRef
from harness.core.target import INTERNET
from harness.errors import ContentError

FILE = "assignment.yaml"
MAX_ROWS = 200
MAX_POINTS = 10_000
_KEYS = (
    *("title", "tutorial", "cni", "submission", "rows", "rest", "least_privilege", "witnesses"),
    "outside",
)
_SUBMISSION = ("kinds", "namespaces", "default_namespace", "broken_files")
_ROW = ("id", "from", "to", "outcome", "points", "each", "why", "hint", "topic", "shown")
_REST = ("outcome", "points", "each", "why", "hint", "topic", "shown")
_WITNESS = ("pod", "labels", "why", "live")

Word = TypeVar("Word", bound=StrEnum)


def read_assignment(
    name: str,
    text: str,
    *,
    origin: str,
    workloads: Iterable[Resource],
    reference: Iterable[File],
    task: str,
    cnis: Collection[str],
) -> Assignment:
    """Read an assignment. `origin` is the folder, `cnis` are the names of the known CNIs.

    Raises:
        ContentError: it has a word that is not known, lacks one, or names an end that is not there.
    """
    documents = read(text, origin=f"{origin}/{FILE}")
    if len(documents) != 1:
        raise ContentError(
            "an assignment is one YAML document",
            where=f"{origin}/{FILE}",
            seen=f"{len(documents)} documents",
        )
    top = _Part(documents[0], f"{origin}/{FILE}", ())
    top.only(_KEYS)
    rules = top.mapping("submission")
    rules.only(_SUBMISSION)
    rows = tuple(_row(part, number) for number, part in enumerate(top.parts("rows"), 1))
    if len(rows) > MAX_ROWS:
        top.fail(f"the assignment has {len(rows)} rows, and {MAX_ROWS} are the most", "rows")
    witnesses = top.mapping("witnesses", needed=False)
    witnesses.only(("namespaces", "pods"))
    least = top.mapping("least_privilege", needed=False)
    least.only(("points", "each"))
    found = Assignment(
        name,
        top.text("title"),
        top.text("tutorial", ""),
        top.names("cni", cnis),
        frozenset(rules.names("kinds", POLICY_KINDS)),
        frozenset(rules.texts("namespaces")),
        rules.text("default_namespace", ""),
        rules.word("broken_files", Broken, Broken.REFUSE),
        rows,
        _rest(top.mapping("rest")),
        LeastPrivilege(least.points("points", Fraction(0)), least.points("each", Fraction(0))),
        _spaces(witnesses),
        tuple(_witness(part) for part in witnesses.parts("pods", needed=False)),
        top.names("outside", INTERNET, needed=False),
        tuple(workloads),
        tuple(reference),
        task,
        origin,
    )
    _check(found, top, rules)
    return found


def _check(found: Assignment, top: _Part, rules: _Part) -> None:
    ids = [row.id for row in found.rows]
    for number, row in enumerate(found.rows):
        if row.id == REST or row.id in ids[:number]:
            raise ContentError(
                f"two rows are called `{row.id}`", where=row.where, try_="give each an `id`"
            )
    declared = {r.name for r in found.workloads if r.kind == "Namespace"}
    if missing := sorted(found.namespaces - declared):
        rules.fail(
            f"the workloads have no namespace `{missing[0]}`",
            "namespaces",
            _near(missing[0], declared),
        )
    if found.default_namespace and found.default_namespace not in found.namespaces:
        rules.fail(
            f"`{found.default_namespace}` is no namespace of this assignment",
            "default_namespace",
            _near(found.default_namespace, found.namespaces),
        )
    if not found.max_score:
        top.fail("no row is worth a point", "rows")
    world_of(found)  # reads the ends of all rows, and raises for one that is not there


def _row(part: _Part, number: int) -> Row:
    part.only(_ROW)
    sources, targets = part.texts("from"), part.texts("to")
    return Row(
        part.text("id", "") or f"row-{number}",
        sources,
        targets,
        part.word("outcome", Want),
        part.points("points", Fraction(0) if part.get("outcome") == Want.EITHER else None),
        part.points("each") if part.has("each") else None,
        part.text("why", ""),
        part.text("hint", ""),
        part.text("topic", ""),
        hidden=not part.flag("shown", default=True),
        where=part.where(),
    )


def _rest(part: _Part) -> Row:
    part.only(_REST)
    return Row(
        REST,
        (),
        (),
        part.word("outcome", Want),
        part.points("points"),
        part.points("each") if part.has("each") else None,
        part.text("why", ""),
        part.text("hint", ""),
        part.text("topic", ""),
        hidden=not part.flag("shown", default=True),
        where=part.where(),
    )


def _spaces(part: _Part) -> dict[str, dict[str, str]]:
    spaces = part.mapping("namespaces", needed=False)
    return {str(name): spaces.labels(str(name)) for name in spaces.value}


def _witness(part: _Part) -> Witness:
    part.only(_WITNESS)
    namespace, slash, name = part.text("pod").partition("/")
    if not slash or not name:
        part.fail(f"`{namespace}` is no name of a pod", "pod", "write NAMESPACE/NAME")
    return Witness(
        PodRef(namespace, name),
        part.labels("labels"),
        part.text("why", ""),
        part.flag("live", default=False),
    )


class _Part:
    """A mapping of the file, whose faults know their line."""

    def __init__(self, document: Document, file: str, path: FieldPath) -> None:
        self._document = document
        self._file = file
        self._path = path
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
        return "".join(steps).lstrip(".") or "the assignment"

    def where(self, key: str = "") -> str:
        """The file and the line of a key, or of the whole part."""
        return f"{self._file}:{self._document.line((*self._path, *([key] if key else [])))}"

    def fail(self, what: str, key: str = "", try_: str = "") -> NoReturn:
        raise ContentError(what, where=self.where(key), try_=try_)

    def only(self, keys: Collection[str]) -> None:
        """No key may be there that has no meaning."""
        for key in self.value:
            if key not in keys:
                self.fail(f"{self.name} has no part called `{key}`", key, _near(key, keys))

    def has(self, key: str) -> bool:
        return self.value.get(key) is not None

    def get(self, key: str) -> Any:
        return self.value.get(key)

    def _must(self, key: str) -> Any:
        if not self.has(key):
            self.fail(f"{self.name} lacks `{key}`", try_=f"write {key}: ...")
        return self.value[key]

    def text(self, key: str, default: str | None = None) -> str:
        if default is not None and not self.has(key):
            return default
        value = self._must(key)
        if not isinstance(value, str):
            self.fail(f"`{key}` must be a text, and is `{value}`", key, f'write {key}: "{value}"')
        return " ".join(value.split())

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
                self.fail(f"`{name}` is not known", key, _near(name, known))
        return tuple(dict.fromkeys(found))

    def word(self, key: str, words: type[Word], default: Word | None = None) -> Word:
        if default is not None and not self.has(key):
            return default
        text, known = self.text(key), [word.value for word in words]
        if text not in known:
            self.fail(f"`{key}` must not be `{text}`", key, _near(text, known))
        return words(text)

    def points(self, key: str, default: Fraction | None = None) -> Fraction:
        if default is not None and not self.has(key):
            return default
        value = self._must(key)
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not 0 <= value <= MAX_POINTS:
            self.fail(f"`{key}` must be a number from 0 to {MAX_POINTS}, and is `{value}`", key)
        return Fraction(str(value))

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            self.fail(f"`{key}` must be true or false, and is `{value}`", key)
        return value

    def labels(self, key: str) -> dict[str, str]:
        value = self.value.get(key) or {}
        texts = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
        if not texts:
            self.fail(f"`{key}` must have labels, and is `{value}`", key, "write {app: web}")
        return {str(name): one for name, one in value.items()}

    def mapping(self, key: str, *, needed: bool = True) -> _Part:
        if not self.has(key):
            if needed:
                self._must(key)
            return _Part(replace(self._document, value={}), self._file, ())
        return _Part(self._document, self._file, (*self._path, key))

    def parts(self, key: str, *, needed: bool = True) -> list[_Part]:
        """The parts of a list."""
        value = self._must(key) if needed else self.value.get(key) or []
        if not isinstance(value, list):
            self.fail(f"`{key}` must be a list", key, "begin each entry with `- `")
        return [_Part(self._document, self._file, (*self._path, key, n)) for n in range(len(value))]


def _near(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"write one of: {', '.join(names)}"
