"""What the NetworkPolicies say of a flow, and why. Pure: no cluster is asked.

The rules, in order (Kubernetes docs, "Network Policies"; API reference, NetworkPolicy v1):

1. A pod is isolated for a direction if a policy of that direction selects it; otherwise all passes.
2. An isolated pod lets pass what at least one of those policies allows. Policies only add up.
3. A flow passes if the sender's egress and the receiver's ingress both let it.

The API leaves some flows open, and so do we (UNDEFINED): a pod to itself, host network pods, ICMP
where a policy isolates, and an ipBlock that would decide about an address that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.core.model import (
    Direction,
    External,
    Flow,
    IPBlock,
    Labels,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.words import port_words, rule_words, who

End = Pod | External


@dataclass(frozen=True, slots=True)
class Side:
    """One end's answer: who isolates it, which rules (policy, number from 1) let the flow pass, and why."""

    direction: Direction
    verdict: Verdict
    isolated_by: tuple[NetworkPolicy, ...]
    allowed_by: tuple[tuple[NetworkPolicy, int], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Both ends' answers and what they add up to."""

    verdict: Verdict
    egress: Side
    ingress: Side

    @property
    def reasons(self) -> tuple[str, ...]:
        """The two sides in words."""
        return (self.egress.reason, self.ingress.reason)


class Oracle:
    """The policies of one state, with each pod's own ones found once."""

    def __init__(self, topology: Topology, policies: Iterable[NetworkPolicy]) -> None:
        self._topology = topology
        self._policies = tuple(dict.fromkeys(policies))
        self._selecting: dict[tuple[str, Direction], tuple[NetworkPolicy, ...]] = {}
        self._peers: dict[tuple[int, str, str], Verdict] = {}

    def decide(self, flow: Flow) -> Decision:
        """The verdict of a flow with its reasons."""
        egress = self._side(flow, Direction.EGRESS)
        ingress = self._side(flow, Direction.INGRESS)
        return Decision(_both(flow, egress.verdict, ingress.verdict), egress, ingress)

    def verdict(self, flow: Flow) -> Verdict:
        """The verdict alone, faster."""
        return _both(
            flow, self._verdict(flow, Direction.EGRESS), self._verdict(flow, Direction.INGRESS)
        )

    def selecting(self, end: End, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate an end for a direction; nothing outside is ever isolated."""
        if isinstance(end, External):
            return ()
        key = (str(end), direction)
        if key not in self._selecting:
            self._selecting[key] = tuple(
                p
                for p in self._policies
                if p.namespace == end.namespace
                and direction in p.policy_types
                and selects(p.pod_selector, end.labels)
            )
        return self._selecting[key]

    def _verdict(self, flow: Flow, direction: Direction) -> Verdict:
        own, other = _ends(flow, direction)
        policies = self.selecting(own, direction)
        if not policies:
            return Verdict.ALLOW
        if flow.protocol is Protocol.ICMP:
            return Verdict.UNDEFINED
        open_question = False
        for policy in policies:
            for rule in _rules(policy, direction):
                match self._rule(policy, rule, other, flow):
                    case Verdict.ALLOW:
                        return Verdict.ALLOW
                    case Verdict.UNDEFINED:
                        open_question = True
        return Verdict.UNDEFINED if open_question else Verdict.DENY

    def _rule(self, policy: NetworkPolicy, rule: Rule, other: End, flow: Flow) -> Verdict:
        if rule.ports and not any(port_matches(port, flow) for port in rule.ports):
            return Verdict.DENY
        if not rule.peers:
            return Verdict.ALLOW
        found = {self._peer(policy, peer, other) for peer in rule.peers}
        for verdict in (Verdict.ALLOW, Verdict.UNDEFINED):
            if verdict in found:
                return verdict
        return Verdict.DENY

    def _peer(self, policy: NetworkPolicy, peer: Peer, other: End) -> Verdict:
        key = (id(peer), policy.namespace, str(other))
        if key not in self._peers:
            self._peers[key] = self._match(policy, peer, other)
        return self._peers[key]

    def _match(self, policy: NetworkPolicy, peer: Peer, other: End) -> Verdict:
        if peer.ip_block is not None:
            return _block(peer.ip_block, other)
        if isinstance(other, External):
            return Verdict.DENY
        if peer.namespace_selector is None:
            if other.namespace != policy.namespace:
                return Verdict.DENY
        else:
            space = self._topology.namespaces.get(other.namespace)
            if space is None or not selects(peer.namespace_selector, space.labels):
                return Verdict.DENY
        if peer.pod_selector is not None and not selects(peer.pod_selector, other.labels):
            return Verdict.DENY
        return Verdict.ALLOW

    def _side(self, flow: Flow, direction: Direction) -> Side:
        own, other = _ends(flow, direction)
        policies = self.selecting(own, direction)
        verdict = self._verdict(flow, direction)
        allowing = tuple(
            (policy, number)
            for policy in policies
            for number, rule in enumerate(_rules(policy, direction), 1)
            if self._rule(policy, rule, other, flow) is Verdict.ALLOW
        )
        reason = self._reason(flow, direction, verdict, policies, allowing)
        return Side(direction, verdict, policies, allowing, reason)

    def _reason(
        self,
        flow: Flow,
        direction: Direction,
        verdict: Verdict,
        policies: Sequence[NetworkPolicy],
        allowing: Sequence[tuple[NetworkPolicy, int]],
    ) -> str:
        own, other = _ends(flow, direction)
        way = direction.lower()
        if not policies:
            return f"{way} allowed: no policy for {way} selects {own}"
        names = " and ".join(map(str, policies))
        if verdict is Verdict.ALLOW:
            policy, number = allowing[0]
            return f"{way} allowed: {policy}, {way} rule {number} ({rule_words(_rules(policy, direction)[number - 1])})"
        if verdict is Verdict.UNDEFINED:
            return f"{way} undefined: {own} is selected by {names}, and {_open(flow)}"
        side = "to" if direction is Direction.EGRESS else "from"
        near = self._near_miss(flow, direction, policies)
        return (
            f"{way} DENIED: {own} is selected by {names}; no rule allows {way} {side} {who(other)}"
            f"{port_words(flow)}{near}"
        )

    def _near_miss(
        self, flow: Flow, direction: Direction, policies: Sequence[NetworkPolicy]
    ) -> str:
        """The rule that fits the peer but not the port: the commonest slip."""
        _, other = _ends(flow, direction)
        for policy in policies:
            for number, rule in enumerate(_rules(policy, direction), 1):
                bare = Rule(rule.peers)
                if rule.ports and self._rule(policy, bare, other, flow) is Verdict.ALLOW:
                    return f" (nearest: {policy}, rule {number}, {rule_words(rule)})"
        return ""


def decide(topology: Topology, policies: Iterable[NetworkPolicy], flow: Flow) -> Decision:
    """One flow's decision; for many flows of one state make an `Oracle`."""
    return Oracle(topology, policies).decide(flow)


def selects(selector: Selector, labels: Labels) -> bool:
    """Whether a label selector matches; one without requirements matches everything."""
    return all(_holds(requirement, labels) for requirement in selector.requirements)


def _holds(requirement: Requirement, labels: Labels) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case Operator.IN:
            return value in requirement.values
        case Operator.NOT_IN:
            # A missing label is not in any set of values (labels documentation).
            return value not in requirement.values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None


def port_matches(rule: PortRule, flow: Flow) -> bool:
    """Whether a port entry covers the flow's port; names are the receiving pod's own."""
    if rule.protocol is not flow.protocol:
        return False
    match rule.port:
        case None:
            return True
        case int():
            return rule.port <= flow.port <= (rule.end_port or rule.port)
        case str():
            return isinstance(flow.target, Pod) and any(
                p.name == rule.port and p.number == flow.port and p.protocol is flow.protocol
                for p in flow.target.ports
            )


def _block(block: IPBlock, other: End) -> Verdict:
    if other.ip is None:
        return Verdict.UNDEFINED
    inside = other.ip.version == block.cidr.version and other.ip in block.cidr
    cut = any(other.ip.version == cut.version and other.ip in cut for cut in block.except_)
    return Verdict.ALLOW if inside and not cut else Verdict.DENY


def _ends(flow: Flow, direction: Direction) -> tuple[End, End]:
    return (
        (flow.source, flow.target) if direction is Direction.EGRESS else (flow.target, flow.source)
    )


def _rules(policy: NetworkPolicy, direction: Direction) -> tuple[Rule, ...]:
    return policy.egress if direction is Direction.EGRESS else policy.ingress


def _both(flow: Flow, egress: Verdict, ingress: Verdict) -> Verdict:
    if _is_open(flow):
        return Verdict.UNDEFINED
    if Verdict.DENY in (egress, ingress):
        return Verdict.DENY
    return Verdict.UNDEFINED if Verdict.UNDEFINED in (egress, ingress) else Verdict.ALLOW


def _is_open(flow: Flow) -> bool:
    host = any(isinstance(end, Pod) and end.host_network for end in (flow.source, flow.target))
    return host or flow.source == flow.target


def _open(flow: Flow) -> str:
    if flow.protocol is Protocol.ICMP:
        return "NetworkPolicy speaks of TCP, UDP and SCTP only"
    return "an ipBlock would decide about an address that is not known here"
