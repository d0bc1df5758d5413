"""Servers outside of a cluster that policylab did not make: what a user says of them.

`ADDRESS:PORT,...` names servers that the user vouches for: each is outside of the cluster, and
accepts connections. `stand-in` asks for the simulated internet beside a kind cluster.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address

from harness.edge.internet.state import Server
from harness.errors import EnvironmentFault

STAND_IN = "stand-in"
MOST = 16
"""Servers that a user may name."""
LAST_PORT = 65_535
_SERVER = re.compile(r"([0-9.]{7,15}):([0-9]{1,5})")


def outside_named(text: str) -> str:
    """The text of the option as a run uses it: empty, `stand-in`, or the servers, each once.

    Raises:
        EnvironmentFault: it is none of these; the message says which part is wrong.
    """
    if text in ("", STAND_IN):
        return text
    return ",".join(map(str, servers_of(text)))


def servers_of(text: str) -> tuple[Server, ...]:
    """The servers in `ADDRESS:PORT,...`, in this order, each once.

    Raises:
        EnvironmentFault: a part is no server, or no pod can reach it as something outside.
    """
    found = tuple(dict.fromkeys(map(_server, text.split(","))))
    if len(found) > MOST:
        raise EnvironmentFault(f"{len(found)} servers outside are named, {MOST} are the most")
    return found


def _server(part: str) -> Server:
    read = _SERVER.fullmatch(part.strip())
    try:
        address = IPv4Address(read[1] if read else "")
    except AddressValueError:
        address = None
    port = int(read[2]) if read else 0
    if address is None or not 0 < port <= LAST_PORT:
        raise EnvironmentFault(
            f"`{part.strip()[:100]}` is no server outside of a cluster",
            try_=f"write ADDRESS:PORT, such as 192.0.2.10:80 (IPv4), or {STAND_IN}",
        )
    if address.is_loopback or address.is_multicast or address.is_unspecified:
        raise EnvironmentFault(
            f"{address} is outside of no pod",
            seen="a loopback address leads a pod to itself" if address.is_loopback else "",
            try_="name an address that pods of the cluster can reach",
        )
    return Server(str(address), port)
