"""Chooses where cluster images come from, and gets them.

`auto` takes what is here already: a finished build of these very recipes, or a loaded bundle; else
the official images, if a registry answers within seconds; else it builds.
"""

from __future__ import annotations

from pathlib import Path

from harness.edge.images import bundle, engine, pipeline, registry
from harness.edge.images.model import ClusterImages, Source, read_cluster
from harness.edge.images.pipeline import Plan
from harness.edge.images.store import Store, cache_home
from harness.edge.machine import debian
from harness.errors import ImageUnavailable
from harness.progress import Progress

__all__ = ["load", "provide", "save"]


def provide(source: Source, progress: Progress) -> ClusterImages:
    """Return images for a cluster from the source asked for, building them if that is it.

    Raises `ImageUnavailable` if the source does not have them, and `ToolMissing` if the machine
    cannot be made able to get them.
    """
    store = Store(cache_home())
    debian.ensure_engine(progress, log=_engine_log(store))
    debian.raise_inotify_limits(progress)
    if source is Source.BUNDLE:
        return _bundle(store)
    todo = pipeline.plan(store, progress)
    if source is Source.BUILD:
        return _build(store, todo, progress)
    if source is Source.REGISTRY:
        return _official(store, todo, progress)
    return _auto(store, todo, progress)


def save(file: Path, progress: Progress) -> Path:
    """Write a bundle with the images of this checkout, building them first if need be."""
    store = Store(cache_home())
    debian.ensure_engine(progress, log=_engine_log(store))
    todo = pipeline.plan(store, progress)
    home = pipeline.built(store, todo.keys.cluster)
    with store.lock(progress):
        home = home or pipeline.make_cluster(store, todo, progress)
        engine.give(store, todo, progress)
        bundle.pack(home, engine.by_key(todo), file, progress)
    return file


def load(file: Path, progress: Progress) -> ClusterImages:
    """Check a bundle and make it what `--lab-images=bundle` and `auto` use."""
    store = Store(cache_home())
    debian.ensure_engine(progress, log=_engine_log(store))
    with store.lock(progress):
        bundle.install(file, _bundle_home(store), progress)
    return _bundle(store)


def _auto(store: Store, todo: Plan, progress: Progress) -> ClusterImages:
    if pipeline.built(store, todo.keys.cluster):
        return _build(store, todo, progress)
    if bundle.loaded_bundle(_bundle_home(store)):
        progress.note("using the images of the loaded bundle")
        return _bundle(store)
    if registry.registry_answers():
        return _official(store, todo, progress)
    progress.note("no images are cached and no registry answers: building them from packages")
    return _build(store, todo, progress)


def _build(store: Store, todo: Plan, progress: Progress) -> ClusterImages:
    home = pipeline.built(store, todo.keys.cluster)
    if home is None or engine.missing(todo):
        with store.lock(progress):
            home = home or pipeline.make_cluster(store, todo, progress)
            engine.give(store, todo, progress)
    return read_cluster(home, Source.BUILD, engine.name_them(engine.by_key(todo)))


def _official(store: Store, todo: Plan, progress: Progress) -> ClusterImages:
    with store.lock(progress):
        return registry.provide_official(store, todo, progress)


def _bundle(store: Store) -> ClusterImages:
    home = _bundle_home(store)
    if (found := bundle.loaded_bundle(home)) is None:
        raise ImageUnavailable(
            "no bundle is loaded",
            where=str(home),
            seen="no bundle, or the engine no longer has its node image",
            try_="policylab images load FILE",
        )
    beside = engine.name_them(bundle.engine_images(found))
    return read_cluster(found, Source.BUNDLE, beside)


def _bundle_home(store: Store) -> Path:
    return store.root / "bundle"


def _engine_log(store: Store) -> Path:
    return store.root / "logs" / "dockerd.log"
