"""What the policies of both kinds say about a flow, and why. Pure: no cluster is asked.

The rules, in order (Kubernetes docs, "Network Policies"; API reference, NetworkPolicy v1; Cilium
1.20.2, pkg/policy/repository.go):

1. A pod is isolated for a direction if a policy of that direction selects it. A policy that only
   adds does not isolate. A pod that is not isolated lets every flow pass.
2. An isolated pod lets a flow pass if at least one policy allows it. No policy takes away what
   another one allows.
3. A flow passes if the sender's egress and the receiver's ingress both let it. Replies pass.
4. Names are enforced by address: an allowed name opens its address outside of the cluster. The pod
   must have looked the name up before, through Cilium's DNS proxy; as long as no policy has
   rules.dns, no lookup goes through the proxy, and names open nothing.

The API leaves some flows open, and so do we (UNDEFINED): a pod to itself, host network pods, ICMP
where a policy isolates, and an ipBlock that would decide about an address that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.ask import Flow
from harness.core.model import Direction, External, NetworkPolicy, Pod, Protocol, Rule, Topology
from harness.core.outcome import Verdict
from harness.core.policy.decision import Decision, Side, both
from harness.core.policy.nearest import Numbered, ends, nearest
from harness.core.policy.reasons import (
    denied,
    left_open,
    let_pass,
    not_isolated,
    open_note,
    same,
)
from harness.core.policy.selectors import NOBODY, Crowd, End, Mask, Match


@dataclass(frozen=True, slots=True)
class _Clause:
    """One rule of one policy, and the ends that its peers pick, whatever the port."""

    policy: NetworkPolicy
    number: int
    rule: Rule
    peers: Match


@dataclass(frozen=True, slots=True)
class _Isolation:
    """One direction of all policies.

    `policies` has each policy with the set of pods that it selects and with its rules; `isolated`
    is the set of pods that at least one of them isolates.
    """

    direction: Direction
    policies: tuple[tuple[NetworkPolicy, Mask, tuple[_Clause, ...]], ...]
    isolated: Mask


_Passing = dict[tuple[int, int, str], Match]


class Oracle:
    """The policies of one state. What does not depend on a flow is worked out once, at first."""

    def __init__(self, topology: Topology, policies: Iterable[NetworkPolicy]) -> None:
        self.topology = topology
        self._policies = tuple(policies)
        self._crowd = Crowd(
            (*topology.pods.values(), *topology.external.values()),
            topology.namespaces,
            learns_names=any(
                p.dns for policy in self._policies for r in policy.egress for p in r.ports
            ),
        )
        self._numbers = self._crowd.numbers
        self._known = {_name(end): end for end in self._crowd.ends}
        self._egress = self._isolation(Direction.EGRESS)
        self._ingress = self._isolation(Direction.INGRESS)
        self._passing: dict[Direction, _Passing] = {direction: {} for direction in Direction}
        self._outgoing = self._passing[Direction.EGRESS]
        self._incoming = self._passing[Direction.INGRESS]

    def decide(self, flow: Flow) -> Decision:
        """The verdict of a flow with its reasons."""
        if id(flow.source) not in self._numbers or id(flow.target) not in self._numbers:
            oracle, flow = self._introduced(flow)
            return oracle.decide(flow)
        egress = self._side(flow, self._egress)
        ingress = self._side(flow, self._ingress)
        note = open_note(flow)
        return Decision(both(note, egress.verdict, ingress.verdict), egress, ingress, note)

    def verdict(self, flow: Flow) -> Verdict:
        """The verdict without its reasons, which is far faster."""
        try:
            sender = self._numbers[id(flow.source)]
            receiver = self._numbers[id(flow.target)]
        except KeyError:
            oracle, flow = self._introduced(flow)
            return oracle.verdict(flow)
        from_bit, to_bit = 1 << sender, 1 << receiver
        if (from_bit | to_bit) & self._crowd.on_host_network or same(flow.source, flow.target):
            return Verdict.UNDEFINED
        verdict = Verdict.ALLOW
        key = flow.port, flow.protocol
        if self._egress.isolated & from_bit:
            found = self._outgoing.get((sender, *key)) or self._find(self._egress, sender, *key)
            if not found.certain & to_bit:
                if not found.open & to_bit:
                    return Verdict.DENY
                verdict = Verdict.UNDEFINED
        if self._ingress.isolated & to_bit:
            found = self._incoming.get((receiver, *key)) or self._find(
                self._ingress, receiver, *key
            )
            if not found.certain & from_bit:
                return Verdict.UNDEFINED if found.open & from_bit else Verdict.DENY
        return verdict

    def selecting(self, end: End, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate an end for a direction; only pods are ever isolated."""
        number = self._numbers.get(id(end))
        if number is None:
            oracle, flow = self._introduced(Flow(end, end, 0))
            return oracle.selecting(flow.source, direction)
        return tuple(
            policy
            for policy, mask, _ in self._of(direction).policies
            if mask >> number & 1 and direction not in policy.adds_only
        )

    def askable(self, flow: Flow) -> tuple[str, ...] | None:
        """The names about which a name server can be asked over this flow; None: every name.

        Only a port with rules.dns sends questions through Cilium's DNS proxy, which refuses every
        other question. The proxy knows only the rules for exactly this port. A rule for it without
        rules.dns lets every name pass; a rule for all ports, a range or a port's name does not
        (Cilium 1.20.2, pkg/policy/rule.go, mergePortProto; pkg/fqdn/dnsproxy/proxy.go,
        CheckAllowed).
        """
        if id(flow.source) not in self._numbers or id(flow.target) not in self._numbers:
            oracle, flow = self._introduced(flow)
            return oracle.askable(flow)
        own, other = self._numbers[id(flow.source)], self._numbers[id(flow.target)]
        if not self._egress.isolated >> own & 1:
            return None
        found = [
            entry.dns
            for _, mask, clauses in self._egress.policies
            if mask >> own & 1
            for clause in clauses
            if clause.peers.certain >> other & 1
            for entry in clause.rule.ports
            if (entry.port, entry.end_port) == (flow.port, None)
            and entry.protocol in (None, flow.protocol)
        ]
        if not any(found) or not all(found):
            return None
        return tuple(sorted({name for names in found for name in names}))

    def _introduced(self, flow: Flow) -> tuple[Oracle, Flow]:
        """The same flow between ends that an oracle knows, with that oracle.

        For an end that this oracle does not know, it is a temporary oracle that does.
        """
        source, target = (self._known.get(_name(end)) for end in (flow.source, flow.target))
        source = source if source == flow.source else None
        target = target if target == flow.target else None
        flow = Flow(source or flow.source, target or flow.target, flow.port, flow.protocol)
        if source and target:
            return self, flow
        pods, external = dict(self.topology.pods), dict(self.topology.external)
        for number, end in enumerate((flow.source, flow.target)):
            match end:
                case Pod():
                    pods[f"stranger {number}"] = end
                case External():
                    external[f"stranger {number}"] = end
        spaces, services = self.topology.namespaces, self.topology.services
        return Oracle(Topology(spaces, pods, services, external), self._policies), flow

    def _isolation(self, direction: Direction) -> _Isolation:
        found = []
        isolated = 0
        for policy in dict.fromkeys(self._policies):
            mask = self._crowd.selected_by(policy) if direction in policy.policy_types else 0
            if mask:
                isolated |= 0 if direction in policy.adds_only else mask
                found.append((policy, mask, self._clauses(policy, direction)))
        return _Isolation(direction, tuple(found), isolated)

    def _clauses(self, policy: NetworkPolicy, direction: Direction) -> tuple[_Clause, ...]:
        return tuple(
            _Clause(policy, number, rule, self._peers(rule, policy.namespace))
            for number, rule in enumerate(policy.rules(direction), 1)
        )

    def _peers(self, rule: Rule, home: str) -> Match:
        if not rule.peers:
            return Match(self._crowd.everyone)
        found = NOBODY
        for peer in rule.peers:
            found |= self._crowd.peer(peer, home)
        return found

    def _of(self, direction: Direction) -> _Isolation:
        return self._egress if direction is Direction.EGRESS else self._ingress

    def _find(self, isolation: _Isolation, own: int, port: int, protocol: Protocol) -> Match:
        """The ends that an isolated end lets pass on a port; kept for the next flow."""
        found = NOBODY
        if protocol is Protocol.ICMP:
            found = Match(0, self._crowd.everyone)
        else:
            for _, mask, clauses in isolation.policies:
                if mask >> own & 1:
                    for clause in clauses:
                        found |= self._lets(isolation.direction, clause, own, port, protocol)
        self._passing[isolation.direction][own, port, protocol] = found
        return found

    def _lets(
        self, direction: Direction, clause: _Clause, own: int, port: int, protocol: Protocol
    ) -> Match:
        receivers = self._crowd.receivers(clause.rule.ports, port, protocol)
        if direction is Direction.EGRESS:
            return clause.peers & receivers
        return clause.peers if receivers >> own & 1 else NOBODY

    def _side(self, flow: Flow, isolation: _Isolation) -> Side:
        direction = isolation.direction
        own, other = ends(flow, direction)
        number, bit = self._numbers[id(own)], self._crowd.bit(other)
        mine = [entry for entry in isolation.policies if entry[1] >> number & 1]
        if not isolation.isolated >> number & 1:
            adding = [policy for policy, _, _ in mine]
            return Side(direction, Verdict.ALLOW, (), (), not_isolated(own, direction, adding))
        policies = tuple(policy for policy, _, _ in mine if direction not in policy.adds_only)
        clauses = [clause for _, _, found in mine for clause in found]
        found = self._find(isolation, number, flow.port, flow.protocol)
        if found.certain & bit:
            passing = self._passing_rules(flow, isolation, clauses)
            reason = let_pass(other, direction, passing)
            allowed = tuple((policy, count) for policy, count, _ in passing)
            return Side(direction, Verdict.ALLOW, policies, allowed, reason)
        if found.open & bit:
            reason = left_open(flow, direction, policies)
            return Side(direction, Verdict.UNDEFINED, policies, (), reason)
        rules = [(c.policy, c.number, c.rule) for c in clauses]
        miss = nearest(self._crowd, flow, direction, rules)
        reason = denied(flow, direction, policies, miss)
        return Side(direction, Verdict.DENY, policies, (), reason, miss)

    def _passing_rules(
        self, flow: Flow, isolation: _Isolation, clauses: Iterable[_Clause]
    ) -> list[Numbered]:
        own, other = ends(flow, isolation.direction)
        number, bit = self._numbers[id(own)], self._crowd.bit(other)
        return [
            (c.policy, c.number, c.rule)
            for c in clauses
            if self._lets(isolation.direction, c, number, flow.port, flow.protocol).certain & bit
        ]


def decide(topology: Topology, policies: Iterable[NetworkPolicy], flow: Flow) -> Decision:
    """One flow's decision; for many flows of one state make an `Oracle`."""
    return Oracle(topology, policies).decide(flow)


def _name(end: End) -> tuple[type, str]:
    return type(end), str(end)
