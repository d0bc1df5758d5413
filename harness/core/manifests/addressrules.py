"""Addresses that a server of today refuses, and that an older one let in.

Since Kubernetes 1.36, an address or a CIDR must be written in a form that every program reads alike
(StrictIPCIDRValidation: ParseIP and parseCIDR of apimachinery's pkg/util/validation/ip.go). What an
older server let in stays on a cluster, so these rules hold for files, not for a cluster's objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from harness.core.manifests.fieldrules import address_of, cidr
from harness.core.manifests.schema.shapes import Fault
from harness.core.manifests.text.documents import FieldPath

_SINCE = "Kubernetes 1.36 and newer refuse this"

Body = Mapping[str, Any]


def unclear(body: Body) -> Iterator[Fault]:
    """The addresses and CIDRs of an object that only an older server takes."""
    spec = body.get("spec") or {}
    if body["kind"] == "Service":
        yield from _service(spec)
    elif body["kind"] == "NetworkPolicy":
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for number, rule in enumerate(spec.get(direction) or []):
                for place, peer in enumerate(rule.get(side) or []):
                    path = ("spec", direction, number, side, place, "ipBlock")
                    yield from _block(peer.get("ipBlock") or {}, path)


def _block(block: Body, path: FieldPath) -> Iterator[Fault]:
    yield from _cidr(block.get("cidr") or "", (*path, "cidr"))
    for number, text in enumerate(block.get("except") or []):
        yield from _cidr(text, (*path, "except", number))


def _service(spec: Body) -> Iterator[Fault]:
    for field in ("clusterIPs", "externalIPs"):
        for number, text in enumerate(spec.get(field) or []):
            yield from _address(text, ("spec", field, number))
    if not spec.get("clusterIPs"):
        yield from _address(spec.get("clusterIP") or "", ("spec", "clusterIP"))
    for number, text in enumerate(spec.get("loadBalancerSourceRanges") or []):
        yield from _cidr(text.strip(), ("spec", "loadBalancerSourceRanges", number))


def _address(text: str, path: FieldPath) -> Iterator[Fault]:
    found = address_of(text)
    if found is not None and not _is_clear(text):
        yield Fault(path, f"`{text}` is not clear, and {_SINCE}: write {_plain(found)}")


def _cidr(text: str, path: FieldPath) -> Iterator[Fault]:
    network, _ = cidr(text)
    if network is None:
        return
    written, _, length = text.partition("/")
    if not _is_clear(written) or length != str(int(length)):
        yield Fault(path, f"`{text}` is not clear, and {_SINCE}: write {network}")
    elif ip_address(written) != ip_network(network).network_address:
        one = f"{written}/{network.max_prefixlen}"
        wrong = f"`{text}` has bits behind its length, and {_SINCE}: write {network}, or {one}"
        yield Fault(path, wrong)


def _is_clear(text: str) -> bool:
    """Whether every program reads the address alike: no zeros before a number, no mapped IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return False
    return not (isinstance(found, IPv6Address) and found.ipv4_mapped)


def _plain(found: object) -> str:
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)
