"""The /etc/resolv.conf that the kubelet writes for a pod, from its dnsPolicy and dnsConfig.

Sources: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ ("Pod's DNS
Policy", "Pod's DNS Config") and the kubelet of Kubernetes 1.37 (pkg/kubelet/network/dns/dns.go):
dnsConfig is added to what the policy gives, an option of the same name replaces the earlier one,
and name servers and search domains over a limit are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.core.dns.resolvconf import ResolvConf, last_of_each
from harness.core.model import Pod
from harness.core.target.family import Family

CLUSTER_DOMAIN = "cluster.local"
KUBEADM_SERVERS = {Family.IPV4: "10.96.0.10", Family.IPV6: "fd00:10:96::a"}
"""The address of the cluster's name server, by the first family of the cluster.

kubeadm takes the tenth of its Service range; that of IPv6 is kind's.
"""

KUBEADM_SERVER = KUBEADM_SERVERS[Family.IPV4]

NDOTS = "ndots:5"
"""The option that the kubelet writes for a pod that asks the cluster's name server."""

MAX_SERVERS = 3
MAX_SEARCHES = 32
MAX_SEARCH_LETTERS = 2048
"""Limits of the kubelet (pkg/apis/core/validation: MaxDNSNameservers, MaxDNSSearchPaths, ...)."""


class Server(StrEnum):
    """Whose name server a pod asks first: the cluster's, its node's, or one that it names."""

    CLUSTER = "cluster"
    NODE = "node"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class PodConf:
    """A pod's resolver: whom it asks first, and its resolv.conf as far as the pod's spec says it.

    `policy` is the dnsPolicy that takes effect. Where the `server` is the node's, the node's own
    name servers, search domains and options stand before those of `conf`, and nobody knows them
    here. `left_out` are entries over a limit, which the kubelet leaves out.
    """

    policy: str
    server: Server
    conf: ResolvConf
    left_out: tuple[str, ...] = ()

    @property
    def ndots(self) -> int | None:
        """How many dots make a name absolute at the first try; None if only the node knows."""
        if self.server is Server.NODE and not self.conf.option("ndots"):
            return None
        return self.conf.ndots

    @property
    def not_the_clusters(self) -> str:
        """Why the cluster's name server is not asked, as a sentence; empty where it is."""
        match self.server:
            case Server.CLUSTER:
                return ""
            case Server.NODE:
                asked = "the name servers of its node"
            case Server.OWN:
                asked = ", ".join(self.conf.nameservers) or "no name server"
        return f"not answered by the cluster: under dnsPolicy {self.policy} the pod asks {asked}"


def search_list(namespace: str) -> tuple[str, ...]:
    """The search list that the kubelet writes for a pod of that namespace."""
    return (f"{namespace}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN)


def conf_of(pod: Pod, *, cluster_server: str = KUBEADM_SERVER) -> PodConf:
    """The pod's resolver; `cluster_server` is the address of the cluster's name server."""
    own = pod.dns
    policy = effective_policy(pod)
    match policy:
        case "None":
            base = ResolvConf((), (), ())
        case "Default":
            base = ResolvConf((), (), ())
        case _:
            base = ResolvConf((cluster_server,), search_list(pod.namespace), (NDOTS,))
    servers = _once((*base.nameservers, *own.nameservers))
    searches = _once((*base.search, *own.searches))
    kept = _fitting(searches)
    conf = ResolvConf(servers[:MAX_SERVERS], kept, last_of_each((*base.options, *own.options)))
    left_out = (*servers[MAX_SERVERS:], *searches[len(kept) :])
    return PodConf(policy, _server(policy, conf, cluster_server), conf, left_out)


def effective_policy(pod: Pod) -> str:
    """The dnsPolicy as the kubelet takes it: ClusterFirst means Default on the host's network."""
    policy = pod.dns.policy
    return "Default" if policy == "ClusterFirst" and pod.host_network else policy


def _server(policy: str, conf: ResolvConf, cluster_server: str) -> Server:
    if policy == "Default":
        return Server.NODE
    return Server.CLUSTER if conf.nameservers[:1] == (cluster_server,) else Server.OWN


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _fitting(searches: tuple[str, ...]) -> tuple[str, ...]:
    kept = searches[:MAX_SEARCHES]
    while len(" ".join(kept)) > MAX_SEARCH_LETTERS:
        kept = kept[:-1]
    return kept
