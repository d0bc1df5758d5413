"""The official images, for people who reach a registry or a company's mirror of it.

The node image is pinned by digest. The CNIs' images are pinned by version only, because their
digests could not be looked up where this module was written; `images/registries.toml` may have
digests for a mirror. The lab images replace the tutorials'
own images, so they are made here with this source too: the engine makes them from the same package
lists, and needs neither root nor a Debian machine. The images that run outside the cluster are made
in the same way; their commands are compiled here. kind is compiled too if the machine lacks it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from harness.edge.images.build import Builder
from harness.edge.images.model import (
    LAB_IMAGES,
    ClusterImages,
    CniParts,
    Official,
    Source,
    crds_file,
)
from harness.edge.images.pipeline import Plan
from harness.edge.images.recipe import (
    REPOSITORY,
    SUITE,
    ImageRecipe,
    Recipe,
    cnis,
    read_recipes,
    recipes_home,
)
from harness.edge.images.registry.names import Mirror, Name, read_mirror
from harness.edge.images.registry.pulling import pull
from harness.edge.images.store import Workshop
from harness.edge.images.versions import KUBERNETES
from harness.edge.machine import debian
from harness.edge.machine.docker import Docker
from harness.edge.machine.kubectl import kubectl_version
from harness.edge.machine.process import CommandFailed, run
from harness.edge.support import support_of
from harness.errors import ImageUnavailable

DEBIAN = f"debian:{SUITE}-slim"


def official_node(recipes: Mapping[str, Recipe]) -> str:
    """The official node image of the chosen version of Kubernetes, pinned by digest.

    Its patch version may differ from the version that policylab builds.

    Raises:
        ImageUnavailable: the recipe names none.
    """
    made = recipes[KUBERNETES].made
    if not made.node:
        raise ImageUnavailable(
            f"there is no official node image of Kubernetes {made.full}",
            where=str(made.folder),
            try_="use --lab-images=build (no registry needed)",
        )
    return made.node


def official_names(recipes: Mapping[str, Recipe], cni: str = "") -> dict[str, str]:
    """The full names of the images of a CNI, or of all CNIs, by the names in the manifests."""
    return {
        name: image.official
        for recipe in recipes.values()
        if cni in ("", recipe.name)
        for name, image in recipe.cni.items()
    }


def public_names(recipes: Mapping[str, Recipe]) -> dict[str, str]:
    """The public images that do for the labs' own on somebody else's cluster, by short names."""
    images = (image for recipe in recipes.values() for image in recipe.images)
    return {image.name: image.public for image in images if image.public}


def _beside_labs(recipes: Mapping[str, Recipe]) -> dict[str, str]:
    """The public images that a cluster of policylab gets too: those that are not made here."""
    return {name: ref for name, ref in public_names(recipes).items() if name not in LAB_IMAGES}


def mirror_of(recipes: Mapping[str, Recipe], place: str) -> Mirror:
    """The mirror at this place, with its pins.

    Raises:
        ImageUnavailable: the file with its pins cannot be read.
    """
    names = (*official_names(recipes).values(), *public_names(recipes).values())
    known = (official_node(recipes), *names, DEBIAN)
    return read_mirror(place, recipes_home(), known)


def listed(chosen: Mapping[str, str], official: Official) -> dict[str, str]:
    """What may be pulled: the official name of each image, and the name by which it is pulled.

    The public images of the labs' pods are pulled on somebody else's cluster only.

    Raises:
        ImageUnavailable: a recipe or the file with a mirror's pins cannot be read.
    """
    recipes = read_recipes(recipes_home(), chosen)
    mirror = mirror_of(recipes, official.mirror)
    names = [*official_names(recipes, official.cni).values(), *public_names(recipes).values()]
    return {name: mirror.name(name).ref for name in (official_node(recipes), *names, DEBIAN)}


def ended(chosen: Mapping[str, str], official: Official, today: date) -> list[str]:
    """Of each CNI that would be pulled and whose support has ended: so, and which is the newest.

    Raises:
        ImageUnavailable: a recipe cannot be read.
    """
    found = []
    recipes = read_recipes(recipes_home(), chosen)
    for cni in cnis(recipes):
        support = support_of(cni, recipes[cni].version)
        if official.cni in ("", cni) and support is not None and support.ended(today):
            newest = f" The newest is {support.newest}." if support.newest else ""
            found.append(support.told(today) + newest)
    return found


def provide_official(shop: Workshop, todo: Plan, official: Official) -> ClusterImages:
    """Pull the official node and CNI images, and make the lab images.

    Raises:
        ImageUnavailable: an image cannot be pulled or cannot be made.
    """
    docker, progress = shop.docker, shop.progress
    mirror = mirror_of(todo.recipes, official.mirror)
    node = mirror.name(official_node(todo.recipes))
    names = official_names(todo.recipes, official.cni)
    names |= _beside_labs(todo.recipes)
    pulled = {name: mirror.name(image) for name, image in names.items()}
    for each in (node, *dict.fromkeys(pulled.values())):
        pull(docker, each, progress)
    parts = {name: each.tagged for name, each in pulled.items()}
    go = debian.ensure_go(progress, shop.patience, home=shop.store.root)
    builder = Builder(shop, todo.keys, go)
    made = {
        image.name: _lab_image(todo, recipe, image, builder, mirror.name(DEBIAN))
        for recipe in todo.recipes.values()
        for image in recipe.images
        if image.name in LAB_IMAGES or not image.baked
    }
    lab = [made[name] for name in LAB_IMAGES]
    return ClusterImages(
        source=Source.REGISTRY,
        node=node.ref,
        refs={**made, **parts},
        load=(*lab, *dict.fromkeys(parts.values())),
        kind=Path(shutil.which("kind") or builder.commands(todo.recipes["kind"]) / "kind"),
        kubectl=_kubectl(builder, todo),
        kubernetes_version=node.tag,
        image_repository=None,
        kubeadm_patch=None,
        cnis={
            cni: CniParts(todo.recipes[cni].version, _crds(cni, builder, todo))
            for cni in cnis(todo.recipes)
            if official.cni in ("", cni)
        },
        mirror=official.mirror,
    )


def _demand(docker: Docker, ref: str, *words: str) -> None:
    try:
        docker.move(*words)
    except CommandFailed as error:
        raise ImageUnavailable(
            f"the image {ref} cannot be made",
            where=f"docker {words[0]}",
            seen=error.seen,
            try_="Debian packages are installed into it: does a container reach Debian's archive? "
            "Or use --lab-images=build or --lab-images=bundle",
        ) from error


def _lab_image(
    todo: Plan, recipe: Recipe, image: ImageRecipe, builder: Builder, debian_image: Name
) -> str:
    """Make an image with the engine, unless the engine has it with this content."""
    docker = builder.shop.docker
    by_key = f"{REPOSITORY}/{image.name}:official-{todo.keys.images[image.name]}"
    if not docker.has_image(by_key):
        pull(docker, debian_image, builder.progress)
        with (
            builder.progress.step(f"making {image.ref}"),
            tempfile.TemporaryDirectory(prefix="policylab-") as name,
        ):
            folder = Path(name)
            put_in = builder.certificates(image)
            if image.commands:
                compiled = builder.commands(todo.recipes[image.commands])
                put_in |= {goal: compiled / name for goal, name in image.binaries.items()}
            _fill(folder / "rootfs", recipe, put_in)
            root = todo.recipes[image.root or recipe.name]
            text = dockerfile(root, image, debian_image.tagged)
            (folder / "Dockerfile").write_text(text, encoding="utf-8")
            _demand(docker, image.ref, "build", "--quiet", "--tag", by_key, name)
    _demand(docker, image.ref, "tag", by_key, image.ref)
    return image.ref


def _fill(rootfs: Path, recipe: Recipe, put_in: Mapping[str, Path]) -> None:
    """Lay out policylab's own files and the compiled files: path in the image -> file."""
    rootfs.mkdir()
    if (recipe.folder / "rootfs").is_dir():
        shutil.copytree(recipe.folder / "rootfs", rootfs, dirs_exist_ok=True)
    for goal, source in put_in.items():
        target = rootfs / goal.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def dockerfile(root: Recipe, image: ImageRecipe, debian_image: str = DEBIAN) -> str:
    """The file that `docker build` needs to make an image from Debian's official one.

    `root` is the recipe with the packages to install, `debian_image` the name of Debian's image.
    """
    packages = " ".join(root.debian or ())
    install = "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
    lines = [
        f"FROM {debian_image}",
        f"RUN apt-get update && {install} {packages} && rm -rf /var/lib/apt/lists/*",
        "COPY rootfs/ /",
    ]
    for key, word in (("entrypoint", "ENTRYPOINT"), ("cmd", "CMD")):
        if key in image.config:
            lines.append(f"{word} {json.dumps(image.config[key])}")
    if "stop_signal" in image.config:
        lines.append(f"STOPSIGNAL {image.config['stop_signal']}")
    return "\n".join(lines) + "\n"


def _crds(cni: str, builder: Builder, todo: Plan) -> Path:
    """The file with a CNI's CRDs, which the CNI's module of the same version prints."""
    name, key = f"{cni}-crds", todo.keys.commands[cni]
    if not builder.store.has(name, key):
        with (
            builder.progress.step(f"reading the custom resource definitions of {cni}"),
            builder.store.making(name, key, {}) as folder,
        ):
            module = todo.recipes[cni].folder
            seconds = builder.shop.patience.definitions
            compiled = builder.store.path(f"commands-{cni}", key) / "crds"
            words: list[str | Path] = [builder.go, "run", "./crds"]
            if compiled.is_file():
                words = [compiled]
            text = run(words, timeout=seconds, cwd=module).stdout
            (folder / crds_file(cni)).write_text(text, encoding="utf-8")
    return builder.store.path(name, key) / crds_file(cni)


def _kubectl(builder: Builder, todo: Plan) -> Path:
    """The machine's own kubectl if it goes with this Kubernetes; if not, one that is compiled."""
    own, recipe = shutil.which("kubectl"), todo.recipes[KUBERNETES]
    seconds = builder.shop.patience.tool_answer
    if own and recipe.made.takes_kubectl(kubectl_version(Path(own), seconds)):
        return Path(own)
    return builder.commands(recipe) / "kubectl"
