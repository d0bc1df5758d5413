"""Why a flow is blocked, and the smallest rule that would open it. Pure: no cluster is asked.

For each end that drops the flow: the policies that isolate it there, the rule that comes nearest,
what that rule lacks, and a policy that opens this one flow. The policy is a remedy, not advice:
most blocked flows are blocked on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from harness.core.model import (
    Direction,
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
from harness.core.policy.nearest import Nearest, ends
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import NAME_LABEL, End
from harness.core.target.ask import Flow

SUGGESTED = "suggested"
"""The name of a policy that a diagnosis suggests, with its direction behind it."""


@dataclass(frozen=True, slots=True)
class Block:
    """One end that drops the flow. `nearest` is None where there is no rule at all.

    `remedy` is a policy that opens this flow at this end. It isolates only pods that are isolated
    already, so it closes no other flow. It is None where the other end has no known address by
    which a NetworkPolicy could name it.
    """

    direction: Direction
    policies: tuple[NetworkPolicy, ...]
    reason: str
    nearest: Nearest | None
    remedy: NetworkPolicy | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A flow's verdict, the reasons of both ends, the blocks and the ends, sender first."""

    flow: Flow
    verdict: Verdict
    reasons: tuple[str, ...]
    blocks: tuple[Block, ...]
    sides: tuple[Side, Side]

    @property
    def remedies(self) -> tuple[NetworkPolicy, ...]:
        """The policies that open the flow: one for each end that drops it, if there can be one."""
        return tuple(block.remedy for block in self.blocks if block.remedy)

    @property
    def reading(self) -> Reading:
        """The end at which the packets are dropped, and who isolates it there.

        That is the first of the blocks: a packet that the sender's end drops never arrives.
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
    return diagnosed(Oracle(topology, policies), flow)


def diagnosed(oracle: Oracle, flow: Flow) -> Diagnosis:
    """The diagnosis of a flow by an oracle that is there already."""
    decision = oracle.decide(flow)
    blocks: tuple[Block, ...] = ()
    sides = (decision.egress, decision.ingress)
    if decision.verdict is Verdict.DENY:
        blocks = tuple(_block(flow, s) for s in sides if s.verdict is Verdict.DENY)
    return Diagnosis(flow, decision.verdict, decision.reasons, blocks, sides)


def _block(flow: Flow, side: Side) -> Block:
    own, other = ends(flow, side.direction)
    assert isinstance(own, Pod)  # noqa: S101 - nothing outside is ever isolated
    nameless = isinstance(other, External) and other.ip is None
    remedy = None if nameless else _remedy(flow, own, other, side)
    return Block(side.direction, side.isolated_by, side.reason, side.nearest, remedy)


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
    """A selector for the pod, as narrow as labels allow, of pods that are isolated already.

    A policy isolates every pod that it selects, so the remedy must select no more pods than the
    isolating policy. Its requirements on keys that the pod has are kept by the pod's own labels.
    """
    rest = (r for r in isolating.pod_selector.requirements if r.key not in own.labels)
    return Selector((*_exactly(own.labels).requirements, *rest))


def _peer_for(own: Pod, other: End) -> Peer:
    if isinstance(other, External):
        assert other.ip is not None  # noqa: S101 - else no remedy is asked for
        return Peer(ip_block=IPBlock(ip_network(other.ip)))
    pods = _exactly(other.labels)
    if other.namespace == own.namespace:
        return Peer(pod_selector=pods)
    return Peer(pods, _exactly({NAME_LABEL: other.namespace}))


def _exactly(labels: Labels) -> Selector:
    return Selector(
        tuple(Requirement(k, Operator.IN, frozenset({v})) for k, v in sorted(labels.items()))
    )
