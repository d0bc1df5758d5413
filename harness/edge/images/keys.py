"""The key of each built part: a hash of its inputs.

A changed `go.sum` changes the key of that folder's commands and the key of the node image that
contains them, and no other key. Nothing else is therefore built again.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.edge.images.recipe import BASE, SUITE, ImageRecipe, Recipe
from harness.edge.images.versions import FILE, RECIPE

# A developer raises this number when the build code makes something else from the same folder.
COMMANDS_FORMAT = "1"
ROOT_FORMAT = "1"
NODE_FORMAT = "1"
CERTIFICATES_FORMAT = "1"
KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of a plan: keys of images by the image's name, other keys by folder."""

    commands: Mapping[str, str]
    roots: Mapping[str, str]
    certificates: Mapping[str, str]
    images: Mapping[str, str]
    cluster: str


def digest_of(value: Any) -> str:
    """The hash of plain data."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def folder_digest(files: Iterable[Path], home: Path) -> str:
    """The hash of files: their paths below `home`, their executable bits, and their bytes."""
    found = [
        [
            str(path.relative_to(home)),
            bool(path.stat().st_mode & 0o100),
            hashlib.sha256(path.read_bytes()).hexdigest(),
        ]
        for path in sorted(files)
    ]
    return digest_of(found)


def sources(recipe: Recipe) -> list[Path]:
    """The files to compile: all files of the folder except the recipe and the root files."""
    return [
        path
        for path in sorted(recipe.folder.rglob("*"))
        if path.is_file()
        and path.name not in {RECIPE, FILE, "README.md"}
        and "rootfs" not in path.relative_to(recipe.folder).parts
    ]


def overlay(recipe: Recipe) -> list[Path]:
    """The files of policylab in an image, which are laid over its root."""
    return [path for path in sorted((recipe.folder / "rootfs").rglob("*")) if path.is_file()]


def certificates_key(recipe: Recipe) -> str:
    """The key of a folder's certificates: the names for which they are made."""
    return digest_of(["certificates", CERTIFICATES_FORMAT, recipe.certificates])


def plan_keys(recipes: Mapping[str, Recipe], made: Mapping[str, str]) -> Keys:
    """The key of each part of a build; `made` has a digest of each folder's certificates.

    The content of certificates is part of an image's key, because every machine makes others.
    """
    commands = {
        name: _commands_key(recipe)
        for name, recipe in recipes.items()
        if recipe.go is not None or recipe.c_source is not None
    }
    roots = _root_keys(recipes)
    images = {
        image.name: _image_key(recipe, image, commands, roots, made)
        for recipe in recipes.values()
        for image in recipe.images
    }
    kept_out = {i.name for recipe in recipes.values() for i in recipe.images if not i.baked}
    baked = sorted((name, key) for name, key in images.items() if name not in kept_out)
    cluster = digest_of([NODE_FORMAT, baked, sorted(commands.items())])
    certificates = {
        name: certificates_key(recipe)
        for name, recipe in recipes.items()
        if recipe.certificates is not None
    }
    return Keys(commands, roots, certificates, images, cluster)


def _commands_key(recipe: Recipe) -> str:
    build: list[Any] = [recipe.c_source]
    if recipe.go:
        folders = [sorted(recipe.go.folders.items())] if recipe.go.folders else []
        cgo = ["cgo"] if recipe.go.cgo else []
        build = [recipe.go.packages, recipe.go.ldflags, *folders, *cgo]
    files = folder_digest(sources(recipe), recipe.folder)
    return digest_of(["commands", COMMANDS_FORMAT, platform.machine(), build, files])


def _root_keys(recipes: Mapping[str, Recipe]) -> dict[str, str]:
    def key(packages: tuple[str, ...], under: str) -> str:
        return digest_of(["root", ROOT_FORMAT, platform.machine(), SUITE, sorted(packages), under])

    with_root = {name: r.debian for name, r in recipes.items() if r.debian is not None}
    base = key(with_root.get(BASE, ()), "")
    return {
        name: base if name == BASE else key(packages, base) for name, packages in with_root.items()
    }


def _image_key(
    recipe: Recipe,
    image: ImageRecipe,
    commands: Mapping[str, str],
    roots: Mapping[str, str],
    made: Mapping[str, str],
) -> str:
    return digest_of(
        [
            "image",
            image.ref,
            sorted(image.binaries.items()),
            *(sorted(found.items()) for found in (image.folders, image.links) if found),
            image.config,
            folder_digest(overlay(recipe), recipe.folder),
            commands.get(image.commands or recipe.name, ""),
            roots[image.root] if image.root else "",
            *([goal, of, made[of.partition("/")[0]]] for goal, of in sorted(image.files.items())),
        ]
    )
