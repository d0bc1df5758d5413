"""Mistakes about labels: misspelt ones, the wrong ones, operators that catch too much."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from harness.core.grading.mutation.edits import (
    Case,
    Document,
    Path,
    Reference,
    at,
    cut,
    name_of,
    put,
    selectors_of,
)
from harness.core.policy.selectors import NAME_LABEL

NOBODY = "nobody-has-this"


def value_misspelt(reference: Reference) -> Iterator[Case]:
    """A value with two letters exchanged, or with a letter more."""
    for path, where, key, value in _labels(reference):
        wrong = misspelt(value)
        found = _with_label(reference.documents, path, key, {key: wrong})
        yield Case(f"{where}.{key}", f"The label {key} of {where} says {wrong}.", found)


def key_misspelt(reference: Reference) -> Iterator[Case]:
    """A key with two letters exchanged; a namespace by `name`, which it does not have."""
    for path, where, key, value in _labels(reference):
        wrong = "name" if key == NAME_LABEL else misspelt(key)
        found = _with_label(reference.documents, path, key, {wrong: value})
        yield Case(f"{where}.{key}", f"The key {key} of {where} is written {wrong}.", found)


def case_wrong(reference: Reference) -> Iterator[Case]:
    """A value with a capital: labels know upper and lower case."""
    for path, where, key, value in _labels(reference):
        if value.capitalize() != value:
            found = _with_label(reference.documents, path, key, {key: value.capitalize()})
            what = f"The label {key} of {where} says {value.capitalize()}, with a capital."
            yield Case(f"{where}.{key}", what, found)


def value_of_another(reference: Reference) -> Iterator[Case]:
    """The label of another pod, or the name of another namespace."""
    spaces = tuple(sorted({*reference.topology.namespaces, *reference.namespaces}))
    for path, where, key, value in _labels(reference):
        values = spaces if key == NAME_LABEL else reference.values(key)
        other = next((one for one in values if one != value), "")
        if other:
            found = _with_label(reference.documents, path, key, {key: other})
            what = f"The label {key} of {where} says {other}, and {value} is meant."
            yield Case(f"{where}.{key}", what, found)


def any_value(reference: Reference) -> Iterator[Case]:
    """A label that only has to exist, with whatever value."""
    for path, where, key, _ in _labels(reference):
        more = {"key": key, "operator": "Exists"}
        found = _expressed(reference.documents, path, key, more)
        yield Case(f"{where}.{key}", f"{where} asks only that {key} exists.", found)


def none_but(reference: Reference) -> Iterator[Case]:
    """NotIn with the other values: it catches pods without the label too."""
    for path, where, key, value in _labels(reference):
        others = [one for one in reference.values(key) if one != value] or [NOBODY]
        more = {"key": key, "operator": "NotIn", "values": others}
        found = _expressed(reference.documents, path, key, more)
        what = f"{where} asks for {key} not in {', '.join(others)}: pods without it match too."
        yield Case(f"{where}.{key}", what, found)


def turned_round(reference: Reference) -> Iterator[Case]:
    """NotIn in place of In: everybody but who is meant."""
    for path, where, key, value in _labels(reference):
        more = {"key": key, "operator": "NotIn", "values": [value]}
        found = _expressed(reference.documents, path, key, more)
        yield Case(f"{where}.{key}", f"{where} means everybody but {key}={value}.", found)


def label_left_out(reference: Reference) -> Iterator[Case]:
    """Without one label of several."""
    for path, where, key, _ in _labels(reference):
        labels = at(reference.documents, path)["matchLabels"]
        if len(labels) > 1:
            found = cut(reference.documents, (*path, "matchLabels", key))
            yield Case(f"{where}.{key}", f"{where} does not ask for {key}.", found)


def label_added(reference: Reference) -> Iterator[Case]:
    """With a label more than the pods have."""
    for path, where, _, _ in _labels(reference):
        found = put(reference.documents, (*path, "matchLabels", "tier"), NOBODY)
        yield Case(where, f"{where} also asks for a label tier, which no pod has.", found)


def expressions(reference: Reference) -> Iterator[Case]:
    """An expression with a value missing, misspelt, or with the operator turned round."""
    for path, where in selectors_of(reference.documents):
        for index, one in enumerate(at(reference.documents, path).get("matchExpressions") or []):
            place = (*path, "matchExpressions", index)
            name = f"{where}.{one['key']}"
            values = list(one.get("values") or [])
            for gone in values if len(values) > 1 else ():
                left = [value for value in values if value != gone]
                found = put(reference.documents, (*place, "values"), left)
                yield Case(f"{name}.{gone}", f"{name} leaves out the value {gone}.", found)
            for at_, value in enumerate(values):
                found = put(reference.documents, (*place, "values", at_), misspelt(value))
                what = f"{name} says {misspelt(value)}, and {value} is meant."
                yield Case(f"{name}.{value}-misspelt", what, found)
            if one["operator"] in _REVERSE:
                found = put(reference.documents, (*place, "operator"), _REVERSE[one["operator"]])
                yield Case(f"{name}.turned", f"The operator of {name} is turned round.", found)
            found = cut(reference.documents, place)
            yield Case(f"{name}.gone", f"{where} has no requirement for {one['key']}.", found)


def misspelt(text: str) -> str:
    """The text with its last two different letters exchanged, or with one letter more."""
    for index in range(len(text) - 1, 0, -1):
        pair = text[index - 1 : index + 1]
        if pair.isalnum() and pair[0] != pair[1]:
            return f"{text[: index - 1]}{pair[1]}{pair[0]}{text[index + 1 :]}"
    return f"{text}x"


_REVERSE = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}


def _labels(reference: Reference) -> Iterator[tuple[Path, str, str, str]]:
    for path, where in [*selectors_of(reference.documents), *_cilium(reference.documents)]:
        for key, value in sorted((at(reference.documents, path).get("matchLabels") or {}).items()):
            yield path, where, key, value


def _cilium(documents: tuple[Document, ...]) -> Iterator[tuple[Path, str]]:
    """The selectors of Cilium's policies with one spec."""
    for number, document in enumerate(documents):
        spec = document.get("spec") or {}
        name = name_of(document)
        if "endpointSelector" in spec:
            yield (number, "spec", "endpointSelector"), f"{name}.endpointSelector"
        for field, peers in (("ingress", "fromEndpoints"), ("egress", "toEndpoints")):
            for index, rule in enumerate(spec.get(field) or []):
                for place, _ in enumerate(rule.get(peers) or []):
                    path = (number, "spec", field, index, peers, place)
                    yield path, f"{name}.{field}{index + 1}.{peers}{place + 1}"


def _with_label(
    documents: tuple[Document, ...], path: Path, key: str, label: dict[str, str]
) -> list[Document]:
    selector = deepcopy(at(documents, path))
    labels = {k: v for k, v in selector["matchLabels"].items() if k != key}
    return put(documents, path, {**selector, "matchLabels": {**labels, **label}})


def _expressed(
    documents: tuple[Document, ...], path: Path, key: str, more: dict[str, Any]
) -> list[Document]:
    selector = deepcopy(at(documents, path))
    labels = {k: v for k, v in selector.pop("matchLabels").items() if k != key}
    asked = [*(selector.get("matchExpressions") or []), more]
    found = {"matchLabels": labels} if labels else {}
    return put(documents, path, {**selector, **found, "matchExpressions": asked})
