"""Writes the images of recipes as archives that stand alone, for the folder of a CNI of one's own.

An archive is as `docker save` writes it. What it has is built by the same steps as the images of a
cluster, so a part that a cluster already has is not made again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from harness.edge.images.build import Builder
from harness.edge.images.model import crds_file
from harness.edge.images.node import Assembly
from harness.edge.images.pipeline import Plan, prepare, printed_crds
from harness.edge.images.recipe import Recipe, recipes_home
from harness.edge.images.store import Workshop
from harness.edge.images.tars.archive import write_archive
from harness.edge.images.versions import RECIPE
from harness.errors import EnvironmentFault, ImageUnavailable


def write_archives(shop: Workshop, todo: Plan, names: Collection[str], folder: Path) -> list[Path]:
    """Write the images of these recipes into the folder; the files. The caller holds the lock.

    Each file appears when it is complete.

    Raises:
        ImageUnavailable: there is no such recipe, it has no images, or a part cannot be built.
        EnvironmentFault: the folder does not exist, or a file cannot be written.
    """
    recipes = [_recipe(todo, name) for name in names]
    if not folder.is_dir():
        raise EnvironmentFault("there is no such folder for the images", where=str(folder))
    builder = prepare(shop, todo)
    found = []
    for recipe in recipes:
        with shop.progress.step(f"writing the images of {recipe.name}"):
            try:
                found += _written(builder, todo, recipe, folder)
            except OSError as error:
                raise EnvironmentFault(
                    f"the images of {recipe.name} cannot be written",
                    where=str(folder),
                    seen=str(error),
                    try_="is the disk full, or may you not write there?",
                ) from error
    return found


def _written(builder: Builder, todo: Plan, recipe: Recipe, folder: Path) -> list[Path]:
    with tempfile.TemporaryDirectory(prefix=".policylab-", dir=folder) as name:
        scratch = Path(name)
        wanted = {image.name for image in recipe.images}
        made = Assembly(builder, todo.recipes).images(wanted, scratch)
        drafts = [scratch / "images"]
        targets = [folder / f"{recipe.name}.tar"]
        write_archive(drafts[0], made)
        if recipe.cni:
            drafts.append(scratch / "crds")
            targets.append(folder / crds_file(recipe.name))
            drafts[1].write_text(printed_crds(builder, recipe), encoding="utf-8")
        for draft, target in zip(drafts, targets, strict=True):
            draft.replace(target)
    return targets


def _recipe(todo: Plan, name: str) -> Recipe:
    found = todo.recipes.get(name)
    if found is not None and found.images:
        return found
    known = sorted(path.parent.name for path in recipes_home().glob(f"*/{RECIPE}"))
    raise ImageUnavailable(
        f"no image is made from a recipe {name}",
        where=str(recipes_home()),
        seen=f"the recipes are {', '.join(known)}"
        if found is None
        else "it only has parts of others",
    )
