"""A CNI is one value and one folder: the rest of policylab knows none by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.edge.cni.known import CNIS, DEFAULT, PROFILES, cni_of
from harness.edge.images.recipe import cnis, read_recipes, recipes_home
from harness.errors import EnvironmentFault

HOME = Path(harness.__file__).parent
FOLDERS = HOME / "edge" / "cni"


def named(path: Path) -> Iterator[str]:
    """The texts of a module that are a CNI's name, or that of its cluster."""
    names = {*CNIS, *(f"policylab-{name}" for name in CNIS), *(f"--lab-cni={n}" for n in CNIS)}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and node.value in names:
            yield f"{path.relative_to(HOME)}:{node.lineno}: {node.value}"


def test_no_module_outside_of_a_cnis_folder_has_its_name() -> None:
    modules = [path for path in HOME.rglob("*.py") if FOLDERS not in path.parents]

    assert [line for path in modules for line in named(path)] == []


def test_no_cni_has_the_name_of_another() -> None:
    for path in FOLDERS.glob("*/*.py"):
        others = [line for line in named(path) if not line.endswith(path.parent.name)]
        assert others == []


@pytest.mark.parametrize("name", CNIS)
def test_cni_has_a_folder_of_its_name_with_its_manifests(name: str) -> None:
    assert cni_of(name).package == f"harness.edge.cni.{name}"
    assert (FOLDERS / name / "manifests.yaml.j2").is_file()


def test_images_of_every_cni_can_be_built() -> None:
    recipes = read_recipes(recipes_home())

    assert set(cnis(recipes)) == {*CNIS}
    for name in CNIS:
        assert set(cni_of(name).images.values()) == set(recipes[name].cni)


def test_default_is_one_of_them() -> None:
    assert DEFAULT in PROFILES


def test_unknown_cni_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(EnvironmentFault, match="does not know the CNI flannel") as caught:
        cni_of("flannel")

    assert "calico, cilium" in caught.value.try_
