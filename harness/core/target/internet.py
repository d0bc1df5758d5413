"""What lies outside the cluster: the names that tutorials use, and where they stand.

Addresses are those set aside for documentation (RFC 5737, RFC 3849): they tell apart which names
share one, which is all that a prediction needs. What really stands in for them is the cluster's
affair.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.target.family import Family

INTERNET: Mapping[str, str] = {
    "google.com": "192.0.2.10",
    "www.google.com": "192.0.2.10",
    "kubernetes.io": "192.0.2.11",
    # As two customers of one content delivery network do: another name on the same address.
    "neighbour.cloudyuga.guru": "192.0.2.11",
    "cilium.io": "192.0.2.12",
    "cloudyuga.guru": "192.0.2.13",
    "docs.cilium.io": "192.0.2.14",
    "moving.cilium.io": "192.0.2.15",
}
"""Every name of the simulated internet."""

SHORT_LIVED: Mapping[str, int] = {"moving.cilium.io": 1}
"""Seconds for which a name's answer may be kept, where that is not the usual time.

A name that moves says so.
"""

SPARES = tuple(f"192.0.2.{last}" for last in range(32, 48))
"""Addresses that no name has at first: where a lab may move one to.

There are several because a CNI that was told an address keeps it for minutes: each run takes one
that is still unknown to it.
"""

EXTERNAL_PORTS = frozenset({80, 443})
"""TCP ports on which the simulated internet listens: HTTP, and HTTPS with HTTP/2."""


def address_in(family: Family, documented: str) -> str:
    """The address of that family which stands beside an address of IPv4 in `INTERNET`."""
    return documented if family is Family.IPV4 else f"2001:db8::{documented.rpartition('.')[2]}"
