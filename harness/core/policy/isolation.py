"""One direction of all policies: who is isolated, and whom each end lets pass on a port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.core.model import (
    NETWORK_POLICY,
    Direction,
    NetworkPolicy,
    PortRule,
    Protocol,
    Rule,
)
from harness.core.outcome import Verdict
from harness.core.policy.decision import Side
from harness.core.policy.nearest import Numbered, ends, nearest
from harness.core.policy.reasons import (
    denied,
    forbidden,
    left_open,
    let_pass,
    not_isolated,
    pass_in_part,
)
from harness.core.policy.selectors import NOBODY, Crowd, Mask, Match
from harness.core.target.ask import Flow


@dataclass(frozen=True, slots=True)
class _Clause:
    """One rule of one policy, and whom it matches as far as addresses and labels go.

    `named` are those whom it matches by name, which counts for pods whose lookups are seen.
    """

    policy: NetworkPolicy
    number: int
    rule: Rule
    peers: Match
    named: Mask

    @property
    def numbered(self) -> Numbered:
        """The rule with its policy and number."""
        return self.policy, self.number, self.rule


@dataclass(frozen=True, slots=True)
class _Selected:
    """A policy in one direction: the pods that it selects, and its rules that allow and deny."""

    policy: NetworkPolicy
    pods: Match
    isolates: bool
    allows: tuple[_Clause, ...]
    denies: tuple[_Clause, ...]

    def about(self, number: int) -> bool:
        """Whether it selects an end, or may do so."""
        return bool((self.pods.certain | self.pods.open) >> number & 1)

    def surely(self, number: int) -> bool:
        """Whether it selects an end for certain."""
        return bool(self.pods.certain >> number & 1)


class Isolation:
    """The policies of one direction, worked out for a crowd.

    `concerned` are the ends for which rules must be looked at: the isolated, for certain or
    perhaps, and those that a policy with denying rules selects; all others let everything pass.
    `kept` holds what `passing` has worked out, by end, port and protocol. `any_protocol`: a rule
    without ports is for ICMP as well, which the API leaves open.
    """

    def __init__(
        self,
        crowd: Crowd,
        policies: Iterable[NetworkPolicy],
        direction: Direction,
        *,
        any_protocol: bool = False,
    ) -> None:
        self.direction = direction
        self.kept: dict[tuple[int, int, str], Match] = {}
        self.concerned: Mask = 0
        self._crowd = crowd
        self._any_protocol = any_protocol
        self._isolated = NOBODY
        self._policies = tuple(self._select(policies))

    def _select(self, policies: Iterable[NetworkPolicy]) -> Iterator[_Selected]:
        direction = self.direction
        for policy in policies:
            pods = self._crowd.selection(policy) if direction in policy.policy_types else NOBODY
            if not pods.certain | pods.open:
                continue
            isolates = direction not in policy.adds_only
            allows = self._clauses(policy, policy.rules(direction))
            denies = self._clauses(policy, policy.denials(direction))
            self._isolated |= pods if isolates else NOBODY
            self.concerned |= pods.certain | pods.open if isolates or denies else 0
            yield _Selected(policy, pods, isolates, allows, denies)

    def _clauses(self, policy: NetworkPolicy, rules: Sequence[Rule]) -> tuple[_Clause, ...]:
        return tuple(
            _Clause(policy, number, rule, *self._peers(rule, policy.namespace))
            for number, rule in enumerate(rules, 1)
        )

    def _peers(self, rule: Rule, home: str) -> tuple[Match, Mask]:
        found, named = NOBODY, 0
        for peer in rule.peers:
            if peer.fqdn:
                named |= self._crowd.peer(peer, home).certain
            else:
                found |= self._crowd.peer(peer, home)
        found = found if rule.peers else Match(self._crowd.everyone)
        return (found.doubted(self._crowd.everyone) if rule.proviso else found), named

    def learners(self) -> Mask:
        """The pods whose lookups go through Cilium's DNS proxy: those that rules.dns select."""
        found = 0
        for entry in self._policies:
            if any(port.dns for clause in entry.allows for port in clause.rule.ports):
                found |= entry.pods.certain
        return found

    def selecting(self, own: int) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate an end for certain."""
        return tuple(e.policy for e in self._policies if e.isolates and e.surely(own))

    def about(self, own: int) -> tuple[NetworkPolicy, ...]:
        """The policies that select an end, or may do so: all that decides about it."""
        return tuple(e.policy for e in self._policies if e.about(own))

    def isolates(self, own: int) -> bool:
        """Whether an end is isolated for certain."""
        return bool(self._isolated.certain >> own & 1)

    def entries(self, own: int, other: Mask, port: int, protocol: Protocol) -> list[PortRule]:
        """The ports of the rules that let another end pass, of those for this very port."""
        return [
            entry
            for selected in self._policies
            if selected.surely(own)
            for clause in selected.allows
            if clause.peers.certain & other
            for entry in clause.rule.ports
            if _for_this_port(entry, port, protocol)
        ]

    def passing(self, own: int, port: int, protocol: Protocol) -> Match:
        """Whom a concerned end lets pass on a port, kept for the next flow."""
        mine = [entry for entry in self._policies if entry.about(own)]
        found = self._allowed(mine, own, port, protocol)
        dropped = NOBODY
        for entry in mine:
            for clause in entry.denies:
                hit = self._matched(clause, own, port, protocol)
                dropped |= hit if entry.surely(own) else hit.doubted(self._crowd.everyone)
        self.kept[own, port, protocol] = found = found.without(dropped)
        return found

    def _allowed(self, mine: Sequence[_Selected], own: int, port: int, protocol: Protocol) -> Match:
        everyone = self._crowd.everyone
        isolating = [entry for entry in mine if entry.isolates]
        if not isolating:
            return Match(everyone)
        # NetworkPolicy speaks of TCP, UDP and SCTP; a CiliumNetworkPolicy of ICMP as well.
        left_open = protocol is Protocol.ICMP and not self._any_protocol
        if left_open and any(entry.policy.kind == NETWORK_POLICY for entry in isolating):
            return Match(0, everyone)
        found, together = NOBODY, everyone
        for entry in mine:
            lets = self._lets(entry, own, port, protocol)
            found |= lets if entry.surely(own) else lets.doubted(everyone)
            if entry.isolates and not entry.surely(own):
                together &= lets.certain
        if not self.isolates(own):
            # Perhaps nobody isolates it: then only what each of them allows passes for certain.
            return Match(found.certain | together, everyone & ~together)
        return self._filtered(found, mine, own, port, protocol)

    def _lets(self, entry: _Selected, own: int, port: int, protocol: Protocol) -> Match:
        found = NOBODY
        for clause in entry.allows:
            found |= self._matched(clause, own, port, protocol)
        return found

    def _matched(self, clause: _Clause, own: int, port: int, protocol: Protocol) -> Match:
        """Whom one rule matches on a port; on a port that it looks into, in part."""
        peers, ports = clause.peers, clause.rule.ports
        if clause.named and self._crowd.learners >> own & 1:
            peers |= Match(clause.named)
        asked = [entry for entry in ports if entry.requests]
        rest = [entry for entry in ports if not entry.requests] if asked else ports
        part = self._crowd.receivers(asked, port, protocol) if asked else 0
        whole = self._crowd.receivers(rest, port, protocol) if rest or not asked else 0
        if self.direction is Direction.EGRESS:
            return (peers & whole) | (peers & part & ~whole).in_part()
        if whole >> own & 1:
            return peers
        return peers.in_part() if part >> own & 1 else NOBODY

    def _filtered(
        self,
        found: Match,
        mine: Sequence[_Selected],
        own: int,
        port: int,
        protocol: Protocol,
    ) -> Match:
        """A port that one rule looks into is looked into for whoever that rule names.

        Only a rule for this very port lifts that; one for all ports, a range or a port's name does
        not (Cilium 1.20.2, pkg/policy/rule.go, mergePortProto).
        """
        clauses = [clause for entry in mine for clause in entry.allows]
        if not any(entry.requests for clause in clauses for entry in clause.rule.ports):
            return found
        asked, plain = 0, 0
        for clause in clauses:
            asked |= self._matched(clause, own, port, protocol).some
            if any(
                _for_this_port(entry, port, protocol) and not entry.requests
                for entry in clause.rule.ports
            ):
                plain |= self._matched(clause, own, port, protocol).certain
        return found | NOBODY if not asked else _in_part(found, asked & ~plain)

    def side(self, flow: Flow) -> Side:
        """One end's answer to a flow between ends of the crowd, with its reasons."""
        own, other = ends(flow, self.direction)
        number, bit = self._crowd.numbers[id(own)], self._crowd.bit(other)
        mine = [entry for entry in self._policies if entry.about(number)]
        if not self.concerned >> number & 1:
            adding = [entry.policy for entry in mine]
            reason = not_isolated(own, self.direction, adding)
            return Side(self.direction, Verdict.ALLOW, (), (), reason)
        found = self.kept.get((number, flow.port, flow.protocol))
        found = found or self.passing(number, flow.port, flow.protocol)
        return self._reasoned(flow, found, number, bit, mine)

    def _reasoned(
        self, flow: Flow, found: Match, number: int, bit: Mask, mine: Sequence[_Selected]
    ) -> Side:
        own, other = ends(flow, self.direction)
        direction, verdict = self.direction, verdict_of(found, bit)
        policies = tuple(entry.policy for entry in mine if entry.isolates)
        clauses = [clause for entry in mine for clause in entry.allows]
        passing = self._rules(flow, clauses, number, bit)
        match verdict:
            case Verdict.ALLOW if not passing:
                reason = not_isolated(own, direction, [entry.policy for entry in mine])
                return Side(direction, verdict, policies, (), reason)
            case Verdict.ALLOW | Verdict.SOME:
                allowed = tuple((policy, count) for policy, count, _ in passing)
                words = let_pass if verdict is Verdict.ALLOW else pass_in_part
                return Side(direction, verdict, policies, allowed, words(other, direction, passing))
            case Verdict.UNDEFINED:
                missing = tuple(dict.fromkeys(self._missing(flow, mine, number)))
                reason = left_open(flow, direction, policies, missing)
                return Side(direction, verdict, policies, (), reason, missing=missing)
        denials = [clause for entry in mine if entry.surely(number) for clause in entry.denies]
        if dropped := self._rules(flow, denials, number, bit):
            reason = forbidden(flow, direction, dropped[0])
            every = tuple(entry.policy for entry in mine if entry.isolates or entry.denies)
            return Side(direction, verdict, every, (), reason)
        miss = nearest(self._crowd, flow, direction, [clause.numbered for clause in clauses])
        reason = denied(flow, direction, policies, miss)
        return Side(direction, verdict, policies, (), reason, miss)

    def _rules(
        self, flow: Flow, clauses: Iterable[_Clause], number: int, bit: Mask
    ) -> list[Numbered]:
        """The rules that match a flow, wholly or in part."""
        found = []
        for clause in clauses:
            hit = self._matched(clause, number, flow.port, flow.protocol)
            if (hit.certain | hit.some) & bit:
                found.append(clause.numbered)
        return found

    def _missing(self, flow: Flow, mine: Sequence[_Selected], number: int) -> Iterator[str]:
        """What would have to be known to decide this side of a flow, in words."""
        own, other = ends(flow, self.direction)
        for entry in mine:
            if not entry.surely(number):
                yield from self._crowd.unsure_about(own, entry.policy)
            for clause in (*entry.allows, *entry.denies):
                if clause.rule.proviso:
                    yield clause.rule.proviso
                for peer in clause.rule.peers:
                    yield from self._crowd.unknown(peer, clause.policy.namespace, other)


def verdict_of(found: Match, bit: Mask) -> Verdict:
    """What a match says of one end."""
    if found.certain & bit:
        return Verdict.ALLOW
    if found.some & bit:
        return Verdict.SOME
    return Verdict.UNDEFINED if found.open & bit else Verdict.DENY


def _in_part(found: Match, asked: Mask) -> Match:
    """The same, but of these ends only a part of the requests passes."""
    hit = (found.certain | found.open) & asked
    return Match(found.certain & ~asked, found.open & ~asked, found.some | hit)


def _for_this_port(entry: PortRule, port: int, protocol: Protocol) -> bool:
    return (entry.port, entry.end_port) == (port, None) and entry.protocol in (None, protocol)
