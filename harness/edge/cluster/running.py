"""A running cluster that policylab made, for commands that only use it."""

from __future__ import annotations

from pathlib import Path
from shutil import which

from harness.edge.cluster.lane import Lane
from harness.edge.cluster.opening import status
from harness.edge.cluster.state import Cluster, Home, owned_clusters
from harness.edge.images.model import build_of
from harness.errors import ClusterNotReady, ToolMissing


def running(name: str) -> Cluster:
    """The cluster with this name. Nothing is built, made or changed.

    Raises:
        ClusterNotReady: policylab has no such cluster, or the cluster is not healthy.
        ToolMissing: there is no kubectl, neither from the cluster's images nor on PATH.
    """
    home = Home(name)
    record = home.record()
    found = status(name)
    if record is None or not found.healthy:
        raise ClusterNotReady(
            f"the cluster {name} does not run",
            where=f"known: {', '.join(owned_clusters()) or 'none'}",
            seen=found.facts["state"],
            try_="policylab cluster up",
        )
    return Cluster(
        name=name,
        kubeconfig=home.kubeconfig,
        context="",
        kubectl=_kubectl(record.node),
        lane=Lane(record.cni),
        owned=True,
        created=False,
        refs={},
        environment=found.facts,
        internet=None,
    )


def _kubectl(node: str) -> Path:
    """The kubectl that was built with the node image, or the kubectl on PATH."""
    built = build_of(node) / "kubectl"
    if built.exists():
        return built
    found = which("kubectl")
    if found is None:
        raise ToolMissing("kubectl is missing", where=str(built), try_="put it on PATH")
    return Path(found)
