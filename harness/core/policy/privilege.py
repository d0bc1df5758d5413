"""Least privilege: what policies allow beyond the flows that are wanted. No cluster is asked.

It is one question from two sides. From the rules: which rules, peers and ports does no wanted flow
need? From the flows: which flows pass though nobody wants them, and which wanted flows do not pass?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.core.ask import Flow
from harness.core.model import (
    NETWORK_POLICY,
    Direction,
    External,
    NetworkPolicy,
    Protocol,
    Rule,
    Topology,
)
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.nearest import ends
from harness.core.policy.oracle import Oracle
from harness.core.world import EXTERNAL_PORTS


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
        unused=tuple(
            part
            for policy in policies
            if policy.kind == NETWORK_POLICY  # Cilium's rules by name serve only together
            for part in _unused(topology, policy, wanted)
        ),
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


def _unused(topology: Topology, policy: NetworkPolicy, wanted: Sequence[Flow]) -> Iterator[Unused]:
    for direction in sorted(policy.policy_types):
        for number, rule in enumerate(policy.rules(direction), 1):
            whole = Unused(policy, direction, number)
            if not _serves(topology, policy, direction, rule, wanted):
                yield whole
                continue
            for count, peer in enumerate(rule.peers, 1):
                if not _serves(topology, policy, direction, replace(rule, peers=(peer,)), wanted):
                    yield replace(whole, peer=count)
            for count, port in enumerate(rule.ports, 1):
                if not _serves(topology, policy, direction, replace(rule, ports=(port,)), wanted):
                    yield replace(whole, port=count)


def _serves(
    topology: Topology,
    policy: NetworkPolicy,
    direction: Direction,
    rule: Rule,
    wanted: Sequence[Flow],
) -> bool:
    """Whether some wanted flow passes this end by this rule alone; an undefined flow counts as one.

    The other end is ignored: a flow needs the rules of both ends.
    """
    egress = direction is Direction.EGRESS
    alone = replace(
        policy,
        policy_types=frozenset({direction}),
        ingress=() if egress else (rule,),
        egress=(rule,) if egress else (),
    )
    oracle = Oracle(topology, (alone,))
    return any(
        oracle.selecting(ends(flow, direction)[0], direction)
        and oracle.verdict(flow) is not Verdict.DENY
        for flow in wanted
    )
