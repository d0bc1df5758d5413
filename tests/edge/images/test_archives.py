"""Archives of single recipes: what is in them, and what is said where none can be made."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from harness.edge.images.build import Builder
from harness.edge.images.export import archives
from harness.edge.images.export.archives import write_archives
from harness.edge.images.keys import plan_keys
from harness.edge.images.pipeline import Plan
from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.images.store import Store, Workshop
from harness.errors import EnvironmentFault, ImageUnavailable
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine

RECIPE = """version = "v1.2.3"
apart = true

[[image]]
name = "mine"
entrypoint = ["mine"]
"""


@pytest.fixture
def todo(tmp_path: Path) -> Plan:
    file = tmp_path / "images" / "mine" / "rootfs" / "bin" / "mine"
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "images" / "mine" / "image.toml").write_text(RECIPE, encoding="utf-8")
    recipes = read_recipes(tmp_path / "images", apart=["mine"])
    return Plan(recipes, plan_keys(recipes, {}))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(
        archives, "prepare", lambda shop, todo: Builder(shop, todo.keys, Path("go"))
    )
    return Workshop(Store(tmp_path / "cache"), FakeEngine().docker, Quiet())


def test_recipe_that_is_apart_is_read_only_where_it_is_named(todo: Plan, tmp_path: Path) -> None:
    assert [*todo.recipes] == ["mine"]
    assert read_recipes(tmp_path / "images") == {}


def test_no_cluster_has_the_images_of_the_examples() -> None:
    assert "flannel" not in read_recipes(recipes_home())
    assert "flannel" in read_recipes(recipes_home(), apart=["flannel"])


def test_archive_has_the_image_under_the_name_of_its_manifests(
    todo: Plan, shop: Workshop, tmp_path: Path
) -> None:
    (file,) = write_archives(shop, todo, ["mine"], tmp_path)

    assert file == tmp_path / "mine.tar"
    with tarfile.open(file) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        (image,) = json.load(manifest)
        assert "localhost/policylab/mine:v1.2.3" in image["RepoTags"]
        layer = archive.extractfile(image["Layers"][0])
        assert layer is not None
        with tarfile.open(fileobj=layer) as files:
            assert "bin/mine" in files.getnames()
    assert not list(tmp_path.glob(".policylab-*"))


def test_name_of_an_image_may_have_a_folder(shop: Workshop, tmp_path: Path) -> None:
    home = tmp_path / "images" / "mine"
    (home / "rootfs").mkdir(parents=True)
    (home / "rootfs" / "mine").write_text("#!/bin/sh\n", encoding="utf-8")
    (home / "image.toml").write_text(RECIPE.replace('"mine"\n', '"group/mine"\n', 1))
    recipes = read_recipes(tmp_path / "images", apart=["mine"])

    (file,) = write_archives(shop, Plan(recipes, plan_keys(recipes, {})), ["mine"], tmp_path)

    with tarfile.open(file) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        (image,) = json.load(manifest)
    assert "localhost/policylab/group/mine:v1.2.3" in image["RepoTags"]


def test_same_recipe_gives_the_same_bytes(todo: Plan, shop: Workshop, tmp_path: Path) -> None:
    (file,) = write_archives(shop, todo, ["mine"], tmp_path)
    once = file.read_bytes()
    write_archives(shop, todo, ["mine"], tmp_path)

    assert file.read_bytes() == once  # so a cluster with it is not made again


def test_unknown_recipe_is_told_with_the_known_ones(
    todo: Plan, shop: Workshop, tmp_path: Path
) -> None:
    with pytest.raises(ImageUnavailable, match="no image is made from a recipe yours") as caught:
        write_archives(shop, todo, ["mine", "yours"], tmp_path)

    assert "flannel" in caught.value.seen
    assert not (tmp_path / "mine.tar").exists()


def test_folder_that_does_not_exist_is_no_place(todo: Plan, shop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="there is no such folder"):
        write_archives(shop, todo, ["mine"], tmp_path / "none")


def test_full_disk_leaves_no_half_file(
    todo: Plan, shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(target: Path, images: object) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "write_archive", full)

    with pytest.raises(EnvironmentFault, match="images of mine cannot be written"):
        write_archives(shop, todo, ["mine"], tmp_path)
    assert not list(tmp_path.glob("*.tar"))
    assert not list(tmp_path.glob(".policylab-*"))
