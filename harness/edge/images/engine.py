"""Images that stay in the local engine, because their containers run outside the cluster.

The node image does not contain them, so a change in them does not change the node image. The engine
knows each of them by the key of its content; the name for people then moves to the new image.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.edge.images.node import Assembly
from harness.edge.images.pipeline import Plan, prepare
from harness.edge.images.recipe import REPOSITORY
from harness.edge.images.store import SCRATCH, Workshop
from harness.edge.images.tars.archive import write_archive
from harness.edge.machine.docker import Docker


def by_key(todo: Plan) -> dict[str, str]:
    """The engine's name, with the key of the content, of each image outside the node image."""
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
    """Make the missing images and load them into the engine; the caller holds the lock.

    Raises:
        ImageUnavailable: a part of an image cannot be built.
        CommandFailed: the engine does not load them.
    """
    names = missing(shop, todo)
    if not names:
        return
    assembly = Assembly(prepare(shop, todo), todo.recipes)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=shop.store.root) as name:
        scratch = Path(name)
        images = assembly.images(names, scratch)
        with shop.progress.step(f"loading {', '.join(sorted(names))} into the engine"):
            archive = scratch / "engine.tar"
            write_archive(archive, images)
            shop.docker.load(archive)
    for name in names:
        drop_others(shop.docker, name, by_key(todo)[name])


def name_them(docker: Docker, refs: Mapping[str, str]) -> dict[str, str]:
    """Give each of these images its name for people; the names."""
    readable = {name: f"{ref.rpartition(':')[0]}:lab" for name, ref in refs.items()}
    for name, ref in refs.items():
        docker.tag(ref, readable[name])
    return readable


def drop_others(docker: Docker, name: str, kept: str) -> None:
    """Remove older images of this name; the engine keeps an image that a container uses."""
    for ref in docker.images(f"{REPOSITORY}/{name}"):
        if ref != kept and not ref.endswith((":lab", ":<none>")):
            docker.remove_image(ref)
