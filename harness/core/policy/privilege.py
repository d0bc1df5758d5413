"""Least privilege: what policies allow beyond the flows that are wanted. No cluster is asked.

It is one question from two sides. From the rules: which rules, peers and ports does no wanted flow
need? From the flows: which flows pass though nobody wants them, and which wanted flows do not pass?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.core.model import (
    Direction,
    Entity,
    External,
    NetworkPolicy,
    Peer,
    PortRule,
    Protocol,
    Rule,
    Topology,
)
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.nearest import ends
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import End
from harness.core.target.ask import Flow
from harness.core.target.internet import EXTERNAL_PORTS


@dataclass(frozen=True, slots=True)
class Unused:
    """A part of a rule that no wanted flow uses.

    `rule`, `peer` and `port` are numbers, counted from 1; `peer` and `port` are 0 where the whole
    rule is meant.
    """

    policy: NetworkPolicy
    direction: Direction
    rule: int
    peer: int = 0
    port: int = 0

    def __str__(self) -> str:
        part = f" peer {self.peer}" if self.peer else f" port {self.port}" if self.port else ""
        return f"{self.policy} {self.direction.lower()} rule {self.rule}{part}"


@dataclass(frozen=True, slots=True)
class Privilege:
    """The unused parts of rules, the unwanted flows that pass, and the wanted ones that do not."""

    unused: tuple[Unused, ...]
    unwanted: tuple[Flow, ...]
    missing: tuple[Flow, ...]

    @property
    def unused_reading(self) -> Reading:
        """The unused parts of rules, as an outcome table writes them."""
        return Reading(Outcome.SHOWS, ", ".join(map(str, self.unused)) or "none")

    @property
    def flows_reading(self) -> Reading:
        """The numbers of unwanted and of missing flows, as an outcome table writes them."""
        return flows_reading(self.unwanted, self.missing)


def flows_reading(unwanted: Iterable[Flow], missing: Iterable[Flow]) -> Reading:
    """Two numbers of flows, as an outcome table writes them.

    Everything outside of the cluster counts as one end.
    """
    ends = {(str(flow.source), *_place(flow)) for flow in unwanted}
    return Reading(Outcome.SHOWS, f"{len(ends)} unwanted, {len(list(missing))} missing")


def _place(flow: Flow) -> tuple[str, int]:
    outside = isinstance(flow.target, External)
    return ("", 0) if outside else (f"{flow.target} {flow.protocol}", flow.port)


def privilege_of(
    topology: Topology, policies: Iterable[NetworkPolicy], wanted: Sequence[Flow]
) -> Privilege:
    """Measure policies by the flows that are wanted."""
    policies = tuple(policies)
    listed = set(wanted)
    oracle = Oracle(topology, policies)
    return Privilege(
        unused=tuple(unused_parts(topology, policies, wanted)),
        unwanted=tuple(
            flow
            for flow in every_flow(topology)
            if flow not in listed and oracle.verdict(flow) is Verdict.ALLOW
        ),
        missing=tuple(flow for flow in wanted if oracle.verdict(flow) is Verdict.DENY),
    )


def every_flow(topology: Topology) -> Iterator[Flow]:
    """Every pod, but for those of kube-system, to every port on which some other end listens."""
    for source in topology.pods.values():
        if source.namespace == "kube-system":
            continue
        for pod in topology.pods.values():
            if pod is not source:
                for port in pod.ports:
                    yield Flow(source, pod, port.number, port.protocol)
        for outside in topology.external.values():
            for number in sorted(EXTERNAL_PORTS):
                yield Flow(source, outside, number, Protocol.TCP)


def unused_parts(
    topology: Topology, policies: Iterable[NetworkPolicy], wanted: Sequence[Flow]
) -> Iterator[Unused]:
    """The parts of rules that none of these flows needs, policy by policy."""
    flows = {direction: _by_own_end(wanted, direction) for direction in Direction}
    for policy in policies:
        for direction in sorted(policy.policy_types):
            alone = _Alone(topology, policy, direction, flows[direction])
            for number, rule in enumerate(policy.rules(direction), 1):
                yield from _unused(alone, Unused(policy, direction, number), rule)


def _by_own_end(wanted: Iterable[Flow], direction: Direction) -> list[tuple[End, list[Flow]]]:
    found: dict[int, tuple[End, list[Flow]]] = {}
    for flow in wanted:
        own, _ = ends(flow, direction)
        # By identity: hashing a pod would cost more than all the rest.
        found.setdefault(id(own), (own, []))[1].append(flow)
    return list(found.values())


def _unused(alone: _Alone, whole: Unused, rule: Rule) -> Iterator[Unused]:
    if not alone.serves(rule):
        yield whole
        return
    if len(rule.peers) > 1:
        for count, peer in enumerate(rule.peers, 1):
            if not alone.serves(replace(rule, peers=(peer,))):
                yield replace(whole, peer=count)
    if len(rule.ports) > 1:
        for count, port in enumerate(rule.ports, 1):
            if not alone.serves(replace(rule, ports=(port,))):
                yield replace(whole, port=count)


class _Alone:
    """One direction of a policy by itself, and the wanted flows whose own end it selects.

    The other end is ignored: a flow needs the rules of both ends. Names open nothing without a
    lookup that Cilium's DNS proxy sees, so that a rule which lets nobody pass sees all lookups.
    """

    def __init__(
        self,
        topology: Topology,
        policy: NetworkPolicy,
        direction: Direction,
        wanted: Iterable[tuple[End, Sequence[Flow]]],
    ) -> None:
        self._topology = topology
        self._policy = replace(policy, policy_types=frozenset({direction}), ingress=(), egress=())
        self._direction = direction
        oracle = Oracle(topology, (self._policy,))
        self._wanted = [
            flow for own, flows in wanted if oracle.selecting(own, direction) for flow in flows
        ]

    def serves(self, rule: Rule) -> bool:
        """Whether some wanted flow passes by this rule alone; an undefined flow counts as one."""
        if not self._wanted:
            return False
        if self._direction is Direction.INGRESS:
            policy = replace(self._policy, ingress=(rule,))
        else:
            policy = replace(self._policy, egress=(rule, _LOOKUPS) if _named(rule) else (rule,))
        oracle = Oracle(self._topology, (policy,))
        return any(oracle.verdict(flow) is not Verdict.DENY for flow in self._wanted)


def _named(rule: Rule) -> bool:
    return any(peer.fqdn for peer in rule.peers)


_LOOKUPS = Rule((Peer(entity=Entity.NONE),), (PortRule(Protocol.UDP, 53, dns=("*",)),))
