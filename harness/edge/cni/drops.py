"""Who counts drops on a cluster, and who says what is realised, by its CNI's name."""

from __future__ import annotations

from collections.abc import Callable, Collection

from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.cni import DropCounter
from harness.edge.cni.agents import CiliumAgents
from harness.edge.cni.felix import FelixCounters
from harness.edge.cni.hubble import HubbleDrops
from harness.edge.cni.revision import Revisions


def drop_counter(cni: str, kube: Kube, kubectl: Exec) -> DropCounter | None:
    """The counter for that CNI, or None if nobody here can read its account of drops."""
    match cni:
        case "calico":
            return FelixCounters(kube, kubectl)
        case "cilium":
            return HubbleDrops(kube, kubectl)
    return None


def realised_by(cni: str, kube: Kube, kubectl: Exec) -> Callable[[Collection[str]], None] | None:
    """What waits until the CNI says that policies are in force in some namespaces.

    None where the CNI does not say: then the flows that flipped are all there is to go by.
    """
    return Revisions(CiliumAgents(kube, kubectl), kube.clock).realised if cni == "cilium" else None
