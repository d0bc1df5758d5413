"""The tools that make and inspect clusters. A test passes its own tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.edge.api.client import KubeClient
from harness.edge.api.kube import Kube
from harness.edge.cluster.kind import Kind
from harness.edge.cluster.state import Home
from harness.edge.images import ClusterImages, Official, Source
from harness.edge.images.provide import provide
from harness.edge.internet.container import HERE, ensure_internet
from harness.edge.internet.engine import Place, place_with
from harness.edge.internet.state import Internet
from harness.edge.machine.docker import Docker
from harness.edge.machine.health.looks import THIS, Looks
from harness.edge.machine.patience import Patience
from harness.progress import Progress


class Connect(Protocol):
    """Opens the way to a cluster's API."""

    def __call__(self, kubeconfig: Path, context: str, patience: Patience) -> Kube:
        """Connect with a kubeconfig and a context in it (empty: its current context)."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools that make and inspect clusters.

    `place`: the place of the simulated internet, with Docker's engine. `images`: gets the images of
    a cluster from a source, in the chosen versions, and with what a registry is asked for.
    `internet`: starts the simulated internet from its image, or finds it. `kind`: makes a `Kind`
    from a cluster's name, its folder, the path of kind, and deadlines. `connect`: connects to the
    cluster's API. `looks`: looks at the machine.
    """

    place: Place = HERE
    images: Callable[[Source, Progress, Docker, Mapping[str, str], Official], ClusterImages] = (
        provide
    )
    internet: Callable[[str, Progress, Place], Internet] = ensure_internet
    kind: Callable[[str, Home, Path, Patience], Kind] = Kind
    connect: Connect = KubeClient
    looks: Looks = THIS

    @property
    def docker(self) -> Docker:
        """Docker's engine."""
        return self.place.docker

    @property
    def patience(self) -> Patience:
        """The deadlines of all steps."""
        return self.place.patience


TOOLS = Tools()
"""The real tools."""


def tools_with(patience: Patience) -> Tools:
    """The real tools, with other deadlines."""
    return Tools(place=place_with(patience))
