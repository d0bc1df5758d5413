"""One YAML document from the parser's events, as kubectl would send it.

PyYAML's own composer calls itself for each level, and a small file of nested dashes overflows its
stack: here the depth is counted while events come. A merge (`<<`) acts where it stands, so that it
replaces keys before it and yields to keys behind it (go.yaml.in/yaml v2.4.2, decode.go).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.core.manifests.text.documents import Document, Place, UnreadableError
from harness.core.manifests.text.scalars import NotAValueError, Scalar, as_json, key_text, resolve

MAX_DEPTH = 100
"""Levels of nesting. The deepest field of the API's own kinds lies at about twenty."""
MAX_ALIASED = 20_000
"""Values in one document that aliases repeat, each counted as often as it is repeated."""

_NOT = "this is not YAML"
_BEHIND = (
    "the document ends above this line, and kubectl does not read what stands behind its end: "
    "mend the indentation, or write `---` between two documents"
)
_MERGE = "<<"
_MERGE_TAG = "tag:yaml.org,2002:merge"
_COLLECTION_TAGS = frozenset(f"tag:yaml.org,2002:{tag}" for tag in ("map", "seq", "set", "omap"))


@dataclass(frozen=True, slots=True)
class _Node:
    """A value with its place. `size` counts it and all inside; `aliased`, what aliases repeat.

    A scalar is kept as YAML has it: whether it becomes a key or a value decides how JSON has it.
    """

    value: Any
    place: Place
    size: int = 1
    aliased: int = 0
    is_scalar: bool = False
    is_merge: bool = False


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet, and what it holds so far."""

    line: int
    is_mapping: bool
    in_flow: bool
    anchor: str | None
    children: list[_Node] = field(default_factory=list)


def compose(text: str, first: int) -> Document | None:
    """The document of a text, if it has one; `first` is the number of the text's first line.

    Raises:
        UnreadableError: the text is not YAML, has a key twice or a second document, or is larger
            than `MAX_DEPTH` and `MAX_ALIASED` allow.
    """
    return _Composer(text, first).document()


class _Composer:
    def __init__(self, text: str, first: int) -> None:
        self._text = text
        self._first = first
        self._anchors: dict[str, _Node | None] = {}
        self._open: list[_Open] = []
        self._root: _Node | None = None

    def document(self) -> Document | None:
        try:
            for event in yaml.parse(self._text, Loader=yaml.CSafeLoader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = self._first + (mark.line if mark else 0)
            what = ", ".join(filter(None, (error.context, error.problem)))
            raise UnreadableError(line, _BEHIND if self._root else f"{_NOT}: {what}") from error
        except yaml.reader.ReaderError as error:
            line = self._first + self._text.count("\n", 0, error.position)
            raise UnreadableError(line, f"{_NOT}: {error.reason}") from error
        except UnicodeEncodeError as error:
            raise UnreadableError(self._first, "this is not text: half a surrogate pair") from error
        return Document(_json(self._root), self._root.place) if self._root else None

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._begin(event)
            case yaml.ScalarEvent():
                self._add(self._scalar(event), event.anchor)
            case yaml.AliasEvent():
                self._add(self._alias(event), None)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._enter(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                done = self._open.pop()
                self._add(_mapping(done) if done.is_mapping else _sequence(done), done.anchor)

    def _line(self, event: yaml.Event) -> int:
        return self._first + (event.start_mark.line if event.start_mark else 0)

    def _begin(self, event: yaml.DocumentStartEvent) -> None:
        if self._root is not None:
            raise UnreadableError(self._line(event), _BEHIND)
        if event.version not in (None, (1, 1)):
            raise UnreadableError(self._line(event), "kubectl takes no %YAML directive but 1.1")

    def _enter(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        line = self._line(event)
        if len(self._open) >= MAX_DEPTH:
            raise UnreadableError(line, f"this is nested more than {MAX_DEPTH} levels deep")
        if event.tag and event.tag not in _COLLECTION_TAGS:
            raise UnreadableError(line, f"the tag `{event.tag}` is not known")
        if event.anchor:
            self._anchors[event.anchor] = None
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(line, is_mapping, bool(event.flow_style), event.anchor))

    def _scalar(self, event: yaml.ScalarEvent) -> _Node:
        line, plain = self._line(event), bool(event.implicit[0])
        if not event.style and "?" in event.value and self._open and self._open[-1].in_flow:
            why = f"kubectl ends a text in braces or brackets at `?`: put `{event.value}` in quotes"
            raise UnreadableError(line, why)
        if event.value == _MERGE and (plain or event.tag == _MERGE_TAG):
            return _Node(_MERGE, Place(line), is_scalar=True, is_merge=True)
        try:
            value = resolve(event.tag, event.value, plain=plain)
        except NotAValueError as error:
            raise UnreadableError(line, str(error)) from error
        written = event.value if _reads_otherwise(event.value, value) else None
        return _Node(value, Place(line, written=written), is_scalar=True)

    def _alias(self, event: yaml.AliasEvent) -> _Node:
        name, line = event.anchor, self._line(event)
        if name not in self._anchors:
            raise UnreadableError(line, f"no anchor `&{name}` stands before this alias")
        node = self._anchors[name]
        if node is None:
            raise UnreadableError(line, f"the anchor `&{name}` holds itself")
        return _Node(node.value, node.place, node.size, node.size, is_scalar=node.is_scalar)

    def _add(self, node: _Node, anchor: str | None) -> None:
        if node.aliased > MAX_ALIASED:
            why = f"aliases repeat more than {MAX_ALIASED} values: write the values out"
            raise UnreadableError(node.place.line, why)
        if anchor:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node


def _reads_otherwise(text: str, value: Scalar) -> bool:
    """Whether a value is not the text that a person sees in the file."""
    plain = ("false", "true")[value] if isinstance(value, bool) else str(value)
    return not isinstance(value, str) and plain != text


def _json(node: _Node) -> Any:
    if not node.is_scalar:
        return node.value
    try:
        return as_json(node.value)
    except NotAValueError as error:
        raise UnreadableError(node.place.line, str(error)) from error


def _sized(value: Any, place: Place, inside: list[_Node]) -> _Node:
    size, aliased = 1 + sum(n.size for n in inside), sum(n.aliased for n in inside)
    return _Node(value, place, size, aliased)


def _sequence(done: _Open) -> _Node:
    values = [_json(node) for node in done.children]
    places: dict[str | int, Place] = {n: node.place for n, node in enumerate(done.children)}
    return _sized(values, Place(done.line, places), done.children)


def _mapping(done: _Open) -> _Node:
    value: dict[str, Any] = {}
    places: dict[str | int, Place] = {}
    written: set[str] = set()
    for key_node, node in zip(done.children[::2], done.children[1::2], strict=True):
        line = key_node.place.line
        if key_node.is_merge:
            _merge(node, line, value, places)
            continue
        key = _key(key_node)
        if key in written:
            raise UnreadableError(line, f"the key `{key}` stands twice")
        written.add(key)
        value[key] = _json(node)
        inner, odd_key = node.place, key_node.place.written
        places[key] = Place(line, inner.parts, inner.written, odd_key)
    return _sized(value, Place(done.line, places), done.children)


def _key(node: _Node) -> str:
    if not node.is_scalar:
        raise UnreadableError(node.place.line, "a key is a text, not a list or a mapping")
    try:
        return key_text(node.value)
    except NotAValueError as error:
        raise UnreadableError(node.place.line, str(error)) from error


def _merge(node: _Node, line: int, into: dict[str, Any], places: dict[str | int, Place]) -> None:
    """Take over a mapping's keys, or those of a list of mappings: the first counts most."""
    one = isinstance(node.value, dict)
    values = [node.value] if one else node.value
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise UnreadableError(line, "`<<` needs a mapping, or a list of mappings")
    for number in reversed(range(len(values))):
        into.update(values[number])
        inner = node.place if one else node.place.parts[number]
        places.update(inner.parts)
