"""What a submission says, as a few numbers, by which alike submissions are found.

Names of objects, comments, the order of rules, and how YAML is written are left out. The names that
were drawn for a student are put back first, so that a translated copy is found as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from harness.core.manifests.reader import File, Resource

MOST = 256
"""Parts of one sketch: of a longer submission a sample stands for all."""
MAX_PARTS = 10_000
"""Parts of a submission that are looked at at all."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is written in a submission.

    Attributes:
        files: a text that only submissions with the same files have, to the byte; empty: no files.
        objects: a text that only submissions with the same objects have; empty: no objects.
        parts: numbers that stand for the single statements, sorted; `MOST` of them at most.
    """

    files: str = ""
    objects: str = ""
    parts: tuple[int, ...] = ()


def sketch_of(
    files: Sequence[File], resources: Sequence[Resource], put_back: Callable[[Any], Any]
) -> Sketch:
    """The sketch of a submission; `put_back` replaces names that were drawn by the usual ones."""
    bodies = [_normal(put_back(_told(resource))) for resource in resources]
    texts = sorted(map(_text, bodies))
    leaves = (leaf for body in bodies for leaf in _leaves(body, ""))
    counts = Counter(islice(leaves, MAX_PARTS))
    # The second statement of the same kind and value is a statement of its own.
    parts = {_number(f"{leaf} {n}") for leaf, times in counts.items() for n in range(times)}
    digests = sorted(sha256(file.data).hexdigest() for file in files)
    return Sketch(
        _digest("".join(digests)) if files else "",
        _digest("\n".join(texts)) if texts else "",
        tuple(sorted(parts)[:MOST]),
    )


def _told(resource: Resource) -> dict[str, Any]:
    """An object without its metadata, of which the namespace alone decides something."""
    body = {key: value for key, value in resource.body.items() if key != "metadata"}
    return {**body, "namespace": resource.namespace}


def _normal(value: Any) -> Any:
    """The value with lists in an order that does not depend on how they were written."""
    match value:
        case dict():
            return {str(key): _normal(one) for key, one in value.items()}
        case list() | tuple():
            return sorted(map(_normal, value), key=_text)
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _leaves(value: Any, path: str) -> Iterator[str]:
    match value:
        case dict() if value:
            for key, one in value.items():
                yield from _leaves(one, f"{path}.{key}")
        case list() if value:
            for one in value:
                yield from _leaves(one, f"{path}[]")
        case _:
            yield f"{path}={_text(value)}"


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()[:16]


def _number(text: str) -> int:
    # Six bytes: a number that JSON keeps exactly.
    return int.from_bytes(sha256(text.encode(errors="replace")).digest()[:6])
