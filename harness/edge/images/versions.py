"""The versions of a recipe: a folder `images/NAME/1.37` for each version that can be chosen.

A recipe has either one version, in its `image.toml`, or such folders. A folder has the module graph
of its version, and `version.toml`: everything that belongs to this version and to no other one. A
further version is therefore a further folder.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.errors import ImageUnavailable

HOME = Path(__file__).resolve().parents[3] / "images"
"""The recipes, next to the package; only a clone of the repository has them."""

RECIPE, FILE = "image.toml", "version.toml"
NONE: Mapping[str, str] = MappingProxyType({})
"""No version is chosen: each recipe has its default."""
KUBERNETES = "kubernetes"
_SHORT = re.compile(r"v?(\d+)\.(\d+)(?!\d)")


@dataclass(frozen=True, slots=True)
class Version:
    """One version that a recipe can build.

    Attributes:
        full: the version of the content, e.g. v1.37.2.
        folder: the folder with the module graph.
        beside: the versions of other recipes that it was tried with, by their names.
        kubectl_skew: by how many minor versions a kubectl may be older or newer; None if no
            kubectl goes with it.
        node: the official node image, pinned by digest; empty if there is none.
        packages: the Debian packages that this version needs, beside those of the recipe.
    """

    full: str
    folder: Path
    beside: Mapping[str, str] = field(default_factory=dict)
    kubectl_skew: int | None = None
    node: str = ""
    packages: tuple[str, ...] = ()

    def takes_kubectl(self, version: str) -> bool:
        """Whether a kubectl of this version fits; one whose version cannot be read does not."""
        apart = minors_apart(self.full, version)
        return apart is not None and self.kubectl_skew is not None and apart <= self.kubectl_skew


def minors_apart(one: str, other: str) -> int | None:
    """How many minor versions are between two versions; None if that cannot be said."""
    ours, theirs = _SHORT.match(one), _SHORT.match(other)
    if ours is None or theirs is None or ours[1] != theirs[1]:
        return None
    return abs(int(ours[2]) - int(theirs[2]))


def short(version: str) -> str:
    """Major and minor version: 1.37 of v1.37.2; the text itself if it is no version."""
    found = _SHORT.match(version)
    return f"{found[1]}.{found[2]}" if found else version


def names_in(folder: Path) -> tuple[str, ...]:
    """The short names of a recipe's versions, the newest first; none if it has only one version."""
    found = (path.parent.name for path in folder.glob(f"*/{FILE}"))
    return tuple(sorted(found, key=_by_number, reverse=True))


def default(recipe: str) -> str:
    """The short name of a recipe's default version; empty if it has one version, or no clone."""
    if not names_in(HOME / recipe):
        return ""
    return str(read_toml(HOME / recipe / RECIPE).get("default", ""))


def versions_of(recipe: str) -> tuple[str, ...]:
    """The short names of a recipe's versions, the default first; none as for `default`."""
    first, names = default(recipe), names_in(HOME / recipe)
    return tuple(sorted(names, key=lambda name: name != first))


def usual_versions() -> dict[str, str]:
    """The short name of the default version of each recipe that has versions to choose."""
    recipes = sorted(path.parent.name for path in HOME.glob(f"*/{RECIPE}"))
    found = {recipe: default(recipe) for recipe in recipes}
    return {recipe: name for recipe, name in found.items() if name}


def every_choice() -> list[dict[str, str]]:
    """Every combination of versions, by recipe."""
    names = usual_versions()
    combined = product(*(names_in(HOME / recipe) for recipe in names))
    return [dict(zip(names, versions, strict=True)) for versions in combined]


def read_version(folder: Path, data: Mapping[str, Any], chosen: str) -> Version:
    """The chosen version of a recipe, or its default one; `data` is the recipe's `image.toml`.

    Raises:
        ImageUnavailable: there is no such version, or its file cannot be read.
    """
    names = names_in(folder)
    if not names:
        return Version(str(data.get("version", "")), folder)
    name = chosen or str(data.get("default", ""))
    if name not in names:
        raise ImageUnavailable(
            f"there is no version {name} of {folder.name}",
            where=str(folder),
            seen=f"its versions: {', '.join(names)}",
            try_="choose one of them",
        )
    return _read(folder / name)


def _read(folder: Path) -> Version:
    file = folder / FILE
    data = read_toml(file)
    only(file, data, {"version", "beside", "kubectl", "official", "debian"})
    only(file, data.get("kubectl", {}), {"skew"})
    only(file, data.get("official", {}), {"node"})
    only(file, data.get("debian", {}), {"packages"})
    version = str(data.get("version", ""))
    if short(version) != folder.name:
        raise unreadable(file, f"version {version!r} in the folder {folder.name}")
    return Version(
        full=version,
        folder=folder,
        beside=dict(data.get("beside", {})),
        kubectl_skew=data.get("kubectl", {}).get("skew"),
        node=data.get("official", {}).get("node", ""),
        packages=tuple(data.get("debian", {}).get("packages", ())),
    )


def filled(text: str, version: str) -> str:
    """The text with `${version}`, `${major}` and `${minor}` of this version."""
    found = _SHORT.match(version)
    major, minor = (found[1], found[2]) if found else ("", "")
    values = {"${version}": version, "${major}": major, "${minor}": minor}
    for word, value in values.items():
        text = text.replace(word, value)
    return text


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ImageUnavailable: it cannot be read; the message has the file and the fault.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise unreadable(path, str(error)) from error


def only(path: Path, table: Mapping[str, Any], known: set[str]) -> None:
    """Refuse keys that have no meaning.

    Raises:
        ImageUnavailable: the table has such a key.
    """
    if unknown := sorted(table.keys() - known):
        raise unreadable(path, f"unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")


def unreadable(path: Path, seen: str) -> ImageUnavailable:
    """The error about a recipe that cannot be read."""
    return ImageUnavailable(
        "an image recipe cannot be read",
        where=str(path),
        seen=seen,
        try_="see images/README.md for every key",
    )


def _by_number(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else -1 for part in name.split("."))
