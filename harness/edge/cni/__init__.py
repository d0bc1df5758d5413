"""What a CNI must tell, so that a cluster of ours can be given it."""

from __future__ import annotations

from typing import Protocol

POD_CIDR = "10.244.0.0/16"


class Cni(Protocol):
    """One CNI."""

    @property
    def name(self) -> str:
        """Its name in options and results."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def daemon_set(self) -> str:
        """The DaemonSet in kube-system that is ready when the CNI is."""
        ...

    def manifests(self, *, control_plane: str) -> str:
        """The YAML that installs it; `control_plane` is the node's name, where the API is found."""
        ...
