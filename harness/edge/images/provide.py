"""Chooses the source of a cluster's images, and gets them.

`auto` goes on with the official images where the cluster was made from them. Else it takes a
finished build of the current recipes or a loaded bundle. If there is neither, it takes the official
images. If a registry does not give them, it says why, and builds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.edge.files.cache import cache_home
from harness.edge.images import engine, pipeline
from harness.edge.images.export import bundle
from harness.edge.images.export.archives import write_archives
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
from harness.edge.images.versions import KUBERNETES, NONE, usual_versions
from harness.edge.machine import debian
from harness.edge.machine.docker import DOCKER, Docker
from harness.errors import ImageUnavailable
from harness.progress import Progress

ANY = Official()
"""The images of all CNIs, from the official registries."""
ANY_CNI = "/"
"""What no recipe is called: images with whatever CNI will do."""


def provide(
    source: Source,
    progress: Progress,
    docker: Docker = DOCKER,
    chosen: Mapping[str, str] = NONE,
    official: Official = ANY,
) -> ClusterImages:
    """The images of a cluster from the given source; `build` builds them here.

    `chosen` has the short names of versions by recipe (`kubernetes`: `1.37`); other recipes have
    their default. `official` says which CNI is wanted, and what a registry is asked for.

    Raises:
        ImageUnavailable: the source does not have them.
        ToolMissing: a program that this source needs cannot be installed.
    """
    shop = _open(progress, docker)
    if source is Source.BUNDLE:
        return _bundle(shop, chosen, official.cni)
    todo = pipeline.plan(shop, chosen, cni=official.cni)
    match choose(source, shop, todo, official, chosen):
        case Source.BUNDLE:
            progress.note("using the images of the loaded bundle")
            return _bundle(shop, chosen, official.cni)
        case Source.REGISTRY:
            return _pull(shop, todo, official, or_build=source is Source.AUTO)
        case _:
            return _build(shop, todo)


def choose(
    source: Source,
    shop: Workshop,
    todo: Plan,
    official: Official = ANY,
    chosen: Mapping[str, str] = NONE,
) -> Source:
    """The given source; for `auto`, the first that has the images, as far as is known here."""
    if source is not Source.AUTO:
        return source
    if official.before_all:
        return Source.REGISTRY
    if pipeline.ready(shop, todo):
        return Source.BUILD
    if _loaded(shop, chosen, official.cni):
        return Source.BUNDLE
    return Source.REGISTRY


def save(
    file: Path,
    progress: Progress,
    chosen: Mapping[str, str] = NONE,
    cni: str = "",
    docker: Docker = DOCKER,
) -> Path:
    """Write a bundle with the images of this checkout; build missing images first.

    `chosen` has the short names of the versions in it, as for `provide`; `cni` is the only CNI in
    it, if it is not to have them all.

    Raises:
        EnvironmentFault: the bundle cannot be written, or the images cannot be built.
    """
    shop = _open(progress, docker)
    todo = pipeline.plan(shop, chosen, cni=cni)
    home = pipeline.built(shop, todo.keys.cluster)
    with shop.store.lock(progress, shop.patience):
        home = home or pipeline.make_cluster(shop, todo)
        engine.give(shop, todo)
        bundle.pack(home, engine.by_key(todo), file, shop)
    return file


def archives(
    names: Collection[str], folder: Path, progress: Progress, docker: Docker = DOCKER
) -> list[Path]:
    """Write the images of these recipes into a folder, for the folder of a CNI; the files.

    Missing parts are built first. Each recipe gives NAME.tar, as `docker save` would write it; the
    recipe of a CNI also gives its custom resource definitions, NAME-crds.yaml.

    Raises:
        EnvironmentFault: a file cannot be written, or an image cannot be built.
    """
    shop = _open(progress, docker)
    todo = pipeline.plan(shop, apart=names)
    with shop.store.lock(progress, shop.patience):
        return write_archives(shop, todo, names, folder)


def load(file: Path, progress: Progress, docker: Docker = DOCKER) -> ClusterImages:
    """Check a bundle, and make it the bundle that `--lab-images=bundle` and `auto` use.

    One bundle of each combination of versions and CNIs can be loaded.

    Raises:
        ImageUnavailable: the file is not a complete and unchanged bundle, or it is of a version
            that this policylab does not have.
    """
    shop = _open(progress, docker)
    with shop.store.lock(progress, shop.patience):
        place = partial(_bundle_home, shop)
        has, cnis = bundle.install(file, place, shop)
    return _bundle(shop, has, alone(cnis))


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
    keys = (each.keys.cluster for each in pipeline.plans(shop))
    builds = (home for key in keys if (home := pipeline.built(shop, key)))
    home = next(builds, None) or _loaded(shop, NONE, ANY_CNI)
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
    home = pipeline.ready(shop, todo)
    if home is None or engine.missing(shop, todo):
        with shop.store.lock(shop.progress, shop.patience):
            # Another run may have built it, or all CNIs, while this one waited for its turn.
            home = pipeline.ready(shop, todo) or pipeline.make_cluster(shop, todo)
            engine.give(shop, todo)
    return read_cluster(home, Source.BUILD, engine.name_them(shop.docker, engine.by_key(todo)))


def _bundle(shop: Workshop, chosen: Mapping[str, str], cni: str) -> ClusterImages:
    if (found := _loaded(shop, chosen, cni)) is None:
        versions = {**usual_versions(), **chosen}
        names = [KUBERNETES, cni] if cni in pipeline.known_cnis() else list(versions)
        wanted = [f"{name.capitalize()} {versions.get(name, '')}".strip() for name in names]
        others = sorted(path.parent.name for path in shop.store.root.glob("bundle*/cluster.json"))
        raise ImageUnavailable(
            f"no bundle with {' and '.join(wanted)} is loaded" if wanted else "no bundle is loaded",
            where=str(_bundle_home(shop, chosen, [cni] if cni else [])),
            seen=f"loaded: {', '.join(others) or 'none'}; or the engine no longer has a node image",
            try_="policylab images load FILE, with a file that has this lane",
        )
    beside = engine.name_them(shop.docker, bundle.engine_images(found))
    return read_cluster(found, Source.BUNDLE, beside)


def _loaded(shop: Workshop, chosen: Mapping[str, str], cni: str) -> Path | None:
    """The folder of a loaded bundle with this CNI; a CNI that has no recipe brings its images."""
    known = pipeline.known_cnis()
    sets = [[cni], []] if cni in known else [[], *([name] for name in known if cni)]
    for cnis in sets:
        home = _bundle_home(shop, chosen, cnis)
        if found := bundle.loaded_bundle(home, shop.docker, chosen, cni if cni in known else ""):
            return found
    return None


def _bundle_home(shop: Workshop, chosen: Mapping[str, str], cnis: Collection[str]) -> Path:
    """The place of the loaded bundle with these versions; default versions are not in its name.

    A bundle that has one CNI only has its name at the end.
    """
    usual = usual_versions()
    others = [
        version if name == KUBERNETES else f"{name}-{version}"
        for name, version in sorted(chosen.items(), key=lambda item: item[0] != KUBERNETES)
        if version != usual.get(name, version)
    ]
    return shop.store.root / "-".join(["bundle", *others, *filter(None, [alone(cnis)])])


def alone(cnis: Collection[str]) -> str:
    """The only CNI of a bundle; empty if it has several, or none."""
    return next(iter(cnis)) if len(cnis) == 1 else ""
