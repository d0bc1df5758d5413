"""The addresses outside of the cluster, in as few classes as the policies tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
    summarize_address_range,
)

from harness.core.model import Address, IPBlock, Network
from harness.listing import few

EVERYWHERE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
V4 = 4
SHOWN = 3
"""Networks that words name; the others are counted."""
_EXAMPLES = tuple(
    ip_address(text) for text in ("198.51.100.7", "203.0.113.7", "192.0.2.7", "2001:db8::7")
)
"""Addresses that are set aside for documentation (RFC 5737, RFC 3849)."""


@dataclass(frozen=True, slots=True)
class Region:
    """Addresses that no ipBlock tells apart: exactly the ones of `networks`, by `address` shown.

    `words` say which they are; `rest` is whether they are all that no ipBlock names.
    """

    networks: tuple[Network, ...]
    address: Address
    words: str
    rest: bool = False


def regions(
    blocks: Iterable[IPBlock], cuts: Iterable[Network] = (), taken: Iterable[Address] = ()
) -> tuple[Region, ...]:
    """The regions of these blocks and of further networks that are to be told apart.

    `taken` are addresses that stand for something else and are not used as an example.
    """
    blocks, cuts, avoided = tuple(dict.fromkeys(blocks)), tuple(dict.fromkeys(cuts)), set(taken)
    named = {net for block in blocks for net in (block.cidr, *block.except_)} | set(cuts)
    roots = [root for root in EVERYWHERE if root.version == V4 or _has(named, root.version)]
    alike: dict[tuple[bool, ...], list[tuple[Network, tuple[Network, ...]]]] = {}
    for root in roots:
        nets = sorted(
            {root, *(net for net in named if net.version == root.version)},
            key=lambda net: (int(net.network_address), net.prefixlen),
        )
        for net, inner in _nested(nets):
            if gaps := tuple(_gaps(net, inner)):
                address = _example(gaps, set())
                key = (
                    *(_holds(block, address) for block in blocks),
                    *(address in cut for cut in cuts),
                )
                alike.setdefault(key, []).append((net, gaps))
    return tuple(_region(parts, named, avoided) for parts in alike.values())


def _has(named: Iterable[Network], version: int) -> bool:
    return any(net.version == version for net in named)


def _holds(block: IPBlock, address: Address) -> bool:
    return address in block.cidr and not any(address in cut for cut in block.except_)


def _nested(nets: Sequence[Network]) -> Iterator[tuple[Network, list[Network]]]:
    """Each network with the ones directly inside of it; `nets` are sorted, outer ones first."""
    children: dict[Network, list[Network]] = {net: [] for net in nets}
    open_: list[Network] = []
    for net in nets:
        while open_ and net.network_address not in open_[-1]:
            open_.pop()
        if open_:
            children[open_[-1]].append(net)
        open_.append(net)
    return iter(children.items())


def _gaps(net: Network, inner: Iterable[Network]) -> Iterator[Network]:
    """The parts of a network that are in none of the inner ones."""
    start, last = int(net.network_address), int(net.broadcast_address)
    for child in inner:
        yield from _between(net.version, start, int(child.network_address) - 1)
        start = int(child.broadcast_address) + 1
    yield from _between(net.version, start, last)


def _between(version: int, first: int, last: int) -> Iterator[Network]:
    if first > last:
        return
    if version == V4:
        yield from summarize_address_range(IPv4Address(first), IPv4Address(last))
    else:
        yield from summarize_address_range(IPv6Address(first), IPv6Address(last))


def _example(networks: Iterable[Network], avoided: set[Address]) -> Address:
    networks = tuple(networks)
    for address in _EXAMPLES:
        if address not in avoided and any(address in net for net in networks):
            return address
    net = networks[0]
    offset = 1 if net.num_addresses > 2 else 0  # noqa: PLR2004 - not the network's own address
    return net.network_address + offset


def _region(
    parts: Sequence[tuple[Network, tuple[Network, ...]]],
    named: set[Network],
    avoided: set[Address],
) -> Region:
    networks = tuple(gap for _, gaps in parts for gap in gaps)
    rest = any(net in EVERYWHERE for net, _ in parts)
    if rest:
        which = "other address" if named - set(EVERYWHERE) else "address"
        words = f"every {which} outside"
    else:
        told = [f"{net}{'' if gaps == (net,) else ' in part'}" for net, gaps in parts]
        words = f"outside: {few(told, SHOWN)}"
    return Region(networks, _example(networks, avoided), words, rest)
