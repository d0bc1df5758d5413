"""Every CNI that a cluster of ours can be given, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.edge.cni import Cni, calico, cilium
from harness.edge.images import ClusterImages

_MADE_BY: Mapping[str, Callable[[ClusterImages], Cni]] = {
    "calico": calico.Calico,
    "cilium": cilium.Cilium,
}
_DAEMON_SETS = {"calico": calico.DAEMON_SET, "cilium": cilium.DAEMON_SET}

CNIS = tuple(_MADE_BY)


def cni_of(name: str, images: ClusterImages) -> Cni:
    """The CNI of that name, from these images."""
    return _MADE_BY[name](images)


def daemon_set_of(name: str) -> str:
    """The DaemonSet by which a CNI's health is known."""
    return _DAEMON_SETS[name]
