"""Who counts drops on a cluster, by its CNI's name."""

from __future__ import annotations

from collections.abc import Sequence

from harness.edge.cni import DropCounter
from harness.edge.cni.felix import FelixCounters
from harness.edge.cni.hubble import HubbleDrops
from harness.edge.kube import Kube


def drop_counter(cni: str, kube: Kube, kubectl: Sequence[str]) -> DropCounter | None:
    """The counter for that CNI, or None if nobody here can read its account of drops.

    `kubectl` are the words that calls to the cluster begin with.
    """
    match cni:
        case "calico":
            return FelixCounters(kube, kubectl)
        case "cilium":
            return HubbleDrops(kube, kubectl)
    return None
