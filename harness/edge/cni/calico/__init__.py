"""Calico without its operator: VXLAN between nodes, policy by Felix, and rights for that alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.lab.profile import CONNECTED, KEPT, REFUSED, TIMEOUT, UNTOLD, CniProfile
from harness.core.target.family import FAMILIES
from harness.edge.cni.value import Cni, Dataplane

if TYPE_CHECKING:
    from harness.edge.api.kube import Kube
    from harness.edge.api.kubectl import Exec
    from harness.edge.cni.drops import DropCounter

__all__ = ["CALICO"]


# What talks to a cluster is imported when it does: a profile needs no API.


def _iptables_drops(kube: Kube, kubectl: Exec) -> DropCounter:
    from harness.edge.cni.calico.felix import IPTABLES, FelixCounters

    return FelixCounters(kube, kubectl, IPTABLES)


def _nftables_drops(kube: Kube, kubectl: Exec) -> DropCounter:
    from harness.edge.cni.calico.felix import NFTABLES, FelixCounters

    return FelixCounters(kube, kubectl, NFTABLES)


def _asked_for(addresses: Sequence[str]) -> dict[str, str]:
    # https://docs.tigera.io/calico/latest/networking/ipam/use-specific-ip
    return {"cni.projectcalico.org/ipAddrs": json.dumps(list(addresses))}


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
    # kube-proxy knows only the ports that a Service has. With nftables it refuses the others. With
    # iptables it lets them pass: the packets leave the cluster, and whoever is outside decides.
    # Over IPv6 a client sees its refusal only at the second SYN, after 1 s (docs/adr/0050).
    changes={
        "kp-iptables": {"unserved_port": UNTOLD},
        "dual": {"unserved_port": UNTOLD},
        "ipv6": {"unserved_port": UNTOLD},
    },
    drops=_iptables_drops,
    with_addresses=_asked_for,
    families=FAMILIES["dual"],
    kernel=("VXLAN",),
    dataplanes=(
        # The rules of iptables are translated into nftables by iptables itself.
        Dataplane("iptables", {"nftables_mode": "Disabled"}, kernel=("NFT_COMPAT", "IP_SET")),
        Dataplane(
            "nftables",
            {"nftables_mode": "Enabled"},
            kernel=("NFT_CT", "NFT_FIB", "NFT_MASQ"),
            drops=_nftables_drops,
        ),
    ),
)
