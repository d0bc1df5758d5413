"""The whole build, from an empty machine to a node image: the order and the overlap of its steps.

Compiling uses every core; making Debian roots mostly waits for the network and for dpkg. Both run
in parallel. Then the node image is assembled.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.edge.images.build import PACKAGES, Builder, debian_base
from harness.edge.images.certificates.making import ensure_certificates
from harness.edge.images.keys import Keys, plan_keys
from harness.edge.images.model import CLUSTER_FILE, LAB_ARCHIVE, LAB_IMAGES, crds_file
from harness.edge.images.node import Assembly, node_ref
from harness.edge.images.outlook import outlook_of
from harness.edge.images.recipe import (
    REPOSITORY,
    Recipe,
    cnis,
    read_recipes,
    recipes_home,
    with_cni,
)
from harness.edge.images.store import SCRATCH, Store, Workshop
from harness.edge.images.tars.archive import write_archive
from harness.edge.images.versions import HOME, KUBERNETES, NONE, every_choice
from harness.edge.machine import debian
from harness.edge.machine.process import end_all, run

CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Plan:
    """The recipes, and the keys of the parts that they describe.

    `instead` are the keys of builds that do as well, because they have more than this one.
    """

    recipes: Mapping[str, Recipe]
    keys: Keys
    instead: tuple[str, ...] = ()


def plan(
    shop: Workshop,
    chosen: Mapping[str, str] = NONE,
    apart: Collection[str] = (),
    *,
    cni: str = "",
) -> Plan:
    """Read the recipes of this checkout; make the certificates, because keys depend on their bytes.

    `chosen` has the short names of versions by recipe; other recipes have their default. `apart`
    has the names of recipes to read although no cluster has their images. With `cni`, no other CNI
    is built: the first cluster comes up sooner, and a build of all CNIs does as well. A CNI that is
    not among the recipes brings its own images, and any node will do.

    Raises:
        ImageUnavailable: a recipe cannot be read, or there are no recipes, or no such version.
    """
    recipes = read_recipes(recipes_home(), chosen, apart)
    made = ensure_certificates(shop.store, recipes, shop.progress)
    everything = Plan(recipes, plan_keys(recipes, made))
    if not cni:
        return everything
    lanes = {name: with_cni(recipes, name) for name in cnis(recipes)}
    keys = {name: plan_keys(lane, made) for name, lane in lanes.items()}
    own = cni if cni in lanes else next(iter(lanes))
    others = [found.cluster for name, found in keys.items() if cni not in lanes and name != own]
    return Plan(lanes[own], keys[own], (everything.keys.cluster, *others))


def known_cnis() -> list[str]:
    """The CNIs that recipes build; none outside of a clone."""
    return cnis(read_recipes(HOME))


def plans(shop: Workshop) -> list[Plan]:
    """The plan of each combination of versions, with all CNIs and with each one alone.

    Raises:
        ImageUnavailable: as `plan`.
    """
    names = ("", *known_cnis())
    return [plan(shop, chosen, cni=cni) for chosen in every_choice() for cni in names]


def built(shop: Workshop, key: str) -> Path | None:
    """The folder of a finished build whose node image the engine still has."""
    if shop.store.has(CLUSTER, key) and shop.docker.has_image(node_ref(key)):
        return shop.store.path(CLUSTER, key)
    return None


def ready(shop: Workshop, todo: Plan) -> Path | None:
    """The folder of a finished build that has all that this plan wants."""
    keys = (todo.keys.cluster, *todo.instead)
    return next((home for key in keys if (home := built(shop, key))), None)


def make_cluster(shop: Workshop, todo: Plan) -> Path:
    """Build all missing parts; the folder of the finished build.

    Raises:
        ImageUnavailable: a part cannot be built.
        EnvironmentFault: the machine lacks disk space, root rights or a tool.
    """
    if done := built(shop, todo.keys.cluster):
        return done
    store, progress = shop.store, shop.progress
    builder = prepare(shop, todo)
    key = todo.keys.cluster
    _build_parts(builder, todo)
    assembly = Assembly(builder, todo.recipes)
    ref = node_ref(key)
    with store.making(CLUSTER, key, {"parts": _part_records(store, todo.keys)}) as folder:
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=store.root) as name:
            scratch = Path(name)
            with progress.step("writing the images"):
                images = assembly.images(None, scratch)
                write_archive(scratch / "images.tar", images)
                lab = [image for image in images if image.refs[0] in _lab_refs(todo)]
                write_archive(folder / LAB_ARCHIVE, lab)
            with progress.step("importing them into the node image"):
                assembly.bake(ref, scratch / "images.tar", scratch)
        _collect(builder, todo, folder, ref)
    _prune(shop)
    return store.path(CLUSTER, key)


def write_labs(shop: Workshop, todo: Plan, target: Path) -> tuple[str, ...]:
    """Write the images of the labs' pods to one file, and build what they lack; their full names.

    Raises:
        ImageUnavailable: a part cannot be built.
        EnvironmentFault: the machine lacks disk space, root rights or a tool.
    """
    assembly = Assembly(prepare(shop, todo), todo.recipes)
    images = assembly.images(set(LAB_IMAGES), target.parent)
    write_archive(target, images)
    return tuple(image.refs[0] for image in images)


def disk_places(cache: Path) -> list[Path]:
    """The folders that a build fills: policylab's cache, the engine's images, and Go's caches."""
    return [cache, Path("/var/lib/docker"), Path.home()]


def prepare(shop: Workshop, todo: Plan) -> Builder:
    """Check the machine, and install the tools of the build; the builder.

    Raises:
        EnvironmentFault: the disk is too small.
        ToolMissing: a tool cannot be installed here.
    """
    debian.ensure_disk(disk_places(shop.store.root))
    debian.ensure_build_tools(shop.progress, shop.patience)
    go = debian.ensure_go(shop.progress, shop.patience, home=shop.store.root)
    return Builder(shop, todo.keys, go)


def _build_parts(builder: Builder, todo: Plan) -> None:
    """Compile in one thread and make Debian roots in another; the first failure ends both."""
    stop = threading.Event()
    outlook = outlook_of(builder.store, todo.keys)
    if told := outlook.told():
        builder.progress.note(told)

    @contextmanager
    def part(name: str) -> Iterator[None]:
        outlook.begin(name)
        yield
        if left := outlook.end(name):
            builder.progress.note(left)

    def compile_all() -> None:
        for name in itertools.takewhile(lambda _: not stop.is_set(), todo.keys.commands):
            with part(f"commands-{name}"):
                builder.commands(todo.recipes[name])

    def bootstrap_all() -> None:
        for name in itertools.takewhile(lambda _: not stop.is_set(), todo.keys.roots):
            recipe = todo.recipes[name]
            with part(f"root-{name}"):
                builder.root(recipe, debian_base(todo.recipes, recipe))

    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="build") as lanes:
        futures: list[Future[None]] = [lanes.submit(compile_all), lanes.submit(bootstrap_all)]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            stop.set()
            end_all()
            raise


def _collect(builder: Builder, todo: Plan, folder: Path, ref: str) -> None:
    """Put the other files that a cluster needs into the folder of its description."""
    kubernetes = builder.commands(todo.recipes[KUBERNETES])
    shutil.copy2(kubernetes / "kubectl", folder / "kubectl")
    shutil.copy2(builder.commands(todo.recipes["kind"]) / "kind", folder / "kind")
    for cni in cnis(todo.recipes):
        printed = printed_crds(builder, todo.recipes[cni])
        (folder / crds_file(cni)).write_text(printed, encoding="utf-8")
    (folder / "packages").mkdir()
    for name, key in todo.keys.roots.items():
        noted = builder.store.path(f"root-{name}", key) / Path(PACKAGES).name
        shutil.copy2(noted, folder / "packages" / f"{name}.txt")
    facts = describe(todo, ref)
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (folder / CLUSTER_FILE).write_text(text, encoding="utf-8")


def printed_crds(builder: Builder, recipe: Recipe) -> str:
    """The custom resource definitions of a CNI, as YAML, from the command that its recipe builds.

    Raises:
        ImageUnavailable: the command cannot be built.
    """
    crds = builder.commands(recipe) / "crds"
    return run([crds], timeout=builder.shop.patience.tool_answer).stdout


def describe(todo: Plan, ref: str) -> dict[str, Any]:
    """The description of a build: names, versions, and the settings for kubeadm."""
    images = (image for recipe in todo.recipes.values() for image in recipe.images)
    refs = {image.name: image.ref for image in images if image.baked}
    refs |= {
        name: refs[image.built]
        for recipe in todo.recipes.values()
        for name, image in recipe.cni.items()
    }
    refs |= {"node": ref}
    return {
        "key": todo.keys.cluster,
        "node": ref,
        "refs": refs,
        "kubernetes_version": todo.recipes[KUBERNETES].version,
        "cni_versions": {cni: todo.recipes[cni].version for cni in cnis(todo.recipes)},
        "image_repository": REPOSITORY,
        "kubeadm_patch": _kubeadm_patch(todo.recipes),
    }


def _kubeadm_patch(recipes: Mapping[str, Recipe]) -> str:
    patch = {
        "kind": "ClusterConfiguration",
        "imageRepository": REPOSITORY,
        "dns": {"imageTag": recipes["coredns"].version},
        "etcd": {"local": {"imageTag": recipes["etcd"].version}},
    }
    return yaml.safe_dump(patch, sort_keys=False)


def _lab_refs(todo: Plan) -> set[str]:
    images = (image for recipe in todo.recipes.values() for image in recipe.images)
    return {image.ref for image in images if image.name in LAB_IMAGES}


def _part_records(store: Store, keys: Keys) -> list[dict[str, Any]]:
    return [store.record(name, key) for name, key in _parts(keys)]


def _parts(keys: Keys) -> list[tuple[str, str]]:
    names = [(f"commands-{name}", key) for name, key in keys.commands.items()]
    names += [(f"root-{name}", key) for name, key in keys.roots.items()]
    return names + list(keys.certificates.items())


def _prune(shop: Workshop) -> None:
    """Remove outdated artefacts and node images, unless a cluster uses them.

    The parts of each version are kept, whichever was built.
    """
    kept = [
        part for todo in plans(shop) for part in (*_parts(todo.keys), (CLUSTER, todo.keys.cluster))
    ]
    for name in shop.store.prune(kept):
        kind, _, key = name.rpartition("-")
        if kind == CLUSTER:
            shop.docker.remove_image(node_ref(key))
