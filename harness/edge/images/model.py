"""What the rest of policylab is told about images: where they come from, and what to call them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

CLUSTER_FILE = "cluster.json"


def crds_file(cni: str) -> str:
    """The name of the file with a CNI's custom resource definitions."""
    return f"{cni}-crds.yaml"


class Source(StrEnum):
    """Where cluster images may come from."""

    AUTO = "auto"
    REGISTRY = "registry"
    BUNDLE = "bundle"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class CniParts:
    """A CNI's version, and the file with its custom resource definitions as YAML."""

    version: str
    crds: Path


@dataclass(frozen=True, slots=True)
class ClusterImages:
    """Everything needed to start a cluster, and to fill it, without asking a registry again.

    `node` is for kind's `--image`. `refs` are the names that manifests use: nginx, redis, toolbox,
    coredns, pause and others, those of each CNI among them; `internet` is in the local engine only.
    `load` names images that a node needs, that the local engine has and the node image lacks.
    `kubeadm_patch` is the ClusterConfiguration to put in kind's kubeadmConfigPatches, None if the
    node image needs none. `cnis` has the parts of each CNI that a cluster can be given.
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


def read_cluster(home: Path, source: Source, engine: Mapping[str, str]) -> ClusterImages:
    """The images that the description of a finished build or of a loaded bundle names.

    `engine` names the images beside the cluster, which a description does not know: they may
    change without it.
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
