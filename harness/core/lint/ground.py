"""The state at which the rules of lint look: who is there, and what the policies say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

from harness.core.lab.profile import CniProfile
from harness.core.lint.finding import Shown
from harness.core.lint.mended import Mended
from harness.core.lint.places import Written
from harness.core.lint.standins import namespaces_named, pod_for, stand_ins
from harness.core.lint.where import Where
from harness.core.manifests.reader import Resource, policies_of, topology_of
from harness.core.model import (
    Direction,
    Namespace,
    NetworkPolicy,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.reasons import same
from harness.core.policy.selectors import NAME_LABEL, Crowd, End, Mask, selects
from harness.core.predict.surroundings import NAME_SERVERS, with_surroundings
from harness.core.target.ask import Flow

SYSTEM = "kube-system"
DNS_PORT = 53
DNS_PORTS = frozenset({DNS_PORT, 5353, "dns", "dns-tcp", "dns-udp"})
"""Ports, by number or name, of which a rule speaks that is meant for name servers."""
ANY_PORT = 80
"""Where a pod declares no port and a rule names none, this one stands for all ports."""
MAX_TRIES = 400
"""Flows that are tried to find one that shows a fault; all of one class of pods count once."""
MAX_MENDED = 30
"""Of these flows, those that are judged once more with a fix in place."""
MAX_HALVES = 6
"""Of these, those of which each end is judged for itself, with all reasons."""
MAX_PORTS = 200

Port = tuple[int, Protocol]
TRANSPORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)


class Ground:
    """A state as manifests describe it. `profiles` are the CNIs whose differences count."""

    def __init__(self, resources: Iterable[Resource], profiles: Sequence[CniProfile] = ()) -> None:
        self.resources = tuple(resources)
        self.profiles = tuple(profiles)
        self.policies = policies_of(self.resources)
        self._read = {
            str(model): (model, resource)
            for resource in self.resources
            for model in resource.models
            if isinstance(model, Pod)
        }
        self.known = frozenset(pod.namespace for pod, _ in self._read.values())
        """The namespaces of which pods were read."""
        self.made_up: dict[str, Pod] = {}
        self._bystanders: dict[str, Pod] = {}
        self.described = with_surroundings(topology_of(self.resources))
        """Who is there by the files, and what every cluster has."""
        self.topology = self._peopled(self.described)
        self.oracle = Oracle(self.topology, self.policies)
        ends: tuple[End, ...] = (*self.topology.pods.values(), *self.topology.external.values())
        self.crowd = Crowd(ends, self.topology.namespaces, self.topology.services)

    def _peopled(self, topology: Topology) -> Topology:
        """The topology with pods that stand in for those of namespaces that were not read."""
        declared = {r.name for r in self.resources if r.kind == "Namespace"}
        named = {*namespaces_named(self.policies), *declared, SYSTEM} if self.policies else set()
        for name in sorted(named - self.known):
            space = topology.namespaces.get(name) or Namespace(name, {NAME_LABEL: name})
            spared = self._for_dns if name == SYSTEM else ()
            found, other = stand_ins(space, self.policies, spared)
            self.made_up |= {str(pod): pod for pod in (*found, other)}
            self._bystanders[name] = other
        return replace(topology, pods={**topology.pods, **self.made_up})

    @cached_property
    def name_servers(self) -> tuple[Pod, ...]:
        """The pods behind the cluster's DNS Service."""
        service = self.topology.services.get(NAME_SERVERS)
        return self.topology.behind(service) if service else ()

    @cached_property
    def _for_dns(self) -> tuple[Peer, ...]:
        return tuple(
            peer
            for where in self.rules()
            if where.direction is Direction.EGRESS and means_dns(where.rule)
            for peer in where.rule.peers
        )

    @cached_property
    def _written(self) -> Mapping[int, Written]:
        found = {}
        for resource in self.resources:
            models = [m for m in resource.models if isinstance(m, NetworkPolicy)]
            several = "specs" in resource.body and "spec" not in resource.body
            for number, policy in enumerate(models):
                spec = ("specs", number) if several else ("spec",)
                found[id(policy)] = Written(policy, resource, spec)
        return found

    def written(self, policy: NetworkPolicy) -> Written:
        """The policy as its file has it."""
        return self._written[id(policy)]

    def rules(self) -> Iterator[Where]:
        """Every rule that is in force, by policy, direction and number."""
        for policy in self.policies:
            for direction in sorted(policy.policy_types):
                for number, rule in enumerate(policy.rules(direction), 1):
                    yield Where(policy, direction, number, rule)

    # Sets of ends

    def mask(self, ends: Iterable[End]) -> Mask:
        """The set of these ends."""
        return sum(self.crowd.bit(end) for end in ends)

    def members(self, mask: Mask) -> Iterator[End]:
        """The ends of a set, in order."""
        while mask:
            low = mask & -mask
            yield self.crowd.ends[low.bit_length() - 1]
            mask ^= low

    @cached_property
    def read(self) -> Mask:
        """The pods that were read."""
        return self.mask(pod for pod in self.topology.pods.values() if self.is_read(pod))

    @cached_property
    def own(self) -> Mask:
        """The pods about which findings can be: those that were read, and the stand-ins."""
        others = {id(pod) for pod in self._bystanders.values()}
        standing = (p for p in self.made_up.values() if id(p) not in others)
        return self.read | self.mask(standing)

    @cached_property
    def classes(self) -> Mask:
        """Two pods of each class that no policy tells apart (they may talk to each other).

        What is outside is a class for each name.
        """
        by_address = any(peer.ip_block for where in self.rules() for peer in where.rule.peers)
        first: dict[object, list[End]] = {}
        for end in self.crowd.ends:
            key: object = end.name
            if isinstance(end, Pod):
                labels = tuple(sorted(end.labels.items()))
                address = end.ip if by_address else None
                key = (end.namespace, labels, end.ports, end.host_network, address, end.dns)
            first.setdefault(key, []).append(end)
        return self.mask(end for ends in first.values() for end in ends[:2])

    def is_read(self, end: End) -> bool:
        """Whether a file has this pod."""
        return str(end) in self._read and isinstance(end, Pod)

    def resource_of(self, pod: Pod) -> Resource | None:
        """The object that brings a pod; None for a pod that no file has."""
        found = self._read.get(str(pod))
        return found[1] if found else None

    def bystander(self, namespace: str) -> Pod | None:
        """The stand-in without labels, of a namespace that was not read."""
        return self._bystanders.get(namespace)

    def selected(self, policy: NetworkPolicy) -> Mask:
        """The pods that a policy selects, and that a finding can be about."""
        return self.crowd.selected_by(policy) & self.own

    def face(self, policy: NetworkPolicy, pods: Mask) -> End | None:
        """A pod that shows what happens to these pods, which the policy selects.

        That is the first of them that was read, else one with no more labels than it asks for.
        """
        read = next(self.members(pods & self.read), None)
        return read or pod_for(policy.namespace, policy.pod_selector)

    def peers(self, where: Where) -> Mask:
        """The ends that a rule lets pass for certain, as far as labels and addresses go."""
        if not where.rule.peers:
            return self.crowd.everyone
        found = 0
        for peer in where.rule.peers:
            found |= self.crowd.peer(peer, where.policy.namespace).certain
        return found

    def may_mean_more(self, where: Where) -> bool:
        """Whether a rule might also pick an end of which too little is known, as its address."""
        home = where.policy.namespace
        return any(self.crowd.peer(peer, home).open for peer in where.rule.peers)

    def isolated(self, direction: Direction) -> Mask:
        """The pods that some policy isolates for a direction."""
        return self._isolated[direction]

    @cached_property
    def _isolated(self) -> Mapping[Direction, Mask]:
        return {direction: self._isolating(direction) for direction in Direction}

    def _isolating(self, direction: Direction) -> Mask:
        found = 0
        for policy in self.policies:
            if direction in policy.policy_types - policy.adds_only:
                found |= self.crowd.selected_by(policy)
        return found

    def spaces(self, selector: Selector) -> list[str]:
        """The namespaces that a selector picks, by name."""
        used = {pod.namespace for pod in self.topology.pods.values()}
        labels = {name: {NAME_LABEL: name} for name in used} | {
            name: space.labels for name, space in self.topology.namespaces.items()
        }
        return [name for name in sorted(labels) if selects(selector, labels[name])]

    # Ports

    @cached_property
    def mentioned(self) -> tuple[Port, ...]:
        """Ports by number that some rule names: a pod may listen there without declaring it."""
        found = dict.fromkeys(
            port for where in self.rules() for entry in where.rule.ports for port in numbers(entry)
        )
        return tuple(islice(found, MAX_PORTS))

    def ports(self, receiver: End, rule: Rule, *, thorough: bool = False) -> list[Port]:
        """The receiver's ports that a rule covers, those that it declares first.

        For a receiver that declares none, these are the ports that the rule names, or one that
        stands for all. If it shall be `thorough`, they are one of each sort that the rules tell
        apart: also all that are mentioned anywhere, and one that is not, of each protocol.
        """
        declared = receiver.ports if isinstance(receiver, Pod) else ()
        tried = [(port.number, port.protocol) for port in declared]
        if thorough or not declared:
            tried += [port for entry in rule.ports for port in numbers(entry)]
        if not declared and not rule.ports:
            tried.append((ANY_PORT, Protocol.TCP))
        if thorough:
            tried += self.mentioned
            tried += [(ANY_PORT, protocol) for protocol in TRANSPORTS]
        bit = self.crowd.bit(receiver)
        covers = self.crowd.receivers
        return [port for port in dict.fromkeys(tried) if covers(rule.ports, *port) & bit]

    # Flows

    def flow(self, direction: Direction, own: End, other: End, port: Port) -> Flow:
        """The flow between an end and the other one that a rule of this direction looks at."""
        ends = (own, other) if direction is Direction.EGRESS else (other, own)
        return Flow(*ends, *port)

    def flows(self, where: Where, own: Mask, others: Mask, *, spread: bool = False) -> list[Flow]:
        """Flows that a rule looks at, between these ends, on ports that it covers.

        With `spread`, on every port of the receiver instead. One of each class of pods, pods that
        were read first, and no pod to itself.
        """
        found = self._flows(where, own, others, Rule() if spread else where.rule)
        return list(islice(found, MAX_TRIES))

    def every_flow(self, where: Where, own: Mask, others: Mask) -> Iterator[Flow]:
        """Every flow of these ends that the rule lets pass, on ports that nobody declares too."""
        return self._flows(where, own, others, where.rule, thorough=True)

    def _flows(
        self, where: Where, own: Mask, others: Mask, rule: Rule, *, thorough: bool = False
    ) -> Iterator[Flow]:
        egress = where.direction is Direction.EGRESS
        for mine in self.members(own & self.classes):
            at_home = [] if egress else self.ports(mine, rule, thorough=thorough)
            for other in self.members(others & self.classes):
                if same(mine, other) or _on_host(mine, other):
                    continue
                for port in self.ports(other, rule, thorough=thorough) if egress else at_home:
                    yield self.flow(where.direction, mine, other, port)

    def without(self, policy: NetworkPolicy, *instead: NetworkPolicy) -> Mended:
        """The state with other policies in the place of one of them."""
        replaced = (new for old in self.policies for new in (instead if old is policy else (old,)))
        return Mended(self.topology, tuple(replaced))

    def having(self, *more: NetworkPolicy) -> Mended:
        """The state with more policies."""
        return Mended(self.topology, (*self.policies, *more))

    def shown(self, flow: Flow, mended: Mended | None = None) -> Shown:
        """The oracle's answer about a flow, and what it is once a fix is in place."""
        decision = self.oracle.decide(flow)
        after = mended.verdict(flow) if mended else None
        made_up = tuple(str(end) for end in (flow.source, flow.target) if self._is_made_up(end))
        return Shown(flow, decision.verdict, decision.reasons, after, made_up)

    def flip(
        self, flows: Iterable[Flow], mended: Mended, now: Verdict, then: Verdict
    ) -> Shown | None:
        """The first flow that has one verdict now, and another one once a fix is in place."""
        fitting = (flow for flow in flows if self.oracle.verdict(flow) is now)
        tried = list(islice(fitting, MAX_MENDED))
        oracle = mended.oracle(tried)
        for flow in tried:
            if oracle.verdict(flow) is then:
                return self.shown(flow, mended)
        return None

    def flip_of_side(
        self, flows: Iterable[Flow], mended: Mended, direction: Direction
    ) -> Shown | None:
        """The first flow that a fix opens or, if no fix at one end is enough, at least that end."""
        flows = list(islice(flows, MAX_MENDED))
        whole = self.flip(flows, mended, Verdict.DENY, Verdict.ALLOW)
        if whole is not None:
            return whole
        oracle = mended.oracle(flows[:MAX_HALVES])
        for flow in flows[:MAX_HALVES]:
            now, then = (one.decide(flow).side(direction) for one in (self.oracle, oracle))
            if (now.verdict, then.verdict) == (Verdict.DENY, Verdict.ALLOW):
                return self.shown(flow, mended)
        return None

    def _is_made_up(self, end: End) -> bool:
        return isinstance(end, Pod) and str(end) not in self.described.pods


def numbers(entry: PortRule) -> list[Port]:
    """The first port that an entry names by number, for each of its protocols."""
    if not isinstance(entry.port, int):
        return []
    spoken = TRANSPORTS if entry.protocol is None else (entry.protocol,)
    return [(entry.port, protocol) for protocol in spoken]


def means_dns(rule: Rule) -> bool:
    """Whether a rule is meant for name servers, by its ports or by the labels of its peers."""
    chosen = [peer.pod_selector for peer in rule.peers if peer.pod_selector]
    values = {value for one in chosen for r in one.requirements for value in r.values}
    return any(entry.port in DNS_PORTS or entry.dns for entry in rule.ports) or any(
        "dns" in value for value in values
    )


def _on_host(*ends: End) -> bool:
    return any(isinstance(end, Pod) and end.host_network for end in ends)
