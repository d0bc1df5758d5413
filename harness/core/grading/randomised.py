"""An assignment in names of one student's own: against solutions that are copied.

Namespaces, values of labels and ports are drawn from a key, which follows from the course's seed
and the student's id and from nothing else, so that the same student has the same names again on
every machine. A student gets the key, from which nobody finds the seed or another student's key.
Names keep their first half, so that the task stays readable: `secure-zone-k3vq`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from harness.core.grading.model import Assignment, Row, Witness
from harness.core.manifests.reader import File, Resource, parse
from harness.core.manifests.text.reading import decoded, read
from harness.core.model import Labels, Pod, PodRef

_LETTERS = "bcdfghjkmnpqrstvwxz23456789"
_LONG = 4
_KEY = 20
_FIRST_PORT, _PORTS = 2_000, 7_000
_KEPT = frozenset({53, 443})
"""Ports that are not ours to choose: the name server's, and that of sites outside."""
_PORT_FIELDS = frozenset({"port", "containerPort", "targetPort", "endPort"})
_LEFT_ALONE = frozenset({"image", "imagePullPolicy", "apiVersion", "kind", "annotations"})
_CODE = frozenset({"command", "args", "data"})
"""Fields whose texts are programs and settings: ports in them follow, words do not."""
_WORD = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_NAME = re.compile(r"(?<==)[A-Za-z0-9]+|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+")
_PORT = re.compile(r"\b((?:ports?|TCP|UDP|SCTP)\s+)([0-9]+)\b")
_NUMBER = re.compile(r"(?<![\w.-])[0-9]+(?![\w.-])")


@dataclass(frozen=True, slots=True)
class Names:
    """What is drawn for a student: new words for namespaces and values of labels, and new ports."""

    words: Mapping[str, str]
    ports: Mapping[int, int]

    def back(self) -> Names:
        """The names that put the usual ones back."""
        words = {new: old for old, new in self.words.items()}
        return Names(words, {new: old for old, new in self.ports.items()})

    def word(self, text: str) -> str:
        """A whole name."""
        return self.words.get(text, text)

    def prose(self, text: str) -> str:
        """A text for people: names as such, and ports behind the words `port` and `TCP`.

        A word is a name if it stands in backticks, behind a `=`, or has a hyphen: `debug` is one,
        and the debug pod is not.
        """
        parts = text.split("`")
        parts[1::2] = [_WORD.sub(lambda found: self.word(found[0]), part) for part in parts[1::2]]
        parts[::2] = [_NAME.sub(lambda found: self.word(found[0]), part) for part in parts[::2]]
        return _PORT.sub(lambda found: found[1] + self.digits(found[2]), "`".join(parts))

    def digits(self, text: str) -> str:
        """The digits of a port."""
        return str(self.ports.get(int(text), text)) if len(text) <= _LONG + 1 else text

    def end(self, text: str) -> str:
        """A `from` or `to` of a row: names between slashes, and the port behind the last colon."""
        head, colon, port = text.rpartition(":")
        if not colon:
            return "/".join(self._part(part) for part in text.split("/"))
        ends = "/".join(self._part(part) for part in head.split("/"))
        # Sites outside keep their ports.
        ours = text.startswith("pod/")
        return f"{ends}:{_NUMBER.sub(lambda found: self.digits(found[0]), port) if ours else port}"

    def _part(self, part: str) -> str:
        """A part of a path: a name, or that of a Deployment's pod with its number."""
        stem, dash, number = part.rpartition("-")
        if part not in self.words and dash and number.isdigit() and stem in self.words:
            return f"{self.words[stem]}-{number}"
        like = part.removeprefix("like-")
        return f"like-{self._part(like)}" if like != part else self.word(part)

    def labels(self, labels: Labels) -> dict[str, str]:
        """Labels with new values."""
        return {key: self.word(value) for key, value in labels.items()}

    def tree(self, value: Any, field: str = "", *, code: bool = False) -> Any:
        """A manifest's value with new names and ports."""
        match value:
            case dict():
                inner = code or field in _CODE
                return {
                    key: one
                    if key in _LEFT_ALONE
                    else self.tree(one, str(key), code=inner or key in _CODE)
                    for key, one in value.items()
                }
            case list():
                return [self.tree(one, field, code=code) for one in value]
            case bool():
                return value
            case int():
                return self.ports.get(value, value) if field in _PORT_FIELDS else value
            case str() if code:
                return _NUMBER.sub(lambda found: self.digits(found[0]), value)
            case str() if field in _PORT_FIELDS and value.isdigit():
                return self.digits(value)
            case str():
                return self._part(value)
        return value


USUAL = Names({}, {})
"""The names of a course for which none were drawn."""


def key_of(assignment: Assignment, student: str, seed: str) -> str:
    """The student's key for an assignment."""
    text = json.dumps([assignment.name, seed, student])
    return sha256(text.encode(errors="replace")).hexdigest()[:_KEY]


def names_for(assignment: Assignment, key: str) -> Names:
    """The names that a key draws."""
    draw = _Draw(key)
    pods = [m for r in assignment.workloads for m in r.models if isinstance(m, Pod)]
    spaces = [r.name for r in assignment.workloads if r.kind == "Namespace"]
    values = {value for pod in pods for value in pod.labels.values()}
    values |= {value for w in assignment.witnesses for value in w.labels.values()}
    values |= {v for labels in assignment.spaces.values() for v in labels.values()}
    for resource in assignment.workloads:
        if resource.kind == "Namespace":
            metadata = resource.body.get("metadata") or {}
            values |= set(map(str, (metadata.get("labels") or {}).values()))
    words = {
        word: f"{word}-{draw.text(word)}" for word in dict.fromkeys([*spaces, *sorted(values)])
    }
    declared = sorted({port.number for pod in pods for port in pod.ports} - _KEPT)
    ports: dict[int, int] = {}
    for number in declared:
        ports[number] = draw.port(number, {*ports.values(), *declared, *_KEPT})
    return Names(words, ports)


def randomised(assignment: Assignment, key: str) -> Assignment:
    """The assignment in a student's own names."""
    names = names_for(assignment, key)
    return replace(
        assignment,
        namespaces=frozenset(map(names.word, assignment.namespaces)),
        default_namespace=names.word(assignment.default_namespace),
        rows=tuple(_row(row, names) for row in assignment.rows),
        rest=_row(assignment.rest, names),
        spaces={name: names.labels(labels) for name, labels in assignment.spaces.items()},
        witnesses=tuple(_witness(one, names) for one in assignment.witnesses),
        workloads=tuple(_workloads(assignment.workloads, names)),
        reference=tuple(_file(file, names) for file in assignment.reference),
        task=names.prose(assignment.task),
    )


def of_student(assignment: Assignment, student: str, seed: str) -> Assignment:
    """The assignment in the names of this student."""
    return randomised(assignment, key_of(assignment, student, seed))


def _row(row: Row, names: Names) -> Row:
    return replace(
        row,
        sources=tuple(map(names.end, row.sources)),
        targets=tuple(map(names.end, row.targets)),
        why=names.prose(row.why),
        hint=names.prose(row.hint),
    )


def _witness(one: Witness, names: Names) -> Witness:
    ref = PodRef(names.word(one.ref.namespace), names.word(one.ref.name))
    return replace(one, ref=ref, labels=names.labels(one.labels), why=names.prose(one.why))


def _workloads(resources: Iterable[Resource], names: Names) -> Iterator[Resource]:
    for resource in resources:
        body = names.tree(resource.body)
        yield from parse(json.dumps(body), origin=resource.origin)


def _file(file: File, names: Names) -> File:
    documents = read(decoded(file.data), origin=file.origin)
    bodies = [json.dumps(names.tree(document.value)) for document in documents]
    return File(file.origin, "\n---\n".join(bodies).encode())


class _Draw:
    """Draws that depend on a text alone: the standard library's may change with its version."""

    def __init__(self, key: str) -> None:
        self._key = key

    def _number(self, what: object) -> int:
        text = f"{self._key}\0{what}".encode(errors="replace")
        return int.from_bytes(sha256(text).digest()[:8])

    def text(self, what: str) -> str:
        number = self._number(what)
        letters = []
        for _ in range(_LONG):
            number, at = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[at])
        return "".join(letters)

    def port(self, what: int, taken: Iterable[int]) -> int:
        avoided = set(taken)
        port = _FIRST_PORT + self._number(what) % _PORTS
        while port in avoided:
            port += 1
        return port
