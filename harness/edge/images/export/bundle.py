"""A bundle: everything that a cluster needs, in one file, for a classroom without a network.

It is a zstd-compressed tar file. Its first member, `manifest.json`, has the SHA-256 of every other
member. Each checksum is checked while the file is unpacked into a new folder, before anything in
the folder is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO, Any

import zstandard

from harness.edge.images.model import CLUSTER_FILE, LAB_ARCHIVE, crds_file
from harness.edge.images.store import SCRATCH, Workshop
from harness.edge.images.tars.layers import file_digest
from harness.edge.images.versions import KUBERNETES, NONE, short, usual_versions, versions_of
from harness.edge.machine.docker import Docker
from harness.edge.machine.process import CommandFailed
from harness.errors import EnvironmentFault, ImageUnavailable

FORMAT = "policylab-bundle"
FORMAT_VERSION = 2
MANIFEST = "manifest.json"
NODE_ARCHIVE = "node-image.tar"
CONTENT = (CLUSTER_FILE, "kind", "kubectl", LAB_ARCHIVE, NODE_ARCHIVE)
"""The files of every bundle; a bundle also has a file with the CRDs of each of its CNIs."""
CRDS = re.compile(crds_file("[a-z][a-z0-9-]*").replace(".", r"\."))
CHUNK = 1 << 20
LEVEL = 3
MANIFEST_LIMIT = 1 << 20


def pack(cluster: Path, beside: Mapping[str, str], target: Path, shop: Workshop) -> None:
    """Write the finished build in `cluster` to one file, which appears when it is complete.

    `beside` names the engine's images that run outside the cluster. They are in one archive with
    the node image, so that the archive has shared layers only once.

    Raises:
        EnvironmentFault: the file cannot be written.
        CommandFailed: the engine does not save its images.
    """
    facts = json.loads((cluster / CLUSTER_FILE).read_text(encoding="utf-8")) | {
        "engine": dict(beside)
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".policylab-", dir=target.parent) as name:
        scratch = Path(name)
        with shop.progress.step("reading the images from the engine"):
            archive = scratch / NODE_ARCHIVE
            shop.docker.save([facts["node"], *beside.values()], archive)
        (scratch / CLUSTER_FILE).write_text(_json(facts), encoding="utf-8")
        files = {member: cluster / member for member in _content(facts)}
        files |= {name: scratch / name for name in (NODE_ARCHIVE, CLUSTER_FILE)}
        with shop.progress.step("compressing the bundle"):
            try:
                _write(scratch / "bundle", files)
            except OSError as error:
                raise EnvironmentFault(
                    "the bundle cannot be written",
                    where=str(target),
                    seen=str(error),
                    try_="is the disk full? a bundle takes about 1 GiB",
                ) from error
        (scratch / "bundle").replace(target)


def _write(target: Path, files: Mapping[str, Path]) -> None:
    facts = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "files": {name: file_digest(path) for name, path in files.items()},
    }
    text = json.dumps(facts, indent=2).encode()
    level = zstandard.ZstdCompressor(level=LEVEL, threads=-1)
    with (
        zstandard.open(target, "wb", cctx=level) as packed,
        tarfile.open(fileobj=packed, mode="w|") as bundle,
    ):
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(text)
        bundle.addfile(entry, io.BytesIO(text))
        for name, path in files.items():
            bundle.add(path, arcname=name, recursive=False)


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, indent=2, sort_keys=True) + "\n"


def _content(facts: Mapping[str, Any]) -> list[str]:
    """The names of the files in a bundle with this description."""
    return [*CONTENT, *(crds_file(str(cni)) for cni in facts["cni_versions"])]


def unpack(bundle: Path, target: Path) -> None:
    """Unpack a bundle into the empty folder `target`, checking every file on the way.

    Raises:
        ImageUnavailable: the file is not a bundle, is incomplete, or has a wrong checksum.
    """
    if not bundle.is_file():
        raise _refused(bundle, "no such file", try_="give the path of a bundle")
    try:
        with (
            zstandard.open(bundle, "rb") as packed,
            tarfile.open(fileobj=packed, mode="r|") as members,
        ):
            found = _check_members(bundle, members, target)
    except (tarfile.TarError, zstandard.ZstdError, EOFError, OSError) as error:
        raise _refused(bundle, f"{type(error).__name__}: {error}") from error
    if missing := [name for name in CONTENT if name not in found]:
        raise _refused(bundle, f"{missing[0]} is missing: the bundle is incomplete")
    try:
        told = _content(json.loads((target / CLUSTER_FILE).read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(bundle, f"{CLUSTER_FILE} cannot be read: {error}") from error
    if differing := sorted(found ^ {*told}):
        raise _refused(bundle, f"{differing[0]} and {CLUSTER_FILE} do not fit together")


def _check_members(bundle: Path, members: tarfile.TarFile, target: Path) -> set[str]:
    wanted: Mapping[str, str] = {}
    found: set[str] = set()
    for entry in members:
        source = members.extractfile(entry) if entry.isreg() else None
        if source is None:
            raise _refused(bundle, f"{entry.name!r} is not a plain file")
        if not wanted:
            wanted = _manifest(bundle, entry, source)
            continue
        known = entry.name in CONTENT or CRDS.fullmatch(entry.name)
        if entry.name not in wanted or not known or entry.name in found:
            raise _refused(bundle, f"{entry.name!r} is not a file of a bundle")
        # Only names of this list are written, so that none leads out of the folder.
        _copy_checked(bundle, source, target / entry.name, wanted[entry.name])
        found.add(entry.name)
    return found


def _manifest(bundle: Path, entry: tarfile.TarInfo, source: IO[bytes]) -> Mapping[str, str]:
    if entry.name != MANIFEST or entry.size > MANIFEST_LIMIT:
        raise _refused(bundle, f"it begins with {entry.name!r}, not with {MANIFEST}")
    try:
        facts: dict[str, Any] = json.loads(source.read())
        if (facts["format"], facts["version"]) != (FORMAT, FORMAT_VERSION):
            raise _refused(bundle, f"format {facts['format']!r} version {facts['version']!r}")
        return {str(name): str(digest) for name, digest in facts["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(bundle, f"{MANIFEST} cannot be read: {error}") from error


def _copy_checked(bundle: Path, source: IO[bytes], target: Path, wanted: str) -> None:
    hasher = hashlib.sha256()
    with target.open("wb") as copy:
        while chunk := source.read(CHUNK):
            hasher.update(chunk)
            copy.write(chunk)
    if hasher.hexdigest() != wanted:
        raise _refused(bundle, f"{target.name} does not have the checksum in {MANIFEST}")
    if target.name in {"kind", "kubectl"}:
        target.chmod(0o755)


def install(
    bundle: Path,
    home: Callable[[Mapping[str, str], Collection[str]], Path],
    shop: Workshop,
) -> tuple[Mapping[str, str], Collection[str]]:
    """Unpack a bundle, load its images into the engine, and make it the loaded bundle.

    `home` gives the place of a bundle with these versions, by recipe, and these CNIs. Both are the
    result.

    Raises:
        ImageUnavailable: a check fails, the engine refuses an image, or policylab does not have
            a version of it.
    """
    shop.store.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=shop.store.root) as name:
        fresh = Path(name) / "bundle"
        fresh.mkdir()
        with shop.progress.step(f"checking and unpacking {bundle.name}"):
            unpack(bundle, fresh)
            has = _known_versions(bundle, fresh)
        with shop.progress.step("loading its images into the engine"):
            archive = fresh / NODE_ARCHIVE
            try:
                shop.docker.load(archive)
            except CommandFailed as error:
                raise _refused(bundle, f"the engine refused its image: {error.seen}") from error
            archive.unlink()
        cnis = sorted(_facts(fresh)["cni_versions"])
        place = home(has, cnis)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        fresh.rename(place)
    return has, cnis


def _known_versions(bundle: Path, folder: Path) -> Mapping[str, str]:
    """The versions in an unpacked bundle, which the recipes must have."""
    try:
        has = _versions(folder)
    except (KeyError, AttributeError) as error:
        raise _refused(bundle, f"{CLUSTER_FILE} lacks {error}") from error
    for recipe, version in has.items():
        if version not in (known := versions_of(recipe)):
            name = recipe.capitalize()
            raise ImageUnavailable(
                f"this bundle has another version of {name}",
                where=str(bundle),
                seen=f"it has {name} {version}, and this policylab has {', '.join(known)}",
                try_="make a bundle with this policylab: policylab images save FILE",
            )
    return has


def _facts(folder: Path) -> dict[str, Any]:
    """The description of an unpacked bundle."""
    found: dict[str, Any] = json.loads((folder / CLUSTER_FILE).read_text(encoding="utf-8"))
    return found


def _versions(folder: Path) -> dict[str, str]:
    """The short names of the versions, of the recipes that have versions to choose."""
    facts = _facts(folder)
    full = {KUBERNETES: facts["kubernetes_version"], **facts["cni_versions"]}
    return {recipe: short(str(full[recipe])) for recipe in usual_versions() if recipe in full}


def loaded_bundle(
    home: Path, docker: Docker, chosen: Mapping[str, str] = NONE, cni: str = ""
) -> Path | None:
    """The folder of the loaded bundle, if the engine still has its images.

    A bundle with other versions than these does not count; who chose none wants the default. Nor
    does a bundle without this CNI.
    """
    description = home / CLUSTER_FILE
    if not description.is_file():
        return None
    facts = _facts(home)
    if cni and cni not in facts.get("cni_versions", ()):
        return None
    if "cni_versions" not in facts:  # a bundle of an older policylab, which had Calico only
        return None
    wanted = {**usual_versions(), **chosen}
    if any(wanted[recipe] != version for recipe, version in _versions(home).items()):
        return None
    refs = [facts["node"], *engine_images(home).values()]
    return home if docker.has_images(refs) else None


def engine_images(home: Path) -> dict[str, str]:
    """The bundle's images that run outside the cluster; an old bundle has none."""
    return dict(_facts(home).get("engine", {}))


def _refused(bundle: Path, seen: str, *, try_: str = "") -> ImageUnavailable:
    return ImageUnavailable(
        "this file is not a complete and unchanged bundle",
        where=str(bundle),
        seen=seen,
        try_=try_ or "copy it again, or make it again with `policylab images save FILE`",
    )
