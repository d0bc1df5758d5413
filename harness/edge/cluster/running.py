"""A cluster of ours as it runs, whatever it was made of: for looking, not for making."""

from __future__ import annotations

from pathlib import Path
from shutil import which

from harness.edge.cluster.opening import status
from harness.edge.cluster.state import Cluster, Home, owned_clusters
from harness.edge.files.cache import cache_home
from harness.errors import ClusterNotReady, ToolMissing


def running(name: str) -> Cluster:
    """The cluster of that name. Nothing is built, made or changed.

    Raises:
        ClusterNotReady: there is none of ours, or it is not healthy.
        ToolMissing: there is no kubectl, neither the one that the cluster came with nor on PATH.
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
        cni=record.cni,
        owned=True,
        created=False,
        refs={},
        environment=found.facts,
        internet=None,
    )


def _kubectl(node: str) -> Path:
    """The kubectl that was built with the node's image, or the one on PATH."""
    built = cache_home() / "artefacts" / f"cluster-{node.rpartition(':')[2]}" / "kubectl"
    if built.exists():
        return built
    found = which("kubectl")
    if found is None:
        raise ToolMissing("kubectl is not there", where=str(built), try_="put it on PATH")
    return Path(found)
