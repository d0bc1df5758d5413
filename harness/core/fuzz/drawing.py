"""The parts that random policies of both kinds share: labels, selectors and ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

APPS = ("app", "tier")
"""The label keys of pods."""

SPACE_LABELS = ("team", "env")
"""The label keys of namespaces."""

VALUES = ("a", "b", "c")
PORT_NAMES = ("http", "api", "metrics", "dns", "nowhere")
_NUMBERS = (8080, 8081, 9090, 8443)
_RANGES = ((8080, 8081), (8000, 8080), (8081, 9090), (1, 65535))


def some(draw: Random, weights: Sequence[int], make: Callable[[], T]) -> list[T]:
    """A list of zero, one, two or more drawn values; `weights` has the weight of each length."""
    return [make() for _ in range(draw.choices(range(len(weights)), weights)[0])]


def draw_labels(draw: Random, keys: Sequence[str]) -> dict[str, str]:
    """Labels with these keys; each key gets a random value, or is sometimes left out."""
    return {key: draw.choice(VALUES) for key in keys if draw.random() < 0.8}  # noqa: PLR2004


def draw_selector(draw: Random, keys: Sequence[str]) -> dict[str, Any]:
    """A label selector: everything, matchLabels, matchExpressions, or both."""
    found: dict[str, Any] = {}
    kind = draw.choices(("all", "labels", "expressions", "both"), (3, 5, 5, 1))[0]
    if kind in ("labels", "both"):
        found["matchLabels"] = {draw.choice(keys): draw.choice(VALUES)}
    if kind in ("expressions", "both"):
        found["matchExpressions"] = some(draw, (0, 3, 1), lambda: draw_requirement(draw, keys))
    return found


def draw_requirement(draw: Random, keys: Sequence[str]) -> dict[str, Any]:
    """One entry of matchExpressions, by any of the four operators."""
    operator = draw.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    found: dict[str, Any] = {"key": draw.choice(keys), "operator": operator}
    if operator in ("In", "NotIn"):
        found["values"] = sorted(draw.sample(VALUES, draw.randint(1, 2)))
    return found


def draw_ports(draw: Random) -> dict[str, Any]:
    """One entry of ports: a number, a name, a range, or a protocol alone."""
    protocol = draw.choices(("", "TCP", "UDP"), (4, 3, 3))[0]
    found: dict[str, Any] = {"protocol": protocol} if protocol else {}
    match draw.choices(("number", "name", "range", "none"), (5, 4, 3, 1))[0]:
        case "number":
            found["port"] = draw.choice(_NUMBERS)
        case "name":
            found["port"] = draw.choice(PORT_NAMES)
        case "range":
            found["port"], found["endPort"] = draw.choice(_RANGES)
    return found
