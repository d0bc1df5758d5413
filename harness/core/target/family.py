"""The families of addresses, IPv4 and IPv6, and which of them the pods of a cluster have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from ipaddress import ip_address

from harness.core.model import Pod, Topology


class Family(StrEnum):
    """One family of addresses, by its name in Kubernetes (`spec.ipFamilies` of a Service)."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"

    @property
    def version(self) -> int:
        """The number that Python's ipaddress has for it."""
        return 4 if self is Family.IPV4 else 6

    @property
    def rdtype(self) -> str:
        """The type of the DNS records that hold its addresses (RFC 1035 3.4.1; RFC 3596 2.1)."""
        return "A" if self is Family.IPV4 else "AAAA"


Families = tuple[Family, ...]
"""The families that pods have, in the order of the cluster: the first one is its Services' own."""

IPV4: Families = (Family.IPV4,)
"""What a cluster has unless somebody asks for more."""

FAMILIES: Mapping[str, Families] = {
    "ipv4": IPV4,
    "ipv6": (Family.IPV6,),
    "dual": (Family.IPV4, Family.IPV6),
}
"""The families of a cluster, by the words of kind (`networking.ipFamily`)."""


def family_of(address: str) -> Family:
    """The family of an address.

    Raises:
        ValueError: the text is not an address.
    """
    return Family.IPV4 if ip_address(address).version == Family.IPV4.version else Family.IPV6


def record_type(rdtype: str, families: Families) -> str:
    """The type of record to ask for: a row that asks for A means the address of a name.

    Where pods have IPv6 alone, the record of an address is AAAA.
    """
    means_address = rdtype == Family.IPV4.rdtype and Family.IPV4 not in families
    return Family.IPV6.rdtype if means_address else rdtype


def seen_over(topology: Topology, family: Family) -> Topology:
    """The same topology with each pod's address of this family, None where it is not known."""

    def placed(pod: Pod) -> Pod:
        known = (ip for ip in (pod.ip, pod.other_ip) if ip and ip.version == family.version)
        return replace(pod, ip=next(known, None), other_ip=None)

    return replace(topology, pods={name: placed(pod) for name, pod in topology.pods.items()})
