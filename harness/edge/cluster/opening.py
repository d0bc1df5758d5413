"""Clusters for labs: made, found or re-used, looked at, and deleted if they are ours."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import which

from harness.edge.api.client import KubeClient
from harness.edge.cluster.maker import Maker, delete, missing, versions
from harness.edge.cluster.nodes import node_containers
from harness.edge.cluster.state import (
    Action,
    Cluster,
    ClusterMode,
    ClusterSpec,
    ClusterStatus,
    Home,
    decide,
    owned_clusters,
)
from harness.edge.cni.known import cni_of
from harness.edge.images import ClusterImages, provide
from harness.edge.internet.container import ensure_internet, remove_internet
from harness.edge.internet.state import REAL, Internet, InternetMode
from harness.errors import ClusterNotReady, HarnessError, ToolMissing
from harness.progress import Progress

__all__ = [
    "Cluster",
    "ClusterMode",
    "ClusterSpec",
    "ClusterStatus",
    "delete_cluster",
    "open_cluster",
    "owned_clusters",
    "status",
]


def open_cluster(spec: ClusterSpec, progress: Progress) -> Cluster:
    """Make, re-use or find the cluster that the spec asks for.

    Raises:
        EnvironmentFault: the name is taken, or mode and state contradict each other.
        ClusterNotReady: it does not come up; then nothing of it is left.
        ImageUnavailable, ToolMissing: what it is made of cannot be had.
    """
    if spec.mode is ClusterMode.EXTERNAL:
        return _external(spec)
    images = provide(spec.images, progress)
    maker = Maker(spec, images, _internet(spec, images, progress), progress)
    state, seen = maker.state()
    action = decide(spec.mode, state, spec.cluster, seen)
    if action is Action.RECREATE:
        progress.note(f"cluster {spec.cluster} is ours and not healthy ({seen}): it is made anew")
        _delete(spec.cluster, maker.kind)
    if action is not Action.REUSE:
        with progress.step(f"kind cluster {spec.cluster}"):
            maker.create()
    kube = KubeClient(maker.home.kubeconfig)
    if action is Action.REUSE:
        maker.point_dns(kube)
    return maker.cluster(kube, created=action is not Action.REUSE)


def _internet(spec: ClusterSpec, images: ClusterImages, progress: Progress) -> Internet:
    if spec.internet is InternetMode.REAL:
        return REAL
    with progress.step("the simulated internet"):
        return ensure_internet(images.refs["internet"], progress)


def delete_cluster(name: str, *, kind: Path | None = None) -> None:
    """Delete a cluster of ours, whole or half, and forget it; one that is not ours stays.

    The simulated internet goes with the last of them.

    Raises:
        ClusterNotReady: there is no record that the cluster is ours, its nodes are not those that
            the record names, or kind fails.
    """
    _delete(name, kind)
    remove_internet()


def _delete(name: str, kind: Path | None) -> None:
    home = Home(name)
    record = home.record()
    ours = record is not None and record.owns(node_containers(name))
    if not ours:
        if record is not None:
            home.remove()  # our cluster is gone, and another has its name
        raise ClusterNotReady(
            f"the cluster {name} is not policylab's, so it is not deleted",
            where=str(home.path),
            try_=f"known: {', '.join(owned_clusters()) or 'none'}; `kind delete cluster` takes any",
        )
    delete(home, name, kind or _kind(home))


def status(name: str) -> ClusterStatus:
    """Look at a cluster of ours."""
    home = Home(name)
    record = home.record()
    if record is None:
        known = ", ".join(owned_clusters()) or "none"
        return ClusterStatus(healthy=False, facts={"state": "not ours, or absent", "known": known})
    facts = {"cni": record.cni, "node image": record.node, "kubeconfig": str(home.kubeconfig)}
    try:
        kube = KubeClient(home.kubeconfig)
        lacking = missing(kube, cni_of(record.cni).daemon_set)
        facts |= versions(kube)
    except HarnessError as error:
        lacking = f"{error.what}: {error.seen}"
    return ClusterStatus(not lacking, {**facts, "state": lacking or "healthy"})


def _kind(home: Home) -> Path:
    """The kind that made the cluster, from the wrapper beside its record, or the one on PATH.

    Raises:
        ToolMissing: there is neither.
    """
    wrapper = home.path / "kind"
    found = wrapper if wrapper.exists() else which("kind")
    if found is None:
        raise ToolMissing("kind is not there", where=str(home.path), try_="policylab images build")
    return Path(found)


def _external(spec: ClusterSpec) -> Cluster:
    """Somebody's cluster, as it is."""
    kubeconfig = spec.kubeconfig or Path(
        os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config"
    )
    kubectl = spec.kubectl_bin or which("kubectl")
    if kubectl is None:
        raise ToolMissing("kubectl is not on PATH", try_="install it, or --kind-kubectl-bin=PATH")
    kube = KubeClient(kubeconfig, spec.context)
    return Cluster(
        name=spec.context,
        kubeconfig=kubeconfig,
        context=spec.context,
        kubectl=Path(kubectl),
        cni=spec.cni,
        owned=False,
        created=False,
        refs={},
        environment={**versions(kube), "kind": "", "cni": spec.cni, "context": spec.context},
        internet=REAL if spec.internet is InternetMode.REAL else None,
    )
