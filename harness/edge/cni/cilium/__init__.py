"""Cilium without its operator: native routing, addresses of each node's own range, Hubble on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lab.profile import CONNECTED, CUT, TIMEOUT, UNTOLD, CniProfile
from harness.core.model import CILIUM_POLICY, NETWORK_POLICY
from harness.core.target.family import FAMILIES
from harness.edge.cni.value import Cni, Dataplane, NameMemory, Realised

if TYPE_CHECKING:
    from harness.edge.api.kube import Kube
    from harness.edge.api.kubectl import Exec
    from harness.edge.cni.drops import DropCounter

__all__ = ["CILIUM"]


# What talks to a cluster is imported when it does: a profile needs no API.


def _drops(kube: Kube, kubectl: Exec) -> DropCounter:
    from harness.edge.cni.cilium.hubble import HubbleDrops

    return HubbleDrops(kube, kubectl)


def _realised(kube: Kube, kubectl: Exec) -> Realised:
    from harness.edge.cni.cilium.agents import CiliumAgents
    from harness.edge.cni.cilium.revision import Revisions

    return Revisions(CiliumAgents(kube, kubectl), kube).realised


def _remembers(kube: Kube, kubectl: Exec) -> NameMemory:
    from harness.edge.cni.cilium.agents import CiliumAgents
    from harness.edge.cni.cilium.memory import Memory

    return Memory(CiliumAgents(kube, kubectl))


CILIUM = Cni(
    profile=CniProfile(
        name="cilium",
        denied=TIMEOUT,
        established=CUT,
        unserved_port=TIMEOUT,
        rules_left_out=TIMEOUT,
        ip_block_of_pods=TIMEOUT,
        loopback=CONNECTED,
        hairpin=CONNECTED,
        host_to_pod=CONNECTED,
        pod_to_host=TIMEOUT,
        kinds=frozenset({NETWORK_POLICY, CILIUM_POLICY}),
    ),
    package=__name__,
    daemon_set="cilium",  # ready once the agent has loaded its eBPF programs
    images={"image": "cilium"},
    drops=_drops,
    realised=_realised,
    remembers=_remembers,
    # While another namespace changes, a denied flow gets a single packet through now and then
    # (docs/adr/0030).
    lanes=1,
    # A connect() to a port that the Service lacks is not translated: the packets leave the cluster,
    # and whoever is outside decides. Over IPv6 it is seen only late that kube-proxy refuses it (see
    # Calico).
    changes={
        "replacement": {"unserved_port": UNTOLD},
        "dual": {"unserved_port": UNTOLD},
        "ipv6": {"unserved_port": UNTOLD},
    },
    kernel=("BPF_SYSCALL", "NET_CLS_BPF", "NETFILTER_XT_TARGET_TPROXY"),
    families=FAMILIES["dual"],
    dataplanes=(
        Dataplane("kube-proxy", {"replacement": "false"}),
        Dataplane(
            "replacement",
            {"replacement": "true"},
            kernel=("CGROUP_BPF",),
            replaces_kube_proxy=True,
        ),
    ),
)
