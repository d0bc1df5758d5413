"""Reads `images/<name>/image.toml`: what to build, as data, in the versions that were chosen.

`images/README.md` has a table of all keys. An unknown key is an error, because a misspelt key would
silently build something else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.edge.images.versions import (
    HOME,
    NONE,
    RECIPE,
    Version,
    filled,
    only,
    read_toml,
    read_version,
    unreadable,
)
from harness.errors import ImageUnavailable

REPOSITORY = "localhost/policylab"
BASE = "debian"
MADE = frozenset({"ca.crt", "leaf.crt", "leaf.key"})
SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class GoBuild:
    """The packages that `go build` compiles in a folder, and the modules' folders to copy.

    A copied folder is named by its module and its path in the module. `cgo` says that the packages
    have parts in C.
    """

    packages: tuple[str, ...]
    ldflags: str
    folders: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    cgo: bool = False


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
        public: the full name of a public image with the same programs, which a cluster of somebody
            else gets in its place; empty if there is none.
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
    public: str = ""

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

    `folder` is the folder of what is compiled: the recipe's own, or that of its chosen version.
    `made` is that version. `cni` has the images of a CNI by the names that its manifests use; it is
    empty in all other folders. The folder of a CNI has a command `crds`, which prints its custom
    resource definitions.
    """

    name: str
    folder: Path
    version: str
    go: GoBuild | None
    c_source: str | None
    debian: tuple[str, ...] | None
    certificates: tuple[str, ...] | None
    images: tuple[ImageRecipe, ...]
    made: Version
    cni: Mapping[str, CniImage] = field(default_factory=dict)


def recipes_home() -> Path:
    """The folder with the recipes: `images/`, next to the package.

    Raises:
        ImageUnavailable: policylab does not run from a clone of its repository.
    """
    if not HOME.is_dir():
        raise ImageUnavailable(
            "the recipes of the images are missing",
            where=str(HOME),
            seen="no such folder",
            try_="run policylab from a clone of its repository, or load a bundle",
        )
    return HOME


def read_recipes(
    home: Path, chosen: Mapping[str, str] = NONE, apart: Collection[str] = ()
) -> dict[str, Recipe]:
    """Every recipe below `home`, by name.

    `chosen` has the short names of chosen versions by recipe; other recipes have their default.
    A recipe that says `apart` is of no cluster of policylab; only those that are named are read.

    Raises:
        ImageUnavailable: a recipe cannot be read; the message has the file and the fault.
    """
    data = {
        path: found
        for path in sorted(home.glob(f"*/{RECIPE}"))
        if not (found := read_toml(path)).get("apart") or path.parent.name in apart
    }
    made = {
        path.parent.name: read_version(path.parent, data[path], chosen.get(path.parent.name, ""))
        for path in data
    }
    recipes = {path.parent.name: _read(path, data[path], made) for path in data}
    _check(recipes)
    return recipes


def _check(recipes: Mapping[str, Recipe]) -> None:
    """Refuse recipes that do not fit together."""
    for recipe in recipes.values():
        for name, version in recipe.made.beside.items():
            if name not in recipes or recipes[name].version != version:
                seen = f"{recipe.name} {recipe.version} was tried with {name} {version}"
                raise unreadable(recipe.folder, seen)
        for image in recipe.images:
            if image.root is not None and getattr(recipes.get(image.root), "debian", None) is None:
                raise unreadable(
                    recipe.folder, f"image {image.name}: there is no Debian root {image.root!r}"
                )
            if image.commands is not None and not _compiles(recipes.get(image.commands)):
                seen = f"image {image.name}: nothing is compiled in {image.commands!r}"
                raise unreadable(recipe.folder, seen)
            for source in image.files.values():
                folder, _, file = source.partition("/")
                if file not in MADE or getattr(recipes.get(folder), "certificates", None) is None:
                    raise unreadable(
                        recipe.folder, f"image {image.name}: there is no certificate {source!r}"
                    )


def cnis(recipes: Mapping[str, Recipe]) -> list[str]:
    """The CNIs that these recipes build; the name of each CNI is the name of its folder."""
    return [name for name, recipe in recipes.items() if recipe.cni]


def with_cni(recipes: Mapping[str, Recipe], cni: str) -> dict[str, Recipe]:
    """The recipes without those of other CNIs than this one."""
    return {name: recipe for name, recipe in recipes.items() if name == cni or not recipe.cni}


def _compiles(recipe: Recipe | None) -> bool:
    return recipe is not None and (recipe.go is not None or recipe.c_source is not None)


def _read(path: Path, data: Mapping[str, Any], made: Mapping[str, Version]) -> Recipe:
    versions = {"version", "version_of", "default"}
    only(path, data, versions | {"apart", "go", "c", "debian", "certificates", "image", "cni"})
    own = made[path.parent.name]
    if (of := data.get("version_of", path.parent.name)) not in made:
        raise unreadable(path, f"there is no recipe {of!r}")
    version = made[of].full
    return Recipe(
        name=path.parent.name,
        folder=own.folder,
        version=version,
        go=_go(path, data["go"], version) if "go" in data else None,
        c_source=data["c"]["source"] if "c" in data else None,
        debian=(*data["debian"]["packages"], *own.packages) if "debian" in data else None,
        certificates=tuple(data["certificates"]["names"]) if "certificates" in data else None,
        images=tuple(_image(path, table, version) for table in data.get("image", ())),
        made=own,
        cni={name: _cni(path, table, version) for name, table in data.get("cni", {}).items()},
    )


def _go(path: Path, table: Mapping[str, Any], version: str) -> GoBuild:
    only(path, table, {"packages", "ldflags", "folders", "cgo"})
    ldflags = filled(f"-s -w {table.get('ldflags', '')}".strip(), version)
    folders = {name: (module, inner) for name, (module, inner) in table.get("folders", {}).items()}
    return GoBuild(tuple(table["packages"]), ldflags, folders, table.get("cgo", False))


def _image(path: Path, table: Mapping[str, Any], version: str) -> ImageRecipe:
    starts = {"entrypoint", "cmd", "env", "stop_signal", "user"}
    content = {"binaries", "commands", "folders", "links", "files"}
    only(path, table, {"name", "tag", "root", "baked", "public"} | content | starts)
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
        public=filled(table.get("public", ""), version),
    )


def _cni(path: Path, table: Mapping[str, Any], version: str) -> CniImage:
    only(path, table, {"built", "official"})
    return CniImage(table["built"], filled(table["official"], version))
