"""The parts of a cluster that no manifest of a lab describes: CoreDNS, and the outside."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

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
from harness.core.world import INTERNET

NAME_SERVERS = "kube-system/kube-dns"
"""The Service by which clients reach CoreDNS, as kubeadm calls it."""


def with_surroundings(topology: Topology) -> Topology:
    """The topology with CoreDNS, labelled as kubeadm does it, and with the simulated internet."""
    ports = (
        ContainerPort(53, Protocol.UDP, "dns"),
        ContainerPort(53, Protocol.TCP, "dns-tcp"),
        ContainerPort(9153, Protocol.TCP, "metrics"),
    )
    labels = {"k8s-app": "kube-dns"}
    service_ports = tuple(ServicePort(p.number, p.protocol, p.name, p.number) for p in ports)
    system = Namespace("kube-system", {"kubernetes.io/metadata.name": "kube-system"})
    return replace(
        topology,
        namespaces={**topology.namespaces, "kube-system": system},
        pods={**topology.pods, "kube-system/coredns": Pod("kube-system", "coredns", labels, ports)},
        services={
            **topology.services,
            NAME_SERVERS: Service("kube-system", "kube-dns", labels, service_ports),
        },
        external={name: External(name, IPv4Address(ip)) for name, ip in INTERNET.items()},
    )
