"""Chooses the source of a cluster's images, and gets them.

`auto` takes a finished build of the current recipes or a loaded bundle. If there is neither, it
takes the official images if a registry answers within seconds. Otherwise it builds.
"""

from __future__ import annotations

from pathlib import Path

from harness.edge.files.cache import cache_home
from harness.edge.images import bundle, engine, pipeline, registry, versions
from harness.edge.images.model import ClusterImages, Source, read_cluster
from harness.edge.images.pipeline import Plan
from harness.edge.images.store import Store, Workshop
from harness.edge.images.versions import KUBERNETES, short
from harness.edge.machine import debian
from harness.edge.machine.docker import DOCKER, Docker
from harness.errors import ImageUnavailable
from harness.progress import Progress


def provide(
    source: Source, progress: Progress, docker: Docker = DOCKER, kubernetes: str = ""
) -> ClusterImages:
    """The images of a cluster from the given source; `build` builds them here.

    `kubernetes` is the short name of its version, e.g. 1.37; empty means the default one.

    Raises:
        ImageUnavailable: the source does not have them.
        ToolMissing: a program that this source needs cannot be installed.
    """
    shop = _open(progress, docker)
    if source is Source.BUNDLE:
        return _bundle(shop, kubernetes)
    todo = pipeline.plan(shop, kubernetes)
    match choose(source, shop, todo):
        case Source.BUNDLE:
            progress.note("using the images of the loaded bundle")
            return _bundle(shop, kubernetes)
        case Source.REGISTRY:
            with shop.store.lock(progress, shop.patience):
                return registry.provide_official(shop, todo)
        case _:
            return _build(shop, todo)


def choose(source: Source, shop: Workshop, todo: Plan) -> Source:
    """The given source; for `auto`, the first source that has the images."""
    if source is not Source.AUTO:
        return source
    if pipeline.built(shop, todo.keys.cluster):
        return Source.BUILD
    wanted = short(todo.recipes[KUBERNETES].version)
    if bundle.loaded_bundle(_bundle_home(shop, wanted), shop.docker, wanted):
        return Source.BUNDLE
    if registry.registry_answers(shop.docker, registry.official_node(todo)):
        return Source.REGISTRY
    shop.progress.note("no images are cached and no registry answers: building them from packages")
    return Source.BUILD


def save(file: Path, progress: Progress, kubernetes: str = "", docker: Docker = DOCKER) -> Path:
    """Write a bundle with the images of this checkout; build missing images first.

    `kubernetes` is the short name of the version in it; empty means the default one.

    Raises:
        EnvironmentFault: the bundle cannot be written, or the images cannot be built.
    """
    shop = _open(progress, docker)
    todo = pipeline.plan(shop, kubernetes)
    home = pipeline.built(shop, todo.keys.cluster)
    with shop.store.lock(progress, shop.patience):
        home = home or pipeline.make_cluster(shop, todo)
        engine.give(shop, todo)
        bundle.pack(home, engine.by_key(todo), file, shop)
    return file


def load(file: Path, progress: Progress, docker: Docker = DOCKER) -> ClusterImages:
    """Check a bundle, and make it the bundle that `--lab-images=bundle` and `auto` use.

    One bundle of each version of Kubernetes can be loaded.

    Raises:
        ImageUnavailable: the file is not a complete and unchanged bundle, or it is of a version
            that this policylab does not have.
    """
    shop = _open(progress, docker)
    with shop.store.lock(progress, shop.patience):
        kubernetes = bundle.install(file, lambda version: _bundle_home(shop, version), shop)
    return _bundle(shop, kubernetes)


def _open(progress: Progress, docker: Docker) -> Workshop:
    shop = Workshop(Store(cache_home()), docker, progress)
    debian.ensure_engine(progress, docker, log=shop.store.root / "logs" / "dockerd.log")
    return shop


def _build(shop: Workshop, todo: Plan) -> ClusterImages:
    home = pipeline.built(shop, todo.keys.cluster)
    if home is None or engine.missing(shop, todo):
        with shop.store.lock(shop.progress, shop.patience):
            home = home or pipeline.make_cluster(shop, todo)
            engine.give(shop, todo)
    return read_cluster(home, Source.BUILD, engine.name_them(shop.docker, engine.by_key(todo)))


def _bundle(shop: Workshop, kubernetes: str) -> ClusterImages:
    wanted = kubernetes or versions.default()
    home = _bundle_home(shop, wanted)
    if (found := bundle.loaded_bundle(home, shop.docker, wanted)) is None:
        raise ImageUnavailable(
            f"no bundle with Kubernetes {wanted} is loaded" if wanted else "no bundle is loaded",
            where=str(home),
            seen="there is no such bundle, or the engine no longer has its node image",
            try_="policylab images load FILE",
        )
    beside = engine.name_them(shop.docker, bundle.engine_images(found))
    return read_cluster(found, Source.BUNDLE, beside)


def _bundle_home(shop: Workshop, kubernetes: str) -> Path:
    """The place of the loaded bundle with this version; the default version has the short name."""
    usual = kubernetes in ("", versions.default())
    return shop.store.root / ("bundle" if usual else f"bundle-{kubernetes}")
