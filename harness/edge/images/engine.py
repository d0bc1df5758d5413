"""Images that stay in the local engine: what runs beside a cluster, and not in it.

They are no part of the node image, so a change of theirs bakes nothing. Each is known to the engine
by the key of its content; the name that people read is moved to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.edge.images.archive import write_archive
from harness.edge.images.node import Assembly, engine_has
from harness.edge.images.pipeline import Plan, prepare
from harness.edge.images.recipe import REPOSITORY
from harness.edge.images.store import SCRATCH, Store
from harness.edge.machine.process import run
from harness.progress import Progress

__all__ = ["by_key", "give", "missing", "name_them"]

ENGINE_SECONDS = 600.0


def by_key(todo: Plan) -> dict[str, str]:
    """Return the engine's name, with the key of the content, of each image that is not baked."""
    images = (image for recipe in todo.recipes.values() for image in recipe.images)
    return {
        image.name: f"{REPOSITORY}/{image.name}:{todo.keys.images[image.name]}"
        for image in images
        if not image.baked
    }


def missing(todo: Plan) -> set[str]:
    """Return the names of those that the engine does not have."""
    return {name for name, ref in by_key(todo).items() if not engine_has(ref)}


def give(store: Store, todo: Plan, progress: Progress) -> None:
    """Make those that are missing and give them to the engine; the caller holds the lock."""
    names = missing(todo)
    if not names:
        return
    assembly = Assembly(prepare(store, todo, progress), todo.recipes)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=store.root) as name:
        scratch = Path(name)
        images = assembly.images(names, scratch)
        with progress.step(f"giving {', '.join(sorted(names))} to the engine"):
            archive = scratch / "engine.tar"
            write_archive(archive, images)
            run(["docker", "load", "--quiet", "--input", archive], timeout=ENGINE_SECONDS)
    for name in names:
        _drop_others(name, by_key(todo)[name])


def name_them(refs: Mapping[str, str]) -> dict[str, str]:
    """Move the name that people read to each of these images; return those names."""
    readable = {name: f"{ref.rpartition(':')[0]}:lab" for name, ref in refs.items()}
    for name, ref in refs.items():
        run(["docker", "tag", ref, readable[name]], timeout=ENGINE_SECONDS)
    return readable


def _drop_others(name: str, kept: str) -> None:
    """Drop what is superseded; the engine keeps what a container runs on."""
    every = ["docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}", f"{REPOSITORY}/{name}"]
    for ref in run(every, timeout=ENGINE_SECONDS).stdout.split():
        if ref != kept and not ref.endswith((":lab", ":<none>")):
            run(["docker", "image", "rm", ref], timeout=ENGINE_SECONDS, check=False)
