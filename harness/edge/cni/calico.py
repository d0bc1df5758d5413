"""Calico without its operator: VXLAN between nodes, policy by Felix, and rights for that alone."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from harness.edge.cni import POD_CIDR
from harness.edge.images import ClusterImages
from harness.errors import ImageUnavailable

API_PORT = 6443
DAEMON_SET = "calico-node"


@dataclass(frozen=True, slots=True)
class Calico:
    """Calico from the images of one source."""

    images: ClusterImages
    name: str = "calico"
    daemon_set: str = DAEMON_SET  # Felix is ready once its first policies are programmed

    @property
    def version(self) -> str:
        """Calico's version, e.g. v3.30.1."""
        return self.images.calico_version

    def manifests(self, *, control_plane: str) -> str:
        """The CRDs that Calico's module carries, then our own objects.

        Raises:
            ImageUnavailable: the images came without Calico's CRDs.
        """
        if self.images.calico_crds is None:
            raise ImageUnavailable(
                "the images have no Calico CRDs",
                where=str(self.images.source),
                try_="--lab-images=build",
            )
        values = {
            "api_name": control_plane,
            "api_port": str(API_PORT),
            "cni_image": self.images.refs["calico-cni"],
            "node_image": self.images.refs["calico-node"],
            "pod_cidr": POD_CIDR,
            "log_level": "Warning",
        }
        text = files("harness.edge.cni").joinpath("calico.yaml").read_text(encoding="utf-8")
        # Not string.Template: the text has $ of its own in comments and shell lines.
        for name, value in values.items():
            text = text.replace("${" + name + "}", value)
        return f"{self.images.calico_crds.read_text(encoding='utf-8')}\n---\n{text}"
