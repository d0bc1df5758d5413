"""What commands reach on this machine: clusters and images. A test hands over others."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.edge.cluster.loading import load_into
from harness.edge.cluster.opening import (
    Cluster,
    ClusterSpec,
    ClusterStatus,
    delete_cluster,
    open_cluster,
    owned_clusters,
    status,
)
from harness.edge.cluster.running import running
from harness.edge.cluster.tools import Tools
from harness.edge.images import ClusterImages
from harness.edge.images.model import LabArchive
from harness.edge.images.provide import lab_archive, load, save
from harness.edge.machine.docker import DOCKER, Docker
from harness.edge.machine.health.looks import THIS, Looks
from harness.edge.probe.doors import Doors
from harness.plays import doors_of
from harness.progress import Progress


@dataclass(frozen=True, slots=True)
class Access:
    """The functions by which commands reach clusters and images.

    `open` makes or finds the cluster that is asked for, `running` finds one that policylab made,
    and `doors` leads to either. `status`, `owned` and `delete` are for clusters of policylab by
    their names, `save` and `load` for bundles of images, `labs` for the images of the
    labs' pods, which `load_into` puts on a cluster of somebody else. `looks` looks at the machine,
    `docker` is its engine.
    """

    open: Callable[[ClusterSpec, Progress, Tools], Cluster] = open_cluster
    running: Callable[[str], Cluster] = running
    doors: Callable[[Cluster], Doors] = doors_of
    status: Callable[[str], ClusterStatus] = status
    owned: Callable[[], list[str]] = owned_clusters
    delete: Callable[[str], None] = delete_cluster
    save: Callable[[Path, Progress, Mapping[str, str], str], Path] = save
    looks: Looks = THIS
    docker: Docker = DOCKER
    load: Callable[[Path, Progress], ClusterImages] = load
    labs: Callable[[Progress], AbstractContextManager[LabArchive]] = lab_archive
    load_into: Callable[[str, LabArchive, Progress, Tools], tuple[str, ...]] = load_into


REAL = Access()
"""This machine's own."""


def access_of(arguments: argparse.Namespace) -> Access:
    """What `harness.cli.main` put beside the arguments; this machine's own where that is None."""
    return cast("Access | None", arguments.access) or REAL
