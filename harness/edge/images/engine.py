"""Images that stay in the local engine: what runs beside a cluster, and not in it.

They are no part of the node image, so a change of theirs bakes nothing. Each is known to the engine
by the key of its content; the name that people read is moved to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.edge.images.archive import write_archive
from harness.edge.images.node import Assembly
from harness.edge.images.pipeline import Plan, prepare
from harness.edge.images.recipe import REPOSITORY
from harness.edge.images.store import SCRATCH, Workshop
from harness.edge.machine.docker import Docker


def by_key(todo: Plan) -> dict[str, str]:
    """The engine's name, with the key of the content, of each image that is not baked."""
    images = (image for recipe in todo.recipes.values() for image in recipe.images)
    return {
        image.name: f"{REPOSITORY}/{image.name}:{todo.keys.images[image.name]}"
        for image in images
        if not image.baked
    }


def missing(shop: Workshop, todo: Plan) -> set[str]:
    """The names of those images that the engine does not have."""
    return {name for name, ref in by_key(todo).items() if not shop.docker.has_image(ref)}


def give(shop: Workshop, todo: Plan) -> None:
    """Make the images that are missing and give them to the engine; the caller holds the lock.

    Raises:
        ImageUnavailable: a part of them cannot be built.
        CommandFailed: the engine does not take them.
    """
    names = missing(shop, todo)
    if not names:
        return
    assembly = Assembly(prepare(shop, todo), todo.recipes)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=shop.store.root) as name:
        scratch = Path(name)
        images = assembly.images(names, scratch)
        with shop.progress.step(f"giving {', '.join(sorted(names))} to the engine"):
            archive = scratch / "engine.tar"
            write_archive(archive, images)
            shop.docker.load(archive)
    for name in names:
        drop_others(shop.docker, name, by_key(todo)[name])


def name_them(docker: Docker, refs: Mapping[str, str]) -> dict[str, str]:
    """Move the name that people read to each of these images, and return those names."""
    readable = {name: f"{ref.rpartition(':')[0]}:lab" for name, ref in refs.items()}
    for name, ref in refs.items():
        docker.tag(ref, readable[name])
    return readable


def drop_others(docker: Docker, name: str, kept: str) -> None:
    """Drop superseded images of that name; the engine keeps an image that a container runs on."""
    for ref in docker.images(f"{REPOSITORY}/{name}"):
        if ref != kept and not ref.endswith((":lab", ":<none>")):
            docker.remove_image(ref)
