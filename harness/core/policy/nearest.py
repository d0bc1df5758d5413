"""The rule that comes nearest to a flow which no rule lets pass, and each thing that it lacks.

A rule lacks a thing if it would match the flow once that one thing were different. Who a peer picks
and what a port covers is asked of the same `Crowd` by which the oracle decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.core.model import (
    Direction,
    Entity,
    External,
    IPBlock,
    Labels,
    NetworkPolicy,
    Peer,
    Pod,
    Rule,
    Selector,
)
from harness.core.policy.fqdn import matches
from harness.core.policy.selectors import Crowd, End, Mask, within
from harness.core.policy.words import rule_words
from harness.core.target.ask import Flow

Numbered = tuple[NetworkPolicy, int, Rule]
"""A rule, with its policy and its number there, from 1."""

ANY = Selector()


@dataclass(frozen=True, slots=True)
class Nearest:
    """A rule that misses the flow: its policy, its number there, from 1, and all that it lacks."""

    policy: NetworkPolicy
    number: int
    rule: Rule
    lacks: tuple[str, ...]

    def __str__(self) -> str:
        words = f"{self.policy}, rule {self.number} ({rule_words(self.rule)})"
        return f"{words} lacks {' and '.join(self.lacks)}"


def ends(flow: Flow, direction: Direction) -> tuple[End, End]:
    """The end whose policies are asked, and the one at the other side."""
    own, other = flow.source, flow.target
    return (own, other) if direction is Direction.EGRESS else (other, own)


def nearest(
    crowd: Crowd, flow: Flow, direction: Direction, rules: Iterable[Numbered]
) -> Nearest | None:
    """The rule that lacks the fewest things, the first of equals; None if there is no rule.

    Of two that lack equally many, the one with the right peer comes first: a wrong port is the
    commonest slip. Both ends of the flow must be in the crowd.
    """
    own, other = ends(flow, direction)
    learns = bool(crowd.learners & crowd.bit(own))
    found: list[tuple[int, int, Nearest]] = []
    for policy, number, rule in rules:
        peers = _peers_lack(crowd, policy.namespace, rule, other, learns=learns)
        lacks = (*peers, *_ports_lack(crowd, rule, flow))
        found.append((len(lacks), len(peers), Nearest(policy, number, rule, lacks)))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _peers_lack(crowd: Crowd, home: str, rule: Rule, other: End, *, learns: bool) -> Sequence[str]:
    """What the rule's best peer lacks to pick the other end; `learns`: names count for the pod."""
    found = (
        _unlearned(peer, other)
        if peer.fqdn and not learns
        else _peer_lacks(crowd, home, peer, other)
        for peer in rule.peers
    )
    return min(found, key=len, default=())


def _ports_lack(crowd: Crowd, rule: Rule, flow: Flow) -> Sequence[str]:
    receiver = crowd.bit(flow.target)
    if crowd.receivers(rule.ports, flow.port, flow.protocol) & receiver:
        return ()
    spoken = [replace(entry, protocol=flow.protocol) for entry in rule.ports]
    if crowd.receivers(spoken, flow.port, flow.protocol) & receiver:
        return (f"the protocol {flow.protocol}",)
    return (f"the port {flow.protocol} {flow.port}",)


def _peer_lacks(crowd: Crowd, home: str, peer: Peer, other: End) -> Sequence[str]:
    bit = crowd.bit(other)
    if crowd.peer(peer, home).certain & bit:
        return ()
    if peer.ip_block is not None:
        return (_block_lacks(peer.ip_block, other),)
    if peer.entity is not None:
        world = peer.entity is Entity.WORLD and isinstance(other, Pod)
        note = " (world means only what lies outside of the cluster)" if world else ""
        return (f"the end {other}{note}",)
    if peer.fqdn:
        return (_name_lacks(other),)
    if peer.service is not None or peer.unread:
        return (f"the end {other}",)
    if isinstance(other, External):
        return (f"an ipBlock for {other}, which is outside of the cluster",)
    return tuple(_selectors_lack(crowd, home, peer, other, bit))


def _block_lacks(block: IPBlock, other: End) -> str:
    if block.outside_only and isinstance(other, Pod):
        return f"the pod {other} (the CIDRs of a CiliumNetworkPolicy never mean pods)"
    if other.ip is None:
        return f"the address of {other}, which is not known here"
    cut = [part for part in block.except_ if within(other, part)]
    note = f" ({other.ip} is in the part cut out, {cut[0]})" if cut else ""
    return f"the address of {other}{note}"


def _name_lacks(other: End) -> str:
    if isinstance(other, Pod):
        return f"the pod {other} (toFQDNs means only what lies outside of the cluster)"
    return f"the name {other} (nor is its address that of a name which the rule allows)"


def _unlearned(peer: Peer, other: End) -> Sequence[str]:
    """What a peer by name lacks for a pod whose lookups Cilium does not see."""
    if isinstance(other, Pod) or not matches(peer.fqdn, other.name):
        return (_name_lacks(other),)
    why = "no rules.dns sends this pod's lookups through Cilium's DNS proxy, so Cilium learns none"
    return (f"an address of {other} ({why})",)


def _selectors_lack(crowd: Crowd, home: str, peer: Peer, other: Pod, bit: Mask) -> Iterable[str]:
    if not crowd.peer(replace(peer, pod_selector=ANY), home).certain & bit:
        alone = peer.namespace_selector is None
        yield (
            f"a namespaceSelector for {other.namespace} (its podSelector alone means pods of the "
            f"namespace {home})"
            if alone
            else f"the namespace {other.namespace}"
        )
    pods = Peer(peer.pod_selector or ANY, namespace_selector=ANY)
    if not crowd.peer(pods, home).certain & bit:
        yield f"the pod {other} ({_labels(other.labels)})"


def _labels(labels: Labels) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"
