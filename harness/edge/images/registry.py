"""The official images, for people who are online.

The node image is pinned by digest. Calico's images are pinned by version only: their digests could
not be looked up where this was written, and a guessed digest is worse than none. The lab images
stand in for the tutorials' own, so they are built here from Debian packages on this route too.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.edge import machine
from harness.edge.images.model import CALICO, CRDS, ClusterImages, Source
from harness.edge.images.node import LAB_IMAGES, engine_has
from harness.edge.images.pipeline import Plan, make_lab_archive, prepare
from harness.edge.images.store import Store
from harness.edge.process import CommandFailed, Progress, run
from harness.errors import ImageUnavailable

__all__ = ["CALICO_VERSION", "NODE", "provide_official", "registry_answers"]

NODE_VERSION = "v1.34.3"
NODE_DIGEST = "sha256:08497ee19eace7b4b5348db5c6a1591d7752b164530a36f855cb0f2bdcbadd48"
NODE = f"kindest/node:{NODE_VERSION}@{NODE_DIGEST}"
CALICO_VERSION = "v3.30.1"
CALICO_NODE = f"calico/node:{CALICO_VERSION}"
CALICO_CNI = f"calico/cni:{CALICO_VERSION}"
ANSWER_SECONDS = 5.0
PULL_SECONDS = 900.0


def registry_answers() -> bool:
    """Say whether the engine's registry answers within a few seconds."""
    try:
        done = run(["docker", "manifest", "inspect", NODE], timeout=ANSWER_SECONDS, check=False)
    except CommandFailed:
        return False
    return done.returncode == 0


def provide_official(store: Store, todo: Plan, progress: Progress) -> ClusterImages:
    """Pull the official node and Calico images, and build the lab images beside them."""
    for ref in (NODE, CALICO_NODE, CALICO_CNI):
        if not engine_has(ref):
            with progress.step(f"pulling {ref}"):
                _pull(ref)
    archive = make_lab_archive(store, todo, progress)
    run(["docker", "load", "--quiet", "--input", archive], timeout=PULL_SECONDS)
    lab = {
        image.name: image.ref
        for recipe in todo.recipes.values()
        for image in recipe.images
        if image.name in LAB_IMAGES
    }
    kind, kubectl = _commands(store, todo, progress)
    return ClusterImages(
        source=Source.REGISTRY,
        node=NODE,
        refs={**lab, "calico-node": CALICO_NODE, "calico-cni": CALICO_CNI},
        load=(*lab.values(), CALICO_NODE, CALICO_CNI),
        kind=kind,
        kubectl=kubectl,
        kubernetes_version=NODE_VERSION,
        calico_version=CALICO_VERSION,
        image_repository=None,
        kubeadm_patch=None,
        calico_crds=_crds(store, todo, progress),
    )


def _pull(ref: str) -> None:
    try:
        run(["docker", "pull", "--quiet", ref], timeout=PULL_SECONDS)
    except CommandFailed as error:
        raise ImageUnavailable(
            f"{ref} cannot be pulled",
            where="the engine's registry",
            seen=error.seen,
            try_="use --lab-images=build (no registry needed) or --lab-images=bundle",
        ) from error


def _crds(store: Store, todo: Plan, progress: Progress) -> Path:
    """Return Calico's CRDs, printed by the module of the same version."""
    name, key = "calico-crds", todo.keys.commands[CALICO]
    if not store.has(name, key):
        go = machine.ensure_go(progress, home=store.root)
        with (
            progress.step("reading Calico's custom resource definitions"),
            store.making(name, key, {}) as folder,
        ):
            folder_of = todo.recipes[CALICO].folder
            text = run([go, "run", "./crds"], timeout=PULL_SECONDS, cwd=folder_of).stdout
            (folder / CRDS).write_text(text)
    return store.path(name, key) / CRDS


def _commands(store: Store, todo: Plan, progress: Progress) -> tuple[Path, Path]:
    """Return kind and kubectl: the machine's own, or compiled here where one is missing."""
    own = {name: shutil.which(name) for name in ("kind", "kubectl")}
    if own["kind"] and own["kubectl"]:
        return Path(own["kind"]), Path(own["kubectl"])
    builder = prepare(store, todo, progress)
    kind = builder.commands(todo.recipes["kind"]) / "kind"
    return kind, builder.commands(todo.recipes["kubernetes"]) / "kubectl"
