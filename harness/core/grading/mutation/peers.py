"""Mistakes about the peers of a NetworkPolicy's rules: who is meant."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from harness.core.grading.mutation.edits import (
    RULES,
    Case,
    Reference,
    at,
    cut,
    peers_of,
    put,
    rules_of,
)

ANYWHERE = {"ipBlock": {"cidr": "0.0.0.0/0"}}
WIDER = 8
"""By how many bits a network gets too wide."""


def rule_dropped(reference: Reference) -> Iterator[Case]:
    """Without one rule."""
    for path, where in rules_of(reference.documents):
        yield Case(where, f"The rule {where} is missing.", cut(reference.documents, path))


def peers_left_out(reference: Reference) -> Iterator[Case]:
    """A rule without `from` or `to`: anybody is meant."""
    for path, where in rules_of(reference.documents):
        field = RULES[str(path[2])]
        if field in at(reference.documents, path):
            found = cut(reference.documents, (*path, field))
            yield Case(where, f"The rule {where} has no `{field}`, so it means anybody.", found)


def peers_emptied(reference: Reference) -> Iterator[Case]:
    """A rule with an empty `from` or `to`, which means anybody and not nobody."""
    for path, where in rules_of(reference.documents):
        field = RULES[str(path[2])]
        if at(reference.documents, path).get(field):
            found = put(reference.documents, (*path, field), [])
            yield Case(where, f"The `{field}` of {where} is empty, which means anybody.", found)


def rule_emptied(reference: Reference) -> Iterator[Case]:
    """A rule without anything in it, which lets everything pass."""
    for path, where in rules_of(reference.documents):
        yield Case(where, f"The rule {where} is empty.", put(reference.documents, path, {}))


def peer_dropped(reference: Reference) -> Iterator[Case]:
    """Without one peer of several."""
    for path, where in peers_of(reference.documents):
        if len(at(reference.documents, path[:-1])) > 1:
            yield Case(where, f"The peer {where} is missing.", cut(reference.documents, path))


def split(reference: Reference) -> Iterator[Case]:
    """A peer with two selectors as two peers: AND becomes OR."""
    for path, where in peers_of(reference.documents):
        peer = at(reference.documents, path)
        if {"podSelector", "namespaceSelector"} <= peer.keys():
            peers = list(at(reference.documents, path[:-1]))
            peers[int(path[-1]) : int(path[-1]) + 1] = [{key: peer[key]} for key in sorted(peer)]
            what = f"The two selectors of {where} became two peers: AND became OR."
            yield Case(where, what, put(reference.documents, path[:-1], peers))


def joined(reference: Reference) -> Iterator[Case]:
    """Two peers with one selector each as one peer: OR becomes AND."""
    for path, where in peers_of(reference.documents):
        peers = list(at(reference.documents, path[:-1]))
        index = int(path[-1])
        if index + 1 < len(peers) and {*peers[index], *peers[index + 1]} == {
            "podSelector",
            "namespaceSelector",
        }:
            if len(peers[index]) + len(peers[index + 1]) != 2:  # noqa: PLR2004 - one selector each
                continue
            peers[index : index + 2] = [peers[index] | peers[index + 1]]
            what = f"The peer {where} and the next one became one: OR became AND."
            yield Case(where, what, put(reference.documents, path[:-1], peers))


def half_left_out(reference: Reference) -> Iterator[Case]:
    """A peer with one selector of its two."""
    for path, where in peers_of(reference.documents):
        peer = at(reference.documents, path)
        for key in ("podSelector", "namespaceSelector"):
            if key in peer and len(peer) > 1:
                found = cut(reference.documents, (*path, key))
                yield Case(f"{where}.{key}", f"The peer {where} has no {key}.", found)


def widened(reference: Reference) -> Iterator[Case]:
    """A peer of which one selector is empty: all pods, or all namespaces."""
    for path, where in peers_of(reference.documents):
        peer = at(reference.documents, path)
        for key in ("podSelector", "namespaceSelector"):
            if any((peer.get(key) or {}).values()):
                found = put(reference.documents, (*path, key), {})
                what = f"The {key} of {where} is empty, so it means all."
                yield Case(f"{where}.{key}", what, found)


def all_namespaces(reference: Reference) -> Iterator[Case]:
    """A peer of the policy's own namespace that means all namespaces."""
    for path, where in peers_of(reference.documents):
        if at(reference.documents, path).keys() == {"podSelector"}:
            found = put(reference.documents, (*path, "namespaceSelector"), {})
            what = f"The peer {where} has an empty namespaceSelector too: it means all namespaces."
            yield Case(where, what, found)


def addresses(reference: Reference) -> Iterator[Case]:
    """An ipBlock of all addresses in place of a peer, and beside the peers."""
    for path, where in peers_of(reference.documents):
        if "ipBlock" not in at(reference.documents, path):
            found = put(reference.documents, path, ANYWHERE)
            yield Case(where, f"The peer {where} is an ipBlock of all addresses.", found)
    for path, where in rules_of(reference.documents):
        field = RULES[str(path[2])]
        if peers := at(reference.documents, path).get(field):
            found = put(reference.documents, (*path, field), [*peers, ANYWHERE])
            what = f"The rule {where} has one more peer: an ipBlock of all addresses."
            yield Case(f"{where}.more", what, found)


def block_widened(reference: Reference) -> Iterator[Case]:
    """An ipBlock that is too wide, and one without its exceptions."""
    for path, where in peers_of(reference.documents):
        block = at(reference.documents, path).get("ipBlock")
        if not block:
            continue
        net = ip_network(block["cidr"], strict=False)
        if net.prefixlen:
            wide = str(net.supernet(new_prefix=max(0, net.prefixlen - WIDER)))
            found = put(reference.documents, (*path, "ipBlock", "cidr"), wide)
            yield Case(f"{where}.cidr", f"The ipBlock of {where} is too wide: {wide}.", found)
        if block.get("except"):
            found = cut(reference.documents, (*path, "ipBlock", "except"))
            yield Case(f"{where}.except", f"The ipBlock of {where} has no exceptions.", found)


def one_more(reference: Reference) -> Iterator[Case]:
    """One more peer: all pods of the policy's own namespace."""
    for path, where in rules_of(reference.documents):
        field = RULES[str(path[2])]
        if peers := at(reference.documents, path).get(field):
            found = put(reference.documents, (*path, field), [*peers, {"podSelector": {}}])
            what = f"The rule {where} has one more peer: all pods of its own namespace."
            yield Case(where, what, found)
