"""The images of the labs' pods on a cluster that policylab did not make.

Its nodes have the images of the recipes if somebody put them there (`policylab images load
--into`). If not, the nodes pull public images with the same programs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.edge.images.recipe import read_recipes
from harness.edge.images.registry.official import mirror_of, public_names
from harness.edge.images.versions import HOME, read_toml
from harness.errors import ImageUnavailable

INSTALLED = Path(__file__).parent / "installed"
"""The recipes that name a public image: links in a clone, copies in an installed package."""


@dataclass(frozen=True, slots=True)
class LabImages:
    """The image of each short name that manifests use.

    Attributes:
        refs: the full names, by the short names.
        loaded: the short names whose image of policylab every node has.
        public: the short names whose public image the nodes pull, unless they have it.
    """

    refs: dict[str, str] = field(default_factory=dict)
    loaded: tuple[str, ...] = ()
    public: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Where the images come from, for a report."""
        parts = []
        if self.loaded:
            parts.append(f"on every node: {', '.join(self.loaded)}")
        if self.public:
            parts.append(f"pulled by the nodes: {', '.join(self.refs[n] for n in self.public)}")
        return "; ".join(parts)


def lab_images(nodes: Sequence[Collection[str]], mirror: str) -> LabImages:
    """The labs' images on nodes that have images of these names; `mirror` has the public ones.

    Outside of a clone of the repository there are no recipes, but the names of the public images.

    Raises:
        ImageUnavailable: a recipe, or the file with the mirror's pins, cannot be read.
    """
    if not HOME.is_dir():
        return _installed(mirror)
    recipes = read_recipes(HOME)
    place = mirror_of(recipes, mirror)
    ours = {image.name: image.ref for recipe in recipes.values() for image in recipe.images}
    refs: dict[str, str] = {}
    loaded: list[str] = []
    public: list[str] = []
    for name, official in public_names(recipes).items():
        there = bool(nodes) and all(ours[name] in found for found in nodes)
        refs[name] = ours[name] if there else place.name(official).ref
        (loaded if there else public).append(name)
    return LabImages(refs, tuple(loaded), tuple(public))


def _installed(mirror: str) -> LabImages:
    """The public images, by the names that the installed package has.

    Raises:
        ImageUnavailable: a mirror is named, whose pins only a clone has.
    """
    if mirror:
        raise ImageUnavailable(
            "the pins of a mirror are in policylab's repository, and this is an installed package",
            where=mirror,
            try_="run policylab from a clone of its repository, or leave the mirror out",
        )
    recipes = [read_toml(file) for file in sorted(INSTALLED.glob("*.toml"))]
    images = [image for recipe in recipes for image in recipe.get("image", ())]
    refs = {image["name"]: image["public"] for image in images if "public" in image}
    return LabImages(refs, public=tuple(refs))
