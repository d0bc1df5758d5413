"""The house: rooms of a bounded size, each with a docstring at its door, and a true picture."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_DOORS = 15
"""Modules and packages that a package may have side by side."""

PACKAGES = sorted(path.parent for path in (ROOT / "harness").rglob("__init__.py"))


def doors(package: Path) -> list[str]:
    modules = (path.stem for path in package.glob("*.py") if path.stem != "__init__")
    return [*modules, *(path.parent.name for path in package.glob("*/__init__.py"))]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_says_who_lives_there(package: Path) -> None:
    text = (package / "__init__.py").read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_corridor_has_at_most_fifteen_doors(package: Path) -> None:
    assert len(doors(package)) <= MOST_DOORS, doors(package)


def test_the_picture_of_the_rooms_is_up_to_date() -> None:
    """After a change of imports: `python docs/rooms.py`."""
    rooms = runpy.run_path(str(ROOT / "docs" / "rooms.py"))

    assert rooms["picture"]() == rooms["PICTURE"].read_text(encoding="utf-8")


def test_every_room_that_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(
        r"`(?:harness\.)?((?:core|edge|plugin|report|plays|commands|lab)[a-z_.]*)`", text
    )

    assert named
    for name in named:
        place = ROOT / "harness" / name.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").is_file(), name
