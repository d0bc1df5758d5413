"""Cilium without its operator: native routing, addresses of each node's own range, Hubble on."""

from __future__ import annotations

from dataclasses import dataclass

from harness.edge.cni import API_PORT, POD_CIDR, rendered
from harness.edge.images import ClusterImages

DAEMON_SET = "cilium"
"""Ready once the agent has loaded its eBPF programs."""


@dataclass(frozen=True, slots=True)
class Cilium:
    """Cilium from the images of one source."""

    images: ClusterImages
    name: str = "cilium"
    daemon_set: str = DAEMON_SET

    @property
    def version(self) -> str:
        """Cilium's version, e.g. v1.20.2."""
        return self.images.cnis[self.name].version

    def manifests(self, *, control_plane: str) -> str:
        """The CRDs that Cilium's module carries, then our own objects."""
        values = {
            "api_name": control_plane,
            "api_port": str(API_PORT),
            "image": self.images.refs["cilium"],
            "pod_cidr": POD_CIDR,
        }
        crds = self.images.cnis[self.name].crds.read_text(encoding="utf-8")
        return f"{crds}\n---\n{rendered('cilium.yaml', values)}"
