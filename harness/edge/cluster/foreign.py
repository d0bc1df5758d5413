"""A cluster that policylab did not make: how a run finds it, and what stands outside of it.

Nothing of the cluster is changed when it is opened, and the run later removes its own namespaces.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from shutil import which

from harness.core.manifests.liveobjects import addresses_of
from harness.core.target.family import FAMILIES, family_of
from harness.edge.api.kube import Kube, Object
from harness.edge.cluster.maker import versions
from harness.edge.cluster.nodes import container_of
from harness.edge.cluster.state import Cluster, ClusterSpec, owned_clusters
from harness.edge.cluster.tools import Tools
from harness.edge.cluster.turn import others_at_work
from harness.edge.images.recipe import REPOSITORY
from harness.edge.images.registry.public import lab_images
from harness.edge.internet.container import remove_internet
from harness.edge.internet.state import REAL, Internet, InternetMode
from harness.edge.internet.vouched import STAND_IN, servers_of
from harness.errors import EnvironmentFault, ToolMissing
from harness.progress import Progress

STAND_IN_IMAGE = f"{REPOSITORY}/internet:lab"


def kubeconfig_of(spec: ClusterSpec) -> Path:
    """The user's own kubeconfig: named by an option, by the variable, or where kubectl has it."""
    usual = Path.home() / ".kube" / "config"
    return spec.kubeconfig or Path(os.environ.get("KUBECONFIG") or usual)


def open_foreign(spec: ClusterSpec, progress: Progress, tools: Tools) -> Cluster:
    """The user's own cluster, unchanged.

    Raises:
        ClusterNotReady: its API does not answer.
        EnvironmentFault: a stand-in is asked for, and the nodes are no containers of this engine.
        ImageUnavailable: a recipe of an image, or the stand-in's image, is missing.
        ToolMissing: there is no kubectl.
    """
    kubectl = spec.kubectl_bin or which("kubectl")
    if kubectl is None:
        raise ToolMissing("kubectl is not on PATH", try_="install it, or --kind-kubectl-bin=PATH")
    kubeconfig = kubeconfig_of(spec)
    kube = tools.connect(kubeconfig, spec.context, tools.patience)
    images = lab_images([names_on(node) for node in kube.list("v1", "Node")], spec.registry)
    return Cluster(
        name=spec.context,
        kubeconfig=kubeconfig,
        context=spec.context,
        kubectl=Path(kubectl),
        lane=replace(spec.lane, family=family_on(kube)),
        owned=False,
        created=False,
        refs=images.refs,
        environment={
            **versions(kube),
            "kind": "",
            "cni": spec.lane.cni,
            "context": spec.context,
            "images": images.words,
            "outside": spec.outside or "nothing is known",
        },
        internet=_outside(spec, kube, progress, tools),
        patience=tools.patience,
    )


def family_on(kube: Kube) -> str:
    """The family of addresses of a cluster's pods, as a lane calls it: ipv4 if no pod says it.

    Pods on the network of their node have its addresses, so they say nothing.
    """
    pods = [b for b in kube.list("v1", "Pod", "kube-system") if not b["spec"].get("hostNetwork")]
    found = {family_of(address) for body in pods for address in addresses_of(body) if address}
    return next((name for name, each in FAMILIES.items() if set(each) == found), "ipv4")


def names_on(node: Object) -> frozenset[str]:
    """The names of the images that a node says it has.

    By default the kubelet names its 50 largest images (nodeStatusMaxImages), some 40 s after they
    came.
    """
    images = node.get("status", {}).get("images") or []
    return frozenset(name for image in images for name in image.get("names") or [])


def _outside(spec: ClusterSpec, kube: Kube, progress: Progress, tools: Tools) -> Internet | None:
    real = spec.internet is InternetMode.REAL
    if spec.outside == STAND_IN:
        for node in kube.list("v1", "Node"):
            _must_be_beside(node, tools)
        with progress.step("the stand-in for the internet, beside the cluster"):
            found = tools.internet(STAND_IN_IMAGE, progress, tools.place)
        # The cluster's name server leads elsewhere, so no name is asked for.
        return Internet(found.dns, found.web, found.names, found.addresses, asked=False)
    if spec.outside:
        return Internet(servers=servers_of(spec.outside), asked=real)
    return REAL if real else None


def _must_be_beside(node: Object, tools: Tools) -> None:
    """Raise EnvironmentFault unless the node is on the network of the simulated internet."""
    found = container_of(node, tools.docker)
    if tools.place.network not in found["NetworkSettings"]["Networks"]:
        raise EnvironmentFault(
            f"the stand-in is beside kind clusters, on Docker's network {tools.place.network}",
            where=f"node {node['metadata']['name']}",
            seen=f"it is on {', '.join(found['NetworkSettings']['Networks']) or 'none'}",
            try_="--lab-outside=ADDRESS:PORT names a server of yours",
        )


def leave_foreign(spec: ClusterSpec, tools: Tools) -> None:
    """Remove the stand-in after a run, unless a cluster of policylab or another run needs it."""
    if spec.outside == STAND_IN and not owned_clusters() and not others_at_work(spec):
        remove_internet(tools.place, beside_nodes=True)
