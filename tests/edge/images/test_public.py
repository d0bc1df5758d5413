"""The public images of the labs' pods: in a clone, and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.edge.images.recipe import read_recipes
from harness.edge.images.registry import public
from harness.edge.images.registry.official import public_names
from harness.edge.images.registry.public import lab_images
from harness.edge.images.versions import HOME
from harness.errors import ImageUnavailable


def test_installed_package_has_the_names_of_the_clone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(public, "HOME", tmp_path / "images")

    found = lab_images([], "")

    assert found.refs == public_names(read_recipes(HOME))
    assert set(found.public) == set(found.refs)


def test_mirror_needs_the_pins_of_a_clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(public, "HOME", tmp_path / "images")

    with pytest.raises(ImageUnavailable, match="pins"):
        lab_images([], "mirror.test")
