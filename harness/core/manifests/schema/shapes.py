"""Shapes of values, and the check of a value against one.

A shape is a type (a value of it), a tuple of types (one of them), a list with one shape (a list of
such values), a dict (exactly these fields), or one of the classes below. A value that is null
counts as not written, as it does for the API server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from harness.core.manifests.text.documents import FieldPath

INT_OR_STR = (int, str)
_NEAR = 0.75
"""How alike two names are that one misspelling tells apart (difflib: 1 is the same)."""
_LONGEST_NAME = 100
"""Characters of a name that is compared with others: to compare a longer one takes long."""
MAX_FAULTS = 201
"""Faults of one object that are looked for; nobody mends more at a time."""
MIN_INT, MAX_INT = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an object: where, and what in words.

    `readable`: the rest of the object can still be judged by the API's rules. It is false where a
    value has the wrong type, for then nobody knows what was meant.
    """

    path: FieldPath
    text: str
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Free:
    """A mapping with keys of the author's choice, and values of one shape."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Open:
    """A mapping of which these fields are read; whatever else stands there is passed over.

    A field that is not among `others`, the API's further fields, but is written nearly as one that
    is read, is a fault: somebody meant to decide something.
    """

    fields: Mapping[str, Any]
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field that the API server takes, and that decides no flow here; `why` says the reason."""

    shape: Any
    why: str


@dataclass(frozen=True, slots=True)
class Beyond:
    """A field that exists, but whose effect is not known here: it is refused, with the reason.

    Without it a refusal would suggest the known field whose name is nearest.
    """

    why: str


class Anything:
    """Any value at all; nothing inside of it is looked at."""


ANY = Anything()


@dataclass(slots=True)
class Checked:
    """An object that was held against its shape.

    `value` is the object without its null fields: a null in a list is an empty value, as the API
    server reads it. With `strict_nulls`, as in a custom resource, null is a value of no type.
    `passed_over` are the fields that were not read, written with dots and without
    the numbers of list entries.
    """

    value: Any = None
    strict_nulls: bool = False
    faults: list[Fault] = field(default_factory=list)
    passed_over: dict[str, None] = field(default_factory=dict)


def check(value: Any, shape: Any, *, strict_nulls: bool = False) -> Checked:
    """Hold a value against a shape; `strict_nulls` as in `Checked`."""
    found = Checked(strict_nulls=strict_nulls)
    found.value = _check(value, shape, (), found)
    return found


def fields_of(shape: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """Every field that a shape knows, with its path and its own shape; list entries are `[]`."""
    match shape:
        case Mapping() | Open():
            fields = shape.fields if isinstance(shape, Open) else shape
            for name, inner in fields.items():
                yield (*path, name), inner
                yield from fields_of(inner, (*path, name))
        case Ignored() | Free():
            yield from fields_of(shape.shape, path)
        case list():
            yield from fields_of(shape[0], (*path, "[]"))


def _check(value: Any, shape: Any, path: FieldPath, found: Checked) -> Any:
    match shape:
        case Mapping() | Open() | Free():
            return _mapping(value, shape, path, found)
        case Ignored():
            found.passed_over[_dotted(path)] = None
            return _check(value, shape.shape, path, found)
        case Beyond():
            text = f"is an unknown field: the API has it, but {shape.why}"
            found.faults.append(Fault(path, text))
            return None
        case Anything():
            return value
        case list():
            if not isinstance(value, list):
                return _wrong(path, f"must be a list, not {_seen(value)}", found)
            return [
                _check(_filled(item, shape[0], found), shape[0], (*path, n), found)
                for n, item in enumerate(value)
            ]
    return _scalar(value, shape if isinstance(shape, tuple) else (shape,), path, found)


def _mapping(value: Any, shape: Any, path: FieldPath, found: Checked) -> Any:
    if not isinstance(value, dict):
        return _wrong(path, f"must be a mapping, not {_seen(value)}", found)
    if isinstance(shape, Free):
        inner = shape.shape
        return {
            key: _check(_filled(item, inner, found), inner, (*path, key), found)
            for key, item in value.items()
        }
    fields = shape.fields if isinstance(shape, Open) else shape
    kept = {}
    for key, item in value.items():
        if len(found.faults) >= MAX_FAULTS:
            break
        here = (*path, key)
        if key in fields:
            if item is not None or found.strict_nulls or isinstance(fields[key], Beyond):
                kept[key] = _check(item, fields[key], here, found)
        elif isinstance(shape, Open) and not _misspelt(key, shape):
            found.passed_over[_dotted(here)] = None
        else:
            found.faults.append(Fault(here, f"is an unknown field{_nearest(key, fields)}"))
    return kept


def _misspelt(key: str, shape: Open) -> bool:
    known = [*shape.fields, *shape.others]
    return key not in shape.others and nearest(key, known, _NEAR) in shape.fields


def _filled(item: Any, shape: Any, found: Checked) -> Any:
    return _empty(shape) if item is None and not found.strict_nulls else item


def _nearest(key: str, fields: Mapping[str, Any]) -> str:
    known = [name for name, inner in fields.items() if not isinstance(inner, Beyond)]
    near = nearest(key, known)
    return f"; did you mean `{near}`?" if near else f"; known: {', '.join(known)}"


def nearest(word: str, known: Sequence[str], cutoff: float = 0.6) -> str:
    """The known word that is written most like this one; empty if none is like it, or it is long.

    `cutoff` is how alike they must be (difflib: 1 is the same).
    """
    if len(word) > _LONGEST_NAME:
        return ""
    return next(iter(get_close_matches(word, known, n=1, cutoff=cutoff)), "")


def _scalar(value: Any, types: Sequence[type], path: FieldPath, found: Checked) -> Any:
    # In Python a boolean is an int: only an exact type is meant.
    if type(value) not in types:
        names = {int: "a number", str: "a text", bool: "true or false"}
        wanted = " or ".join(names[one] for one in types)
        return _wrong(path, f"must be {wanted}, not {_seen(value)}{_quotes(value, types)}", found)
    if type(value) is int and not MIN_INT <= value <= MAX_INT:
        return _wrong(path, f"{value} is not a number of 32 bits", found)
    return value


def _quotes(value: Any, types: Sequence[type]) -> str:
    """What to do about a scalar that YAML reads as something else than its writer."""
    if str in types and isinstance(value, bool):
        return ": y, yes, on, n, no and off are truth values, so write it in quotes"
    if str in types and isinstance(value, int | float):
        return ": write it in quotes"
    if isinstance(value, str) and value.isdecimal():
        return ": write it without quotes"
    return ""


def _wrong(path: FieldPath, text: str, found: Checked) -> None:
    found.faults.append(Fault(path, text, readable=False))


def _empty(shape: Any) -> Any:
    """What a null in a list or a map of this shape means to the API server."""
    match shape:
        case Mapping() | Open() | Free():
            return {}
        case list():
            return []
        case Ignored():
            return _empty(shape.shape)
        case Anything():
            return None
    first = shape[0] if isinstance(shape, tuple) else shape
    return first()


def _seen(value: Any) -> str:
    text = "nothing" if value is None else f"{value!r}"
    return text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004 - one line


def _dotted(path: FieldPath) -> str:
    return ".".join(str(step) for step in path if isinstance(step, str))
