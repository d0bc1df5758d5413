"""Calico without its operator: VXLAN between nodes, policy by Felix, and rights for that alone."""

from __future__ import annotations

from harness.core.lab.profile import CONNECTED, KEPT, REFUSED, TIMEOUT, CniProfile
from harness.edge.cni.calico.felix import FelixCounters
from harness.edge.cni.value import Cni

__all__ = ["CALICO"]

CALICO = Cni(
    profile=CniProfile(
        name="calico",
        denied=TIMEOUT,
        established=KEPT,
        unserved_port=REFUSED,
        rules_left_out=CONNECTED,
        ip_block_of_pods=CONNECTED,
        loopback=CONNECTED,
        host_to_pod=CONNECTED,
        pod_to_host=TIMEOUT,
    ),
    package=__name__,
    daemon_set="calico-node",  # ready once Felix has programmed its first policies
    images={"cni_image": "calico-cni", "node_image": "calico-node"},
    drops=FelixCounters,
)
