"""The families of addresses, IPv4 and IPv6, and which of them the pods of a cluster have."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address


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
