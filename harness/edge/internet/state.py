"""The state of the simulated internet: the address and the faults of each name.

It is data, and the container gets it as JSON. The servers that read its keys are in
`images/internet/rootfs/usr/local/lib/policylab`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from harness.core.target.family import Families, Family
from harness.core.target.internet import INTERNET, SHORT_LIVED, SPARES

TTL_SECONDS = 30
STATE_NAME = "state.policylab.invalid."
"""The name whose TXT record is the digest of the state in force."""

DOCUMENTED = tuple(sorted({*INTERNET.values(), *SPARES}))
"""Every address of `world`; the container has a real address for each of them."""


class InternetMode(StrEnum):
    """The internet that the pods of a cluster reach."""

    SIMULATED = "simulated"
    REAL = "real"


class Fault(StrEnum):
    """The name server's behaviour for a name: it replies, replies with an rcode, or is silent."""

    NONE = "none"
    SLOW = "slow"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    DROP = "drop"


class WebFault(StrEnum):
    """The web server's behaviour for a name.

    `REFUSED` is a refused TCP connection: no server listens at the name's address, so other names
    with this address refuse too.
    """

    NONE = "none"
    SLOW = "slow"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Server:
    """A server outside of the cluster that a user vouches for: it accepts connections."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Internet:
    """What is outside of a cluster, as its pods find it.

    Attributes:
        dns: the address of the simulated name server; it serves pages too, and no name has it.
        web: the address of the simulated web server.
        names: the address of each name, while nothing is changed.
        addresses: the container's address for each address that `world` names, with `SPARES`.
        prefix: where the network has IPv6, each address of IPv4 has one of IPv6 beside it: its
            number after this prefix (`beside`); empty where the network has none.
        dns_six: the name server's own address of IPv6; empty where the network has none.
        servers: the servers that the user vouches for; they stand in for names by their port.
        asked: whether pods may ask for the names: their name server leads to the simulated
            internet, or the user chose the real one.
    """

    dns: str = ""
    web: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    servers: tuple[Server, ...] = ()
    asked: bool = True
    prefix: str = ""
    dns_six: str = ""

    def address(self, name: str, port: int | None) -> str | None:
        """The address that stands in for a name, at this port; None if nothing does.

        Without a port it is for a ping, which nobody vouches for. Names that share an address in
        `world` share it here as well.
        """
        if self.names:
            return self.names.get(name)
        at = [server.address for server in self.servers if server.port == port]
        if not at or name not in INTERNET:
            return None
        return at[sorted({*INTERNET.values()}).index(INTERNET[name]) % len(at)]

    def both(self, address: str) -> tuple[str, ...]:
        """An address with the address of IPv6 beside it, if the simulated internet has one."""
        return (address, beside(address, self.prefix)) if self.prefix else (address,)

    def server(self, families: Families) -> str:
        """The name server's address for a cluster of these families; empty if it has none."""
        return self.dns if Family.IPV4 in families else self.dns_six

    @property
    def led(self) -> bool:
        """Whether asking for a name leads to an address that is known before."""
        return self.asked and bool(self.names)


def beside(address: str, prefix: str) -> str:
    """The address of IPv6 beside an address of IPv4: its number, after the prefix."""
    return str(ip_address(int(ip_address(prefix)) | int(ip_address(address))))


REAL = Internet()
"""The real internet: names resolve as on the node, and no address is known in advance."""


@dataclass(frozen=True, slots=True)
class Site:
    """The state of one name.

    Attributes:
        address: its address.
        ttl: the TTL of the answer, in seconds.
        fault: the fault of the name server.
        web: the fault of the web server.
        delay_ms: how long a slow server delays its answer, in milliseconds.
    """

    address: str
    ttl: int = TTL_SECONDS
    fault: Fault = Fault.NONE
    web: WebFault = WebFault.NONE
    delay_ms: int = 0


def initial_sites(addresses: Mapping[str, str]) -> dict[str, Site]:
    """The initial state: every name at its own address, without faults."""
    return {
        name: Site(addresses[documented], ttl=SHORT_LIVED.get(name, TTL_SECONDS))
        for name, documented in INTERNET.items()
    }


def state_bytes(addresses: Mapping[str, str], sites: Mapping[str, Site], prefix: str = "") -> bytes:
    """The state as the container reads it; equal states are equal bytes."""
    names: dict[str, dict[str, Any]] = {
        name: {
            "address": site.address,
            "ttl": site.ttl,
            "fault": site.fault,
            "web": site.web,
            "delay_ms": site.delay_ms,
        }
        for name, site in sites.items()
    }
    told = {
        "addresses": dict(addresses),
        "names": names,
        "six": {each: beside(each, prefix) for each in addresses.values() if prefix},
        "ttl": TTL_SECONDS,
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def digest(state: bytes) -> str:
    """The state's SHA-256 in hex, as in the name server's TXT record."""
    return hashlib.sha256(state).hexdigest()
