"""The images of a cluster as the rest of policylab sees them: their source and their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.edge.files.cache import cache_home

CLUSTER_FILE, LAB_ARCHIVE = "cluster.json", "lab-images.tar"
LAB_IMAGES = ("nginx", "redis", "toolbox")
"""The images of the labs' pods, which `LAB_ARCHIVE` has."""


def crds_file(cni: str) -> str:
    """The name of the file with a CNI's custom resource definitions."""
    return f"{cni}-crds.yaml"


class Source(StrEnum):
    """The source of a cluster's images."""

    AUTO = "auto"
    REGISTRY = "registry"
    BUNDLE = "bundle"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Official:
    """What to take from a registry, and the CNI that is wanted, from whatever source.

    Attributes:
        mirror: the mirror to ask, as `HOST[:PORT][/PREFIX]`; empty: the official registries.
        cni: the only CNI whose images are wanted; empty: all CNIs.
        before_all: whether `auto` takes these images even where others are built: the cluster that
            is asked for stands, and was made from them.
    """

    mirror: str = ""
    cni: str = ""
    before_all: bool = False


@dataclass(frozen=True, slots=True)
class CniParts:
    """A CNI's version, and the file with its custom resource definitions as YAML."""

    version: str
    crds: Path


@dataclass(frozen=True, slots=True)
class ClusterImages:
    """All parts that a cluster and its pods need, so that no registry is asked again.

    Attributes:
        source: where the images come from.
        node: the node image, for kind's `--image`.
        refs: the images' full names, by the short names that manifests use (nginx, redis, toolbox,
            coredns, pause, the images of each CNI); only the local engine has `internet`.
        load: the images that a node needs, that the local engine has and the node image lacks.
        kind: the path of kind.
        kubectl: the path of kubectl.
        kubernetes_version: the version of Kubernetes, e.g. v1.37.2.
        image_repository: the repository from which kubeadm takes the control plane's images.
        kubeadm_patch: the ClusterConfiguration for kind's kubeadmConfigPatches; None if the node
            image needs no patch.
        cnis: the parts of each CNI that a cluster can have.
        mirror: the mirror that they were pulled from; empty: none.
    """

    source: Source
    node: str
    refs: Mapping[str, str]
    load: tuple[str, ...]
    kind: Path
    kubectl: Path
    kubernetes_version: str
    image_repository: str | None
    kubeadm_patch: str | None
    cnis: Mapping[str, CniParts]
    mirror: str = ""


@dataclass(frozen=True, slots=True)
class LabArchive:
    """A file with the images of the labs' pods (`docker save`), and their full names."""

    file: Path
    refs: tuple[str, ...]

    @classmethod
    def of(cls, images: ClusterImages) -> LabArchive:
        """That of a finished build or of a loaded bundle, beside its other files."""
        file = images.kubectl.parent / LAB_ARCHIVE
        return cls(file, tuple(images.refs[name] for name in LAB_IMAGES))


def build_of(node: str) -> Path:
    """The folder of the build that made this node image; it may be gone."""
    return cache_home() / "artefacts" / f"cluster-{node.rpartition(':')[2]}"


def kubernetes_of(node: str) -> str:
    """The version of Kubernetes in a node image that was built here; empty if it is not known."""
    try:
        facts = json.loads((build_of(node) / CLUSTER_FILE).read_text(encoding="utf-8"))
        return str(facts["kubernetes_version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def read_cluster(home: Path, source: Source, engine: Mapping[str, str]) -> ClusterImages:
    """The images that the description of a finished build or of a loaded bundle names.

    `engine` names the images that run outside the cluster. The description does not have them,
    because they may change while the description stays the same.
    """
    facts: dict[str, Any] = json.loads((home / CLUSTER_FILE).read_text(encoding="utf-8"))
    return ClusterImages(
        source=source,
        node=facts["node"],
        refs={**facts["refs"], **engine},
        load=(),
        kind=home / "kind",
        kubectl=home / "kubectl",
        kubernetes_version=facts["kubernetes_version"],
        image_repository=facts["image_repository"],
        kubeadm_patch=facts["kubeadm_patch"],
        cnis={
            name: CniParts(version, home / crds_file(name))
            for name, version in facts["cni_versions"].items()
        },
    )
