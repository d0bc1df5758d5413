"""Why a side of a flow is allowed, denied or open, for people who are new to NetworkPolicy.

A denial names its nearest miss: the rule that would have let the flow pass but for one thing.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.ask import Flow
from harness.core.fqdn import matches
from harness.core.model import (
    CILIUM_POLICY,
    Direction,
    Entity,
    External,
    NetworkPolicy,
    Peer,
    Pod,
    Protocol,
    Rule,
    Selector,
)
from harness.core.policy.selectors import End, selects, within
from harness.core.policy.words import name_words, port_words, rule_words, who

Numbered = tuple[NetworkPolicy, int, Rule]
"""A rule, with its policy and its number there, from 1."""


def ends(flow: Flow, direction: Direction) -> tuple[End, End]:
    """The end whose policies are asked, and the one at the other side."""
    own, other = flow.source, flow.target
    return (own, other) if direction is Direction.EGRESS else (other, own)


def same(one: End, other: End) -> bool:
    """Whether both are one and the same; a pod's name is enough, for its labels may change."""
    return one is other or (
        one.name == other.name and str(one) == str(other) and type(one) is type(other)
    )


def open_note(flow: Flow) -> str:
    """What leaves the whole flow open, whatever the policies say; empty if nothing does."""
    if same(flow.source, flow.target):
        return f"undefined: {flow.source} talks to itself, and CNIs differ about that"
    for end in (flow.source, flow.target):
        if isinstance(end, Pod) and end.host_network:
            return f"undefined: {end} is on the host network, and CNIs differ about such pods"
    return ""


def not_isolated(own: End, direction: Direction, adding: Sequence[NetworkPolicy]) -> str:
    """The reason of a side that no policy isolates; `adding` select it but only add."""
    way = direction.lower()
    if adding:
        return (
            f"{way} allowed: {own} is selected by {_names(adding)}, with enableDefaultDeny false "
            f"for {way}, so what no rule allows passes too"
        )
    return f"{way} allowed: no policy for {way} selects {own}"


def let_pass(other: End, direction: Direction, rules: Sequence[Numbered]) -> str:
    """The reason of an isolated side with these rules that let the flow pass."""
    # What passes by its label or address needs no lookup before: that says more.
    policy, number, rule = next((r for r in rules if not any(p.fqdn for p in r[2].peers)), rules[0])
    way = direction.lower()
    text = f"{way} allowed: {policy}, {way} rule {number} ({rule_words(rule)})"
    blocks_only = all(rule.peers and all(p.ip_block for p in rule.peers) for _, _, rule in rules)
    if blocks_only and isinstance(other, Pod):
        text += "; but ipBlock is meant for addresses outside of the cluster: CNIs differ on pods"
    return text + _by_address(other, rule)


def _by_address(other: End, rule: Rule) -> str:
    """What one has to know of a rule by name that lets an end pass."""
    names = [peer.fqdn for peer in rule.peers if peer.fqdn]
    if not names:
        return ""
    if any(matches(name, other.name) for name in names):
        return (
            "; toFQDNs works by address: Cilium opens those that its DNS proxy saw in the answer "
            "to the pod's lookup, so the pod must look the name up first, under rules.dns"
        )
    return (
        f"; {other.name} has another name, but toFQDNs works by address, and {other.ip} is also "
        "that of an allowed name: once that name is looked up, both are open"
    )


def name_refused(question: str, names: Sequence[str]) -> str:
    """The reason why a question to a name server is not answered; `names` are those that are."""
    return (
        f"DNS REFUSED: Cilium's DNS proxy answers {question} itself, for rules.dns lets this pod "
        f"ask about {' or '.join(map(name_words, names))} only"
    )


def left_open(flow: Flow, direction: Direction, policies: Sequence[NetworkPolicy]) -> str:
    """The reason of an isolated side on which the API, or what is known here, is silent."""
    own, _ = ends(flow, direction)
    what = "an ipBlock would decide about an address that is not known here"
    if flow.protocol is Protocol.ICMP:
        what = "NetworkPolicy speaks of TCP, UDP and SCTP only"
        if any(policy.kind == CILIUM_POLICY for policy in policies):
            what = "what a CiliumNetworkPolicy does to ICMP is not known here"
    return f"{direction.lower()} undefined: {own} is selected by {_names(policies)}, and {what}"


def denied(
    flow: Flow,
    direction: Direction,
    policies: Sequence[NetworkPolicy],
    rules: Sequence[Numbered],
    peers_fit: Sequence[Numbered],
) -> str:
    """The reason of an isolated side whose rules all miss the flow, some by the port alone."""
    own, other = ends(flow, direction)
    way = direction.lower()
    side = "to" if direction is Direction.EGRESS else "from"
    return (
        f"{way} DENIED: {own} is selected by {_names(policies)}; no rule allows {way} {side} "
        f"{who(other)}{port_words(flow)}{_near_miss(flow, direction, rules, peers_fit)}"
    )


def _names(policies: Sequence[NetworkPolicy]) -> str:
    return " and ".join(map(str, policies))


def _near_miss(
    flow: Flow, direction: Direction, rules: Sequence[Numbered], peers_fit: Sequence[Numbered]
) -> str:
    if not rules:
        return f" (there is no {direction.lower()} rule at all, which lets nobody pass)"
    # The commonest slip first: right peer, wrong port.
    for policy, number, rule in peers_fit:
        return f" (nearest: {policy}, rule {number}, {rule_words(rule)}; not this port)"
    _, other = ends(flow, direction)
    for policy, number, rule in rules:
        for peer in rule.peers:
            miss = _peer_miss(peer, policy, other)
            if miss:
                return f" (nearest: {policy}, rule {number}, {rule_words(rule)}; but {miss})"
    return ""


def _peer_miss(peer: Peer, policy: NetworkPolicy, other: End) -> str:
    """The one thing that keeps a peer from matching, where it is one that people stumble over."""
    if peer.ip_block is not None and peer.ip_block.outside_only and isinstance(other, Pod):
        return "the CIDRs of a CiliumNetworkPolicy never mean pods"
    if peer.ip_block is not None:
        cut = [part for part in peer.ip_block.except_ if within(other, part)]
        return f"{other.ip} is in the part cut out, {cut[0]}" if cut else ""
    if peer.entity is Entity.WORLD and isinstance(other, Pod):
        return "world is what lies outside of the cluster"
    if peer.fqdn and matches(peer.fqdn, other.name):
        return "no rules.dns sends a lookup through Cilium's DNS proxy, so it learns no address"
    if peer.fqdn and isinstance(other, External):
        return f"{other.name} has neither such a name nor the address of one"
    if peer.entity or peer.fqdn or isinstance(other, External) or peer.namespace_selector:
        return ""
    fits = other.namespace != policy.namespace and selects(
        peer.pod_selector or Selector(), other.labels
    )
    return f"that speaks of pods in namespace {policy.namespace} only" if fits else ""
