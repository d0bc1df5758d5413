"""Reads `images/<name>/image.toml`: what to build, as data.

`images/README.md` has a table of all keys. An unknown key is an error, because a misspelt key would
silently build something else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import ImageUnavailable

REPOSITORY = "localhost/policylab"
BASE = "debian"
MADE = frozenset({"ca.crt", "leaf.crt", "leaf.key"})
SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class GoBuild:
    """The packages that `go build` compiles in a folder, and the modules' folders to copy.

    A copied folder is named by its module and its path in the module.
    """

    packages: tuple[str, ...]
    ldflags: str
    folders: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """One image.

    Attributes:
        name: the name in the recipe.
        tag: the tag after the name.
        root: the recipe whose Debian root is the image's lowest layer; empty if it has none.
        binaries: the compiled commands to put in, by their path in the image.
        config: how the image starts (entry point, user, environment and so on).
        commands: the recipe that compiles `binaries` and has `folders`, if it is another recipe.
        baked: whether the node image contains the image; if not, the local engine gets it.
        folders: the folders to copy from the compiled modules.
        links: symbolic links: the path in the image, and the path that it leads to.
        files: certificates: the path in the image, and `FOLDER/FILE`.
    """

    name: str
    tag: str
    root: str | None
    binaries: Mapping[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)
    commands: str | None = None
    baked: bool = True
    folders: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """The full name that manifests use."""
        return f"{REPOSITORY}/{self.name}:{self.tag}"


@dataclass(frozen=True, slots=True)
class CniImage:
    """An image of a CNI.

    Attributes:
        built: the name of the image that policylab builds.
        official: the full name of the official image in a registry.
    """

    built: str
    official: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """One folder of `images/`.

    `cni` has the images of a CNI by the names that its manifests use; it is empty in all other
    folders. The folder of a CNI has a command `crds`, which prints its custom resource definitions.
    """

    name: str
    folder: Path
    version: str
    go: GoBuild | None
    c_source: str | None
    debian: tuple[str, ...] | None
    certificates: tuple[str, ...] | None
    images: tuple[ImageRecipe, ...]
    cni: Mapping[str, CniImage] = field(default_factory=dict)


def recipes_home() -> Path:
    """The folder with the recipes: `images/`, next to the package.

    Raises:
        ImageUnavailable: policylab does not run from a clone of its repository.
    """
    home = Path(__file__).resolve().parents[3] / "images"
    if not home.is_dir():
        raise ImageUnavailable(
            "the recipes of the images are missing",
            where=str(home),
            seen="no such folder",
            try_="run policylab from a clone of its repository, or load a bundle",
        )
    return home


def read_recipes(home: Path) -> dict[str, Recipe]:
    """Every recipe below `home`, by name.

    Raises:
        ImageUnavailable: a recipe cannot be read; the message has the file and the fault.
    """
    recipes = {path.parent.name: _read(path) for path in sorted(home.glob("*/image.toml"))}
    for recipe in recipes.values():
        for image in recipe.images:
            if image.root is not None and getattr(recipes.get(image.root), "debian", None) is None:
                raise _wrong(
                    recipe.folder, f"image {image.name}: there is no Debian root {image.root!r}"
                )
            if image.commands is not None and not _compiles(recipes.get(image.commands)):
                seen = f"image {image.name}: nothing is compiled in {image.commands!r}"
                raise _wrong(recipe.folder, seen)
            for source in image.files.values():
                folder, _, file = source.partition("/")
                if file not in MADE or getattr(recipes.get(folder), "certificates", None) is None:
                    raise _wrong(
                        recipe.folder, f"image {image.name}: there is no certificate {source!r}"
                    )
    return recipes


def cnis(recipes: Mapping[str, Recipe]) -> list[str]:
    """The CNIs that these recipes build; the name of each CNI is the name of its folder."""
    return [name for name, recipe in recipes.items() if recipe.cni]


def _compiles(recipe: Recipe | None) -> bool:
    return recipe is not None and (recipe.go is not None or recipe.c_source is not None)


def _read(path: Path) -> Recipe:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, str(error)) from error
    _only(path, data, {"version", "go", "c", "debian", "certificates", "image", "cni"})
    version = str(data.get("version", ""))
    return Recipe(
        name=path.parent.name,
        folder=path.parent,
        version=version,
        go=_go(path, data["go"], version) if "go" in data else None,
        c_source=data["c"]["source"] if "c" in data else None,
        debian=tuple(data["debian"]["packages"]) if "debian" in data else None,
        certificates=tuple(data["certificates"]["names"]) if "certificates" in data else None,
        images=tuple(_image(path, table, version) for table in data.get("image", ())),
        cni={name: _cni(path, table, version) for name, table in data.get("cni", {}).items()},
    )


def _go(path: Path, table: Mapping[str, Any], version: str) -> GoBuild:
    _only(path, table, {"packages", "ldflags", "folders"})
    ldflags = f"-s -w {table.get('ldflags', '')}".strip().replace("${version}", version)
    folders = {name: (module, inner) for name, (module, inner) in table.get("folders", {}).items()}
    return GoBuild(tuple(table["packages"]), ldflags, folders)


def _image(path: Path, table: Mapping[str, Any], version: str) -> ImageRecipe:
    starts = {"entrypoint", "cmd", "env", "stop_signal", "user"}
    content = {"binaries", "commands", "folders", "links", "files"}
    _only(path, table, {"name", "tag", "root", "baked"} | content | starts)
    return ImageRecipe(
        name=table["name"],
        tag=table.get("tag", version),
        root=table.get("root"),
        binaries=dict(table.get("binaries", {})),
        config={key: table[key] for key in sorted(starts & table.keys())},
        commands=table.get("commands"),
        baked=table.get("baked", True),
        folders=dict(table.get("folders", {})),
        links=dict(table.get("links", {})),
        files=dict(table.get("files", {})),
    )


def _cni(path: Path, table: Mapping[str, Any], version: str) -> CniImage:
    _only(path, table, {"built", "official"})
    return CniImage(table["built"], table["official"].replace("${version}", version))


def _only(path: Path, table: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(table.keys() - known):
        raise _wrong(path, f"unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")


def _wrong(path: Path, seen: str) -> ImageUnavailable:
    return ImageUnavailable(
        "an image recipe cannot be read",
        where=str(path),
        seen=seen,
        try_="see images/README.md for every key",
    )
