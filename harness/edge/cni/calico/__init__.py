"""Calico without its operator: VXLAN between nodes, policy by Felix, and rights for that alone."""

from __future__ import annotations

from dataclasses import dataclass

from harness.edge.cni import API_PORT, POD_CIDR, rendered
from harness.edge.images import ClusterImages

DAEMON_SET = "calico-node"
"""Ready once Felix has programmed its first policies."""


@dataclass(frozen=True, slots=True)
class Calico:
    """Calico from the images of one source."""

    images: ClusterImages
    name: str = "calico"
    daemon_set: str = DAEMON_SET

    @property
    def version(self) -> str:
        """Calico's version, e.g. v3.30.1."""
        return self.images.cnis[self.name].version

    def manifests(self, *, control_plane: str) -> str:
        """The CRDs that Calico's module carries, then our own objects."""
        values = {
            "api_name": control_plane,
            "api_port": str(API_PORT),
            "cni_image": self.images.refs["calico-cni"],
            "node_image": self.images.refs["calico-node"],
            "pod_cidr": POD_CIDR,
            "log_level": "Warning",
        }
        crds = self.images.cnis[self.name].crds.read_text(encoding="utf-8")
        return f"{crds}\n---\n{rendered('calico.yaml', values)}"
