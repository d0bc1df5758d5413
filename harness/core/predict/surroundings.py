"""The parts of a cluster that manifests seldom describe: its own namespaces, CoreDNS, the outside.

What the manifests declare is never replaced; what is added is named as assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from harness.core.model import (
    ContainerPort,
    External,
    Namespace,
    Pod,
    Protocol,
    Service,
    ServicePort,
    Topology,
)
from harness.core.policy.selectors import API_SERVER, NAME_LABEL
from harness.core.target.family import Family
from harness.core.target.internet import INTERNET, address_in

NAME_SERVERS = "kube-system/kube-dns"
"""The Service by which clients reach CoreDNS, as kubeadm calls it."""
OWN_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""The namespaces that every API server makes, with the one label that all namespaces have."""

_DNS_LABELS = {"k8s-app": "kube-dns"}
_DNS_PORTS = (
    ContainerPort(53, Protocol.UDP, "dns"),
    ContainerPort(53, Protocol.TCP, "dns-tcp"),
    ContainerPort(9153, Protocol.TCP, "metrics"),
)
_API_PORTS = (ServicePort(443, Protocol.TCP, "https", 6443),)


def with_surroundings(
    topology: Topology, family: Family = Family.IPV4, *, internet: bool = True
) -> Topology:
    """The topology with what every cluster has and nobody declares.

    `internet`: with the simulated internet as well. `family` is that of its addresses.
    """
    assumed: list[str] = []
    namespaces = {**topology.namespaces}
    for name in OWN_NAMESPACES:
        namespaces.setdefault(name, Namespace(name, {NAME_LABEL: name}))
    services = {**topology.services}
    services.setdefault(API_SERVER, Service("default", "kubernetes", {}, _API_PORTS))
    found = replace(topology, namespaces=namespaces, services=_with_name_service(services, assumed))
    found = replace(found, pods=_with_name_server(found, assumed))
    used = {pod.namespace for pod in found.pods.values()} & set(OWN_NAMESPACES)
    bare = sorted(used - topology.namespaces.keys())
    if bare:
        assumed.append(f"{_list(bare)} has no label but {NAME_LABEL}, as a new cluster has it")
    return replace(
        found,
        external={
            name: External(name, ip_address(address_in(family, documented)))
            for name, documented in (INTERNET.items() if internet else ())
        },
        assumed=(*topology.assumed, *assumed),
    )


def _with_name_service(services: dict[str, Service], assumed: list[str]) -> dict[str, Service]:
    if NAME_SERVERS not in services:
        ports = tuple(ServicePort(p.number, p.protocol, p.name, p.number) for p in _DNS_PORTS)
        services[NAME_SERVERS] = Service("kube-system", "kube-dns", _DNS_LABELS, ports)
        assumed.append(f"the Service {NAME_SERVERS}, as kubeadm makes it")
    return services


def _with_name_server(topology: Topology, assumed: list[str]) -> dict[str, Pod]:
    pods, service = {**topology.pods}, topology.services[NAME_SERVERS]
    pod = Pod("kube-system", "coredns", service.selector or _DNS_LABELS, _DNS_PORTS)
    if not any(map(service.selects, pods.values())) and str(pod) not in pods:
        pods[str(pod)] = pod
        assumed.append(f"CoreDNS as kubeadm installs it: the pod {pod} (k8s-app=kube-dns)")
    return pods


def _list(names: Iterable[str]) -> str:
    return " and ".join(names)
