"""A kind cluster made by hand: kind and kubectl alone, with Calico's manifests, and no policylab.

The node image is that of policylab's own build, because no registry can be reached. It has the
labs' images; they are taken out, so that the node is like any other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.edge.cluster.lane import Lane
from harness.edge.images import ClusterImages, Official, Source
from harness.edge.images.provide import provide
from harness.edge.machine.docker import DOCKER
from harness.edge.machine.process import run
from harness.progress import Quiet

NAME = "byhand"
CONTEXT = f"kind-{NAME}"
NODE = f"{NAME}-control-plane"
MINUTES = 60.0


@dataclass(frozen=True, slots=True)
class ByHand:
    """The cluster: the programs that made it, and the file with access to it."""

    images: ClusterImages
    kubeconfig: Path

    def kubectl(self, *words: str, text: str | None = None) -> str:
        """What kubectl says."""
        access = f"--kubeconfig={self.kubeconfig}"
        return run([self.images.kubectl, access, *words], timeout=5 * MINUTES, input=text).stdout

    def names(self, kind: str) -> set[str]:
        """The names of all objects of a kind."""
        return set(self.kubectl("get", kind, "-A", "-o", "name").split())


@contextmanager
def by_hand(home: Path) -> Iterator[ByHand]:
    """The cluster, for as long as the block runs."""
    images = provide(Source.AUTO, Quiet(), official=Official(cni="calico"))
    made = ByHand(images, home / "kubeconfig")
    config = home / "kind.yaml"
    patches = [yaml.safe_dump({"kind": "KubeletConfiguration", "failCgroupV1": False})]
    patches += [images.kubeadm_patch] if images.kubeadm_patch else []
    networking = {"disableDefaultCNI": True, "podSubnet": "10.244.0.0/16"}
    text = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {**networking, "kubeProxyMode": "nftables"},
        "kubeadmConfigPatches": patches,
    }
    config.write_text(yaml.safe_dump(text), encoding="utf-8")
    named = [f"--name={NAME}", f"--kubeconfig={made.kubeconfig}"]
    try:
        create = ["create", "cluster", *named, f"--config={config}", f"--image={images.node}"]
        run([images.kind, *create], timeout=15 * MINUTES)
        manifests = Lane("calico").value.manifests(images, control_plane=NODE)
        made.kubectl("apply", "--server-side", "-f", "-", text=manifests)
        made.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=4m")
        rollout = ("-n", "kube-system", "rollout", "status", "--timeout=4m")
        made.kubectl(*rollout, "daemonset/calico-node")
        made.kubectl(*rollout, "deployment/coredns")
        _take_out(images)
        yield made
    finally:
        run([images.kind, "delete", "cluster", *named], timeout=5 * MINUTES, check=False)


def _take_out(images: ClusterImages) -> None:
    """Remove the images of the labs' pods from the node, under all of their names."""
    ctr = ["exec", NODE, "ctr", "--namespace=k8s.io", "images"]
    ours = [images.refs[name].rpartition(":")[0] for name in ("nginx", "redis", "toolbox")]
    found = DOCKER.call(*ctr, "list", "--quiet").stdout.split()
    DOCKER.call(*ctr, "rm", "--sync", *(ref for ref in found if ref.startswith((*ours,))))
