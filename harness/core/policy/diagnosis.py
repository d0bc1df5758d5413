"""Why a flow is blocked, and the smallest rule that would open it. Pure: no cluster is asked.

For each end that drops the flow: the policies that isolate it there, the rule that comes nearest,
what that rule lacks, and a policy that opens this one flow. The policy is a remedy, not advice:
most blocked flows are blocked on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from harness.core.ask import Flow
from harness.core.fqdn import matches
from harness.core.model import (
    Direction,
    Entity,
    External,
    IPBlock,
    Labels,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    PortRule,
    Requirement,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.decision import Side
from harness.core.policy.oracle import Oracle
from harness.core.policy.reasons import ends
from harness.core.policy.selectors import NAME_LABEL, End, in_block, selects
from harness.core.policy.words import rule_words

SUGGESTED = "suggested"
"""The name of a policy that a diagnosis suggests, with its direction behind it."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The rule that misses the flow by least: its number, from 1, and each thing that it lacks."""

    policy: NetworkPolicy
    number: int
    rule: Rule
    lacks: tuple[str, ...]

    def __str__(self) -> str:
        words = f"{self.policy}, rule {self.number} ({rule_words(self.rule)})"
        return f"{words} lacks {' and '.join(self.lacks)}"


@dataclass(frozen=True, slots=True)
class Block:
    """One end that drops the flow. `nearest` is None where there is no rule at all.

    `remedy` opens this flow at this end; it isolates nobody who was not, so it closes nothing.
    """

    direction: Direction
    policies: tuple[NetworkPolicy, ...]
    reason: str
    nearest: Nearest | None
    remedy: NetworkPolicy


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A flow's verdict, the reasons of both ends, and the blocks, sender first."""

    flow: Flow
    verdict: Verdict
    reasons: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def reading(self) -> Reading:
        """The end at which the packets are dropped, and who isolates it there.

        That is the first of the blocks: what the sender's end drops never comes to the receiver's.
        """
        if not self.blocks:
            return dropped(None, ())
        return dropped(self.blocks[0].direction, (p.name for p in self.blocks[0].policies))


def dropped(direction: Direction | None, policies: Iterable[str]) -> Reading:
    """The end of a drop as an outcome table writes it: `Egress by one, two`, or `nothing`."""
    words = f"{direction} by {', '.join(sorted(policies))}" if direction else "nothing"
    return Reading(Outcome.SHOWS, words)


def diagnose(topology: Topology, policies: Iterable[NetworkPolicy], flow: Flow) -> Diagnosis:
    """Which ends block the flow, and what would open each.

    A flow that the API leaves open (a pod to itself, the host network, ICMP) has no blocks.
    """
    decision = Oracle(topology, policies).decide(flow)
    blocks: tuple[Block, ...] = ()
    if decision.verdict is Verdict.DENY:
        sides = (decision.egress, decision.ingress)
        blocks = tuple(_block(topology, flow, s) for s in sides if s.verdict is Verdict.DENY)
    return Diagnosis(flow, decision.verdict, decision.reasons, blocks)


def _block(topology: Topology, flow: Flow, side: Side) -> Block:
    own, other = ends(flow, side.direction)
    assert isinstance(own, Pod)  # noqa: S101 - nothing outside is ever isolated
    nearest = _nearest(topology, flow, other, side)
    remedy = _remedy(flow, own, other, side)
    return Block(side.direction, side.isolated_by, side.reason, nearest, remedy)


def _nearest(topology: Topology, flow: Flow, other: End, side: Side) -> Nearest | None:
    found = [
        Nearest(policy, number, rule, tuple(_lacks(topology, policy, rule, flow, other)))
        for policy in side.isolated_by
        for number, rule in enumerate(_rules(policy, side.direction), 1)
    ]
    return min(found, key=lambda nearest: len(nearest.lacks), default=None)


def _rules(policy: NetworkPolicy, direction: Direction) -> tuple[Rule, ...]:
    return policy.egress if direction is Direction.EGRESS else policy.ingress


def _lacks(
    topology: Topology, policy: NetworkPolicy, rule: Rule, flow: Flow, other: End
) -> Iterable[str]:
    """Every thing that the rule lacks for the flow, taken from its best peer and its ports."""
    misses = [_peer_lacks(topology, policy, peer, other) for peer in rule.peers]
    yield from min(misses, key=len, default=[])
    if rule.ports and not any(_covers(port, flow) for port in rule.ports):
        if any(_covers(PortRule(flow.protocol, p.port, p.end_port), flow) for p in rule.ports):
            yield f"the protocol {flow.protocol}"
        else:
            yield f"the port {flow.protocol} {flow.port}"


def _covers(port: PortRule, flow: Flow) -> bool:
    if port.protocol not in (None, flow.protocol):
        return False
    if port.port is None:
        return True
    if isinstance(port.port, int):
        return port.port <= flow.port <= (port.end_port or port.port)
    listening = flow.target.ports if isinstance(flow.target, Pod) else ()
    return any(
        (p.name, p.number, p.protocol) == (port.port, flow.port, flow.protocol) for p in listening
    )


def _peer_lacks(topology: Topology, policy: NetworkPolicy, peer: Peer, other: End) -> list[str]:
    if peer.ip_block is not None:
        return [] if in_block(peer.ip_block, other) else [f"the address of {other}"]
    if peer.entity is not None or peer.fqdn:
        return [] if _means(peer, other) else [f"the end {other}"]
    if isinstance(other, External):
        return [f"an ipBlock for {other}, which is outside of the cluster"]
    found = []
    if peer.namespace_selector is None:
        if other.namespace != policy.namespace:
            found.append(f"a namespaceSelector for {other.namespace}")
    elif not selects(peer.namespace_selector, _labels_of(topology, other.namespace)):
        found.append(f"the namespace {other.namespace}")
    if not selects(peer.pod_selector or Selector(), other.labels):
        found.append(f"the pod {other} ({_told(other.labels)})")
    return found


def _means(peer: Peer, other: End) -> bool:
    """Whether an entity or a name of a CiliumNetworkPolicy means that end."""
    if peer.fqdn:
        return isinstance(other, External) and matches(peer.fqdn, other.name)
    place = Entity.WORLD if isinstance(other, External) else Entity.CLUSTER
    return peer.entity in (place, Entity.ALL)


def _labels_of(topology: Topology, namespace: str) -> Labels:
    known = topology.namespaces.get(namespace)
    return known.labels if known else {NAME_LABEL: namespace}


def _told(labels: Labels) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"


def _remedy(flow: Flow, own: Pod, other: End, side: Side) -> NetworkPolicy:
    rule = Rule((_peer_for(own, other),), (PortRule(flow.protocol, flow.port),))
    egress = side.direction is Direction.EGRESS
    return NetworkPolicy(
        own.namespace,
        f"{SUGGESTED}-{side.direction.lower()}",
        _only(own, side.isolated_by[0]),
        frozenset({side.direction}),
        ingress=() if egress else (rule,),
        egress=(rule,) if egress else (),
    )


def _only(own: Pod, isolating: NetworkPolicy) -> Selector:
    """As narrow as labels can say, and never wider than a policy that isolates the pod already.

    A policy isolates all that it selects, so one that only opens must select isolated pods alone.
    Of the isolating policy's requirements, those on keys that the pod has hold by its labels.
    """
    rest = (r for r in isolating.pod_selector.requirements if r.key not in own.labels)
    return Selector((*_exactly(own.labels).requirements, *rest))


def _peer_for(own: Pod, other: End) -> Peer:
    if isinstance(other, External):
        return Peer(ip_block=IPBlock(ip_network(other.ip)))
    pods = _exactly(other.labels)
    if other.namespace == own.namespace:
        return Peer(pod_selector=pods)
    return Peer(pods, _exactly({NAME_LABEL: other.namespace}))


def _exactly(labels: Labels) -> Selector:
    return Selector(
        tuple(Requirement(k, Operator.IN, frozenset({v})) for k, v in sorted(labels.items()))
    )
