"""Clusters for labs: made, found or used again, inspected, and deleted if policylab made them."""

from __future__ import annotations

from pathlib import Path
from shutil import which

from harness.edge.cluster.doctor import ensure_machine
from harness.edge.cluster.families import ensure_families, ensure_network
from harness.edge.cluster.foreign import open_foreign
from harness.edge.cluster.maker import Maker, delete, missing, versions
from harness.edge.cluster.nodes import answer_every_refusal, introduce, node_containers
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
from harness.edge.cluster.tools import TOOLS, Tools
from harness.edge.cni.known import cni_of
from harness.edge.images import ClusterImages, Official
from harness.edge.images.versions import minors_apart
from harness.edge.internet.container import remove_internet
from harness.edge.internet.state import REAL, Internet, InternetMode
from harness.edge.machine.debian import raise_inotify_limits
from harness.edge.machine.kubectl import kubectl_version
from harness.errors import ClusterNotReady, HarnessError, ToolMissing
from harness.progress import Progress

KUBECTL_SKEW = 1
"""Minor versions between a kubectl and a server (kubernetes.io/releases/version-skew-policy)."""

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


def open_cluster(spec: ClusterSpec, progress: Progress, tools: Tools = TOOLS) -> Cluster:
    """Make the cluster that the spec asks for, use it again, or find it.

    Raises:
        EnvironmentFault: the name is taken, or mode and state contradict each other.
        ClusterNotReady: the cluster does not come up; its parts are deleted.
        ImageUnavailable: an image of the cluster is not available.
        ToolMissing: a program is not available.
    """
    if spec.mode is ClusterMode.EXTERNAL:
        own = open_foreign(spec, progress, tools)
        _note_kubectl(own, progress)
        return own
    ensure_families(spec.lane, spec.internet)
    record = Home(spec.cluster).record()
    if record is None or not record.ready:
        ensure_machine(tools.looks, tools.docker, spec.lane)
    official = Official(spec.registry, spec.lane.cni)
    if record is not None:
        official = record.official(spec.registry, spec.lane.cni)
    images = tools.images(spec.images, progress, tools.docker, spec.lane.versions, official)
    internet = _internet(spec, images, progress, tools)
    ensure_network(spec.lane.families, tools.place)
    maker = Maker(spec, images, internet, progress, tools)
    state, seen = maker.state()
    action = decide(spec.mode, state, spec.cluster, seen)
    if action is Action.RECREATE:
        progress.note(
            f"policylab's cluster {spec.cluster} cannot be used as it is ({seen}). It is made again"
        )
        _own(maker.home, spec.cluster, tools)
        delete(maker.home, maker.kind, tools.docker)
    if action is not Action.REUSE:
        raise_inotify_limits(progress)
        with progress.step(f"kind cluster {spec.cluster}"):
            maker.create()
    kube = tools.connect(maker.home.kubeconfig, "", tools.patience)
    if action is Action.REUSE:
        introduce(spec.cluster, tools.docker)
        maker.point_dns(kube)
    answer_every_refusal(spec.cluster, tools.docker, spec.lane.families)
    cluster = maker.cluster(kube, created=action is not Action.REUSE)
    if spec.kubectl_bin is not None:
        _note_kubectl(cluster, progress)
    return cluster


def _note_kubectl(cluster: Cluster, progress: Progress) -> None:
    """Say it if somebody's own kubectl is too old or too new for the cluster."""
    server = cluster.environment["kubernetes"]
    version = kubectl_version(cluster.kubectl, cluster.patience.tool_answer)
    apart = minors_apart(version, server)
    if apart is not None and apart > KUBECTL_SKEW:
        progress.note(
            f"{cluster.kubectl} is {version}, and the cluster has Kubernetes {server}: they should "
            f"be at most {KUBECTL_SKEW} minor version apart "
            "(https://kubernetes.io/releases/version-skew-policy)"
        )


def _internet(
    spec: ClusterSpec, images: ClusterImages, progress: Progress, tools: Tools
) -> Internet:
    if spec.internet is InternetMode.REAL:
        return REAL
    with progress.step("the simulated internet"):
        return tools.internet(images.refs["internet"], progress, tools.place)


def delete_cluster(name: str, tools: Tools = TOOLS) -> None:
    """Delete a cluster that policylab made, complete or not; other clusters are never deleted.

    The simulated internet is removed with the last cluster.

    Raises:
        ClusterNotReady: there is no record that policylab made the cluster, its nodes are not the
            nodes in the record, or kind fails.
        ToolMissing: there is no kind, neither the kind that made the cluster nor on PATH.
    """
    home = Home(name)
    _own(home, name, tools)
    delete(home, tools.kind(name, home, _kind(home), tools.patience), tools.docker)
    remove_internet(tools.place)


def _own(home: Home, name: str, tools: Tools) -> None:
    """Make sure that policylab made the cluster with this name.

    Raises:
        ClusterNotReady: policylab did not make it, or another cluster has taken its name.
    """
    record = home.record()
    ours = record is not None and record.owns(node_containers(name, tools.docker))
    if not ours:
        if record is not None:
            home.remove()  # policylab's cluster is gone, and another cluster has its name
        raise ClusterNotReady(
            f"the cluster {name} is not policylab's, so it is not deleted",
            where=str(home.path),
            try_=f"known: {', '.join(owned_clusters()) or 'none'}; `kind delete cluster` takes any",
        )


def status(name: str, tools: Tools = TOOLS) -> ClusterStatus:
    """The status of a cluster that policylab made."""
    home = Home(name)
    record = home.record()
    if record is None:
        known = ", ".join(owned_clusters()) or "none"
        return ClusterStatus(
            healthy=False,
            facts={
                "state": "there is no such cluster, or policylab did not make it",
                "known": known,
            },
        )
    facts = {"cni": record.cni, "node image": record.node, "kubeconfig": str(home.kubeconfig)}
    try:
        kube = tools.connect(home.kubeconfig, "", tools.patience)
        lacking = missing(kube, cni_of(record.cni).daemon_set)
        facts |= versions(kube)
    except HarnessError as error:
        lacking = f"{error.what}: {error.seen}"
    return ClusterStatus(not lacking, {**facts, "state": lacking or "healthy"})


def _kind(home: Home) -> Path:
    """The path of the kind that made the cluster, or of the kind on PATH.

    Raises:
        ToolMissing: there is no kind.
    """
    found = home.kind if home.kind.exists() else which("kind")
    if found is None:
        raise ToolMissing("kind is missing", where=str(home.path), try_="policylab images build")
    return Path(found)
