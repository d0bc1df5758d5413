"""Chooses the source of a cluster's images, and gets them.

`auto` goes on with the official images where the cluster was made from them. Else it takes a
finished build of the current recipes or a loaded bundle. If there is neither, it takes the official
images. If a registry does not give them, it says why, and builds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.edge.files.cache import cache_home
from harness.edge.images import bundle, engine, pipeline, versions
from harness.edge.images.model import (
    LAB_ARCHIVE,
    ClusterImages,
    LabArchive,
    Official,
    Source,
    read_cluster,
)
from harness.edge.images.pipeline import Plan
from harness.edge.images.registry.official import provide_official
from harness.edge.images.store import SCRATCH, Store, Workshop
from harness.edge.images.versions import KUBERNETES, short
from harness.edge.machine import debian
from harness.edge.machine.docker import DOCKER, Docker
from harness.errors import ImageUnavailable
from harness.progress import Progress

ANY = Official()
"""The images of all CNIs, from the official registries."""


def provide(
    source: Source,
    progress: Progress,
    docker: Docker = DOCKER,
    kubernetes: str = "",
    official: Official = ANY,
) -> ClusterImages:
    """The images of a cluster from the given source; `build` builds them here.

    `kubernetes` is the short name of its version, e.g. 1.37; empty means the default one.
    `official` says what a registry is asked for.

    Raises:
        ImageUnavailable: the source does not have them.
        ToolMissing: a program that this source needs cannot be installed.
    """
    shop = _open(progress, docker)
    if source is Source.BUNDLE:
        return _bundle(shop, kubernetes)
    todo = pipeline.plan(shop, kubernetes)
    match choose(source, shop, todo, official):
        case Source.BUNDLE:
            progress.note("using the images of the loaded bundle")
            return _bundle(shop, kubernetes)
        case Source.REGISTRY:
            return _pull(shop, todo, official, or_build=source is Source.AUTO)
        case _:
            return _build(shop, todo)


def choose(source: Source, shop: Workshop, todo: Plan, official: Official = ANY) -> Source:
    """The given source; for `auto`, the first that has the images, as far as is known here."""
    if source is not Source.AUTO:
        return source
    if official.before_all:
        return Source.REGISTRY
    if pipeline.built(shop, todo.keys.cluster):
        return Source.BUILD
    wanted = short(todo.recipes[KUBERNETES].version)
    if bundle.loaded_bundle(_bundle_home(shop, wanted), shop.docker, wanted):
        return Source.BUNDLE
    return Source.REGISTRY


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


@contextmanager
def lab_archive(progress: Progress, docker: Docker = DOCKER) -> Iterator[LabArchive]:
    """The images of the labs' pods as one file, which may be gone after the block.

    It is that of a finished build or of the loaded bundle; without both, these few images are made.

    Raises:
        ImageUnavailable: one of them cannot be made here.
        EnvironmentFault: the machine lacks disk space, root rights or a tool.
    """
    shop = _open(progress, docker)
    todo = pipeline.plan(shop)
    loaded = _bundle_home(shop, versions.default())
    home = pipeline.built(shop, todo.keys.cluster) or bundle.loaded_bundle(loaded, docker)
    if home is not None:
        yield LabArchive.of(read_cluster(home, Source.AUTO, {}))
        return
    with (
        shop.store.lock(progress, shop.patience),
        TemporaryDirectory(prefix=SCRATCH, dir=shop.store.root) as scratch,
    ):
        file = Path(scratch) / LAB_ARCHIVE
        yield LabArchive(file, pipeline.write_labs(shop, todo, file))


def _open(progress: Progress, docker: Docker) -> Workshop:
    shop = Workshop(Store(cache_home()), docker, progress)
    debian.ensure_engine(progress, docker, log=shop.store.root / "logs" / "dockerd.log")
    return shop


def _pull(shop: Workshop, todo: Plan, official: Official, *, or_build: bool) -> ClusterImages:
    """The official images; if they cannot be had and `or_build` is set, the images built here."""
    try:
        with shop.store.lock(shop.progress, shop.patience):
            return provide_official(shop, todo, official)
    except ImageUnavailable as error:
        if not or_build:
            raise
        shop.progress.note(
            "no images are cached here, and the official ones cannot be had, so they are built "
            f"from packages: {error.what} ({error.seen})"
        )
    return _build(shop, todo)


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
