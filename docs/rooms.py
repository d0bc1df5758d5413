"""The picture of the rooms, drawn from the imports.

`python docs/rooms.py` writes `docs/rooms.svg`.

The floors are the layers of the import contracts in `pyproject.toml`. The boxes are the rooms on
each floor. An arrow from one room to another says that the first imports the second. grimp, the
library beneath import-linter, reads the imports.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grimp
from jinja2 import Environment, StrictUndefined

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "rooms.svg"
WINGS = ("harness.core", "harness.edge")
BOX = (118, 30)
"""Width and height of a room's box, in the picture's units."""
FLOOR = 74
"""Height of a floor, in the same units."""
GAP = 22
MARGIN = 16
TITLE = 40

Arrow = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    """One room in the picture: its short name, and its upper left corner."""

    name: str
    left: float
    top: float

    @property
    def middle(self) -> float:
        """The horizontal middle, where arrows begin and end."""
        return self.left + BOX[0] / 2


@dataclass(frozen=True, slots=True)
class Wing:
    """One package with its rooms; `lines` are the arrows as (from x, from y, to x, to y)."""

    name: str
    boxes: tuple[Box, ...]
    lines: tuple[tuple[float, float, float, float], ...]
    left: float
    width: float
    height: float

    @property
    def summary(self) -> str:
        """The wing's name and its numbers, for the heading."""
        return f"{self.name}: {len(self.boxes)} rooms, {len(self.lines)} arrows"


def layers_of(wing: str) -> list[list[str]]:
    """The floors of a wing from the top, as the import contracts state them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in contracts["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == [wing]:
            return [[room.strip() for room in layer.split("|")] for layer in contract["layers"]]
    message = f"pyproject.toml has no layers contract for {wing}"
    raise LookupError(message)


def arrows_of(wing: str) -> frozenset[Arrow]:
    """Who imports whom inside of a wing, room by room."""
    graph = grimp.build_graph("harness", cache_dir=None)
    found: set[Arrow] = set()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            ends = _room(importer, wing), _room(imported, wing)
            if all(ends) and ends[0] != ends[1]:
                found.add(ends)
    return frozenset(found)


def _room(module: str, wing: str) -> str:
    return module.removeprefix(f"{wing}.").split(".")[0] if module.startswith(f"{wing}.") else ""


def _wing(name: str, left: float) -> Wing:
    layers = layers_of(name)
    widest = max(map(len, layers))
    width = widest * BOX[0] + (widest - 1) * GAP
    boxes = {box.name: box for box in _boxes(layers, left, width)}
    lines = sorted(
        (boxes[one].middle, boxes[one].top + BOX[1], boxes[other].middle, boxes[other].top)
        for one, other in arrows_of(name)
    )
    return Wing(name, tuple(boxes.values()), tuple(lines), left, width, len(layers) * FLOOR)


def _boxes(layers: Sequence[Sequence[str]], left: float, width: float) -> Iterator[Box]:
    for number, layer in enumerate(layers):
        own = len(layer) * BOX[0] + (len(layer) - 1) * GAP
        for place, room in enumerate(layer):
            at = left + (width - own) / 2 + place * (BOX[0] + GAP)
            yield Box(room, at, TITLE + number * FLOOR)


_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" \
font-family="sans-serif" font-size="13">
<title>The rooms of the core and of the edge, and who imports whom</title>
<rect width="100%" height="100%" fill="white"/>
{% for wing in wings %}
<text x="{{ wing.left }}" y="24" font-weight="bold">{{ wing.summary }}</text>
{% for x1, y1, x2, y2 in wing.lines %}
<path d="M{{ x1 }} {{ y1 }} C{{ x1 }} {{ y1 + 24 }} {{ x2 }} {{ y2 - 24 }} {{ x2 }} {{ y2 }}" \
fill="none" stroke="#8aa" stroke-width="1"/>
{% endfor %}
{% for box in wing.boxes %}
<rect x="{{ box.left }}" y="{{ box.top }}" width="{{ size[0] }}" height="{{ size[1] }}" rx="4" \
fill="#eef4fa" stroke="#357"/>
<text x="{{ box.middle }}" y="{{ box.top + 20 }}" text-anchor="middle">{{ box.name }}</text>
{% endfor %}
{% endfor %}
</svg>
"""


def picture() -> str:
    """The picture of both wings side by side, as SVG."""
    wings: list[Wing] = []
    left: float = MARGIN
    for name in WINGS:
        wings.append(_wing(name, left))
        left += wings[-1].width + 3 * MARGIN
    values: Mapping[str, object] = {
        "wings": wings,
        "size": BOX,
        "width": left - 2 * MARGIN,
        "height": TITLE + max(wing.height for wing in wings),
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(_SVG).render(values)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
