"""Calico without its operator: VXLAN between nodes, policy by Felix, and rights for that alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lab.profile import CONNECTED, KEPT, REFUSED, TIMEOUT, CniProfile
from harness.core.target.family import FAMILIES
from harness.edge.cni.value import Cni

if TYPE_CHECKING:
    from harness.edge.api.kube import Kube
    from harness.edge.api.kubectl import Exec
    from harness.edge.cni.drops import DropCounter

__all__ = ["CALICO"]


def _drops(kube: Kube, kubectl: Exec) -> DropCounter:
    from harness.edge.cni.calico.felix import FelixCounters  # a profile needs no API

    return FelixCounters(kube, kubectl)


CALICO = Cni(
    profile=CniProfile(
        name="calico",
        denied=TIMEOUT,
        established=KEPT,
        unserved_port=REFUSED,
        rules_left_out=CONNECTED,
        ip_block_of_pods=CONNECTED,
        loopback=CONNECTED,
        hairpin=TIMEOUT,
        host_to_pod=CONNECTED,
        pod_to_host=TIMEOUT,
    ),
    package=__name__,
    daemon_set="calico-node",  # ready once Felix has programmed its first policies
    images={"cni_image": "calico-cni", "node_image": "calico-node"},
    drops=_drops,
    families=FAMILIES["dual"],
    kernel=("NFT_COMPAT", "IP_SET", "VXLAN"),
)
