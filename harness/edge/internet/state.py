"""The state of the simulated internet: which name stands where, and what is amiss with it.

It is data, sent to the container as JSON; what the keys mean to the servers stands in
`images/internet/rootfs/usr/local/lib/policylab`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.core.world import INTERNET, SHORT_LIVED, SPARES

TTL_SECONDS = 30
STATE_NAME = "state.policylab.invalid."
"""Asked for TXT, the name server tells the digest of the state in force."""

DOCUMENTED = tuple(sorted({*INTERNET.values(), *SPARES}))
"""Every address of `world`, each of which a real one stands in for."""


class InternetMode(StrEnum):
    """Which internet the pods of a cluster find."""

    SIMULATED = "simulated"
    REAL = "real"


class Fault(StrEnum):
    """What the name server does when asked for a name: the reply, its rcode, or silence."""

    NONE = "none"
    SLOW = "slow"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    DROP = "drop"


class WebFault(StrEnum):
    """What the web server does for a name.

    `REFUSED` is TCP's: nobody listens at the name's address, so other names there refuse too.
    """

    NONE = "none"
    SLOW = "slow"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Internet:
    """Where the simulated internet is: its name server, its web server, and every name it knows.

    `names` has each name's address when nothing was changed; `addresses` the address that stands
    in for each of those that `world` speaks of, `SPARES` among them. The name server's own address
    serves pages too, and no name has it.
    """

    dns: str
    web: str
    names: Mapping[str, str]
    addresses: Mapping[str, str]


REAL = Internet(dns="", web="", names={}, addresses={})
"""The real internet: names resolve as they do for the node, and nothing of it is known before."""


@dataclass(frozen=True, slots=True)
class Site:
    """One name: its address, the TTL of the answer in seconds, and what is amiss.

    `delay_ms` is for how long a slow server holds back its answer, in milliseconds.
    """

    address: str
    ttl: int = TTL_SECONDS
    fault: Fault = Fault.NONE
    web: WebFault = WebFault.NONE
    delay_ms: int = 0


def initial_sites(addresses: Mapping[str, str]) -> dict[str, Site]:
    """Every name in its place, with nothing amiss."""
    return {
        name: Site(addresses[documented], ttl=SHORT_LIVED.get(name, TTL_SECONDS))
        for name, documented in INTERNET.items()
    }


def state_bytes(addresses: Mapping[str, str], sites: Mapping[str, Site]) -> bytes:
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
    told = {"addresses": dict(addresses), "names": names, "ttl": TTL_SECONDS}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def digest(state: bytes) -> str:
    """The state's SHA-256, in hex, as the name server tells it."""
    return hashlib.sha256(state).hexdigest()
