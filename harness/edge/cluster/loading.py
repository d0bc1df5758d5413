"""Puts the labs' images on the nodes of a cluster that policylab did not make.

kind, k3d and minikube (with Docker) run each node as a container that bears the node's name. The
archive is copied into the container, and the container's own runtime imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.edge.api.kube import Kube, Object
from harness.edge.cluster.foreign import kubeconfig_of, names_on
from harness.edge.cluster.nodes import container_of
from harness.edge.cluster.state import ClusterSpec
from harness.edge.cluster.tools import Tools
from harness.edge.images.model import LabArchive
from harness.edge.machine.docker import Docker
from harness.edge.machine.process import CommandFailed
from harness.edge.machine.wait import NotYet
from harness.errors import EnvironmentFault
from harness.progress import Progress

INSIDE = "/policylab-lab-images.tar"
"""The place of the archive in a node: /tmp is often a file system that `docker cp` does not see."""

_IMPORTS = {
    "containerd": ("ctr", "--namespace=k8s.io", "images", "import", "--all-platforms", INSIDE),
    "docker": ("docker", "load", "--quiet", "--input", INSIDE),
}
"""How a runtime imports an archive, by the scheme of the node's containerRuntimeVersion."""


def load_into(
    context: str, archive: LabArchive, progress: Progress, tools: Tools
) -> tuple[str, ...]:
    """Put the images on every node of the cluster, and wait until each node names them.

    The result has the nodes' names. `context` is a context of the user's own kubeconfig.

    Raises:
        ClusterNotReady: the API does not answer, or a node does not name the images in time.
        EnvironmentFault: a node is no container of this engine, or does not import the archive.
    """
    spec = ClusterSpec(context=context)
    kube = tools.connect(kubeconfig_of(spec), context, tools.patience)
    nodes = kube.list("v1", "Node")
    for node in nodes:  # before the first one is changed
        container_of(node, tools.docker)
        _command(node)
    for node in nodes:
        with progress.step(f"loading the labs' images into {node['metadata']['name']}"):
            _import(node, archive.file, tools.docker)
    _wait_named(kube, archive.refs, progress)
    return tuple(node["metadata"]["name"] for node in nodes)


def _command(node: Object) -> tuple[str, ...]:
    version = node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", "")
    runtime = version.partition("://")[0]
    if runtime not in _IMPORTS:
        raise EnvironmentFault(
            "policylab cannot load images into the runtime of this node",
            where=f"node {node['metadata']['name']}",
            seen=version or "the node does not say what its runtime is",
            try_=f"known: {', '.join(_IMPORTS)}; or let the nodes pull: --lab-registry=HOST",
        )
    return _IMPORTS[runtime]


def _import(node: Object, archive: Path, docker: Docker) -> None:
    name = node["metadata"]["name"]
    try:
        docker.move("cp", archive, f"{name}:{INSIDE}")
        docker.move("exec", name, *_command(node))
    except CommandFailed as error:
        raise EnvironmentFault(
            "the node does not import the labs' images",
            where=error.where,
            seen=error.seen,
            try_="is the disk full? df -h; docker system df",
        ) from error
    finally:
        docker.call("exec", name, "rm", "-f", INSIDE, check=False)


def _wait_named(kube: Kube, refs: Sequence[str], progress: Progress) -> None:
    def named() -> None:
        for node in kube.list("v1", "Node"):
            if lacking := [ref for ref in refs if ref not in names_on(node)]:
                raise NotYet(f"node {node['metadata']['name']} does not name {', '.join(lacking)}")

    with progress.step("the nodes tell the API what they have"):
        kube.wait(
            "every node names the labs' images",
            named,
            seconds=kube.patience.images_named,
            every=1.0,
            try_="kubectl get nodes -o yaml: a node names 50 images by default "
            "(nodeStatusMaxImages of the kubelet)",
        )
