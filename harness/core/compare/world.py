"""The closed world of some states: a flow for every kind of flow that their policies tell apart.

Its ends are all pods, in classes of the ones that no policy tells apart; a stranger for each
namespace and for a namespace that nobody declared; and the addresses outside, in classes as well.
Its ports are the declared ones, those that a rule names, and for each protocol one that stands for
all others. ICMP is left out: NetworkPolicy says nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from typing import NamedTuple

from harness.core.compare.outside import regions
from harness.core.compare.ports import PortClass, Ports
from harness.core.lab.profile import CniProfile
from harness.core.model import (
    Address,
    Direction,
    External,
    IPBlock,
    Labels,
    Namespace,
    Network,
    NetworkPolicy,
    Peer,
    Pod,
    Protocol,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.fqdn import matches
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import NAME_LABEL, End
from harness.core.predict.enforced import Enforced, as_enforced
from harness.core.target.ask import Flow
from harness.core.target.internet import INTERNET
from harness.errors import ContentError

NOWHERE = "(another namespace)"
"""The name of the namespace that stands for all that nobody declared."""
STRANGER = "(any other pod)"
TWIN = "(twin)"
MAX_FLOWS = 4_000_000
"""Flows of a world; 500 pods of which no two are alike, under 200 policies, make 2 million."""
_OTHER = object()


class Kind(StrEnum):
    """What a class of ends is: pods that were read, a stranger, or something outside."""

    POD = "pod"
    STRANGER = "stranger"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class State:
    """Who is there, and under which policies. `assumed` are the pods that nobody declared."""

    topology: Topology
    policies: tuple[NetworkPolicy, ...]
    assumed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class EndClass:
    """Ends that no policy tells apart.

    `names` are pods as NAMESPACE/NAME; of a class of another kind it is one text that says who it
    is. `shown` has for each state the end that stands for the class, and a twin of it, which stands
    for another member; None where the class is not there. `networks` are the addresses of a class
    outside, empty for a DNS name. `asks`: whether flows begin here; an assumed pod only answers.
    """

    kind: Kind
    names: tuple[str, ...]
    shown: tuple[tuple[End, End] | None, ...]
    networks: tuple[Network, ...] = ()
    asks: bool = True

    @property
    def alone(self) -> bool:
        """Whether the class has one member only, which has nobody of its kind to talk to."""
        return self.kind is Kind.POD and len(self.names) == 1


class Answer(NamedTuple):
    """What a state says of a flow.

    `verdict` is the one of the API. `own` has the verdict of each CNI, by its name and in words,
    where it is known and is not the verdict of the API.
    """

    verdict: Verdict
    own: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ClosedWorld:
    """The ends and ports of some states, and what each state says of a flow between them.

    `enforced` has each state as the CNIs enforce it whose own answers are wanted as well.
    """

    ends: tuple[EndClass, ...]
    oracles: tuple[Oracle, ...]
    _ports: Ports
    enforced: tuple[tuple[Enforced, ...], ...] = ()
    _found: dict[EndClass, tuple[PortClass, ...]] = field(default_factory=dict)

    def ports(self, target: EndClass) -> tuple[PortClass, ...]:
        """The ports of a class of receivers: each stands for all that no policy tells apart."""
        if target not in self._found:
            declared = [
                port
                for pair in target.shown
                if pair is not None and isinstance(pair[0], Pod)
                for port in pair[0].ports
            ]
            self._found[target] = self._ports.of(declared)
        return self._found[target]

    def flow(self, state: int, source: EndClass, target: EndClass, port: PortClass) -> Flow | None:
        """The flow that stands for these classes in a state; None: there is no such flow.

        Between members of one class it goes from a member to its twin.
        """
        here, there = source.shown[state], target.shown[state]
        if here is None or there is None or (source.kind is target.kind is Kind.OUTSIDE):
            return None
        return Flow(here[0], there[source is target], port.number, port.protocol)

    def verdict(
        self, state: int, source: EndClass, target: EndClass, port: PortClass
    ) -> Verdict | None:
        """What a state's policies say of the flows between two classes; None: there are none."""
        flow = self.flow(state, source, target, port)
        return None if flow is None else self.oracles[state].verdict(flow)

    def answer(
        self, state: int, source: EndClass, target: EndClass, port: PortClass
    ) -> Answer | None:
        """The same verdict, with the CNIs' own answers; None: there are no such flows."""
        flow = self.flow(state, source, target, port)
        if flow is None:
            return None
        verdict = self.oracles[state].verdict(flow)
        own = [
            (found.profile.name, words)
            for found in (self.enforced[state] if self.enforced else ())
            if (words := found.other_than(verdict, (flow,)))
        ]
        return Answer(verdict, tuple(own))

    def isolated(self, state: int, end: EndClass, direction: Direction) -> bool:
        """Whether some policy isolates the class for a direction."""
        shown = end.shown[state]
        return shown is not None and bool(self.oracles[state].selecting(shown[0], direction))


def closed_world(
    states: Sequence[State],
    *,
    strangers: bool = True,
    networks: Iterable[Network] = (),
    names: Iterable[str] = (),
    ports: Iterable[tuple[int, int, Protocol]] = (),
    marks: Mapping[str, Hashable] | None = None,
    profiles: Iterable[CniProfile] = (),
    most: int = MAX_FLOWS,
) -> ClosedWorld:
    """The closed world of some states, whose pods are matched by name.

    `networks`, `names` outside, `ports` and `marks` (of pods, by name) are told apart as well, even
    if no policy does so. `profiles` are the CNIs whose own answers are wanted as well.

    Raises:
        ContentError: there are more than `most` flows.
    """
    policies = [policy for state in states for policy in state.policies]
    traits = Traits(policies, states)
    ends = [*_pods(states, traits, marks or {})]
    if strangers:
        ends += _strangers(states)
    ends += _outside(traits, len(states), networks, names)
    oracles = tuple(
        Oracle(_topology(state.topology, ends, number), state.policies)
        for number, state in enumerate(states)
    )
    rules = [rule for policy in policies for rule in rules_of(policy)]
    every_port = Ports((p for r in rules for p in r.ports), ports)
    enforced = _enforced(states, oracles, tuple(profiles))
    world = ClosedWorld(tuple(ends), oracles, every_port, enforced)
    _must_be_bounded(world, most)
    return world


def _must_be_bounded(world: ClosedWorld, most: int) -> None:
    senders = sum(end.asks for end in world.ends)
    flows = senders * sum(len(world.ports(end)) for end in world.ends)
    if flows > most:
        raise ContentError(
            "these policies tell apart more flows than can be compared",
            seen=f"{senders} senders and {len(world.ends)} receivers on their ports: {flows} "
            f"flows, and at most {most} are compared",
            try_="compare a part of the files: one namespace at a time, for example",
        )


def _enforced(
    states: Sequence[State], oracles: Sequence[Oracle], profiles: Sequence[CniProfile]
) -> tuple[tuple[Enforced, ...], ...]:
    return tuple(
        tuple(filter(None, (as_enforced(o.topology, s.policies, p) for p in profiles)))
        for s, o in zip(states, oracles, strict=True)
    )


def rules_of(policy: NetworkPolicy) -> Iterator[Rule]:
    """The rules of both directions, also those that deny."""
    yield from (*policy.ingress, *policy.egress, *policy.ingress_deny, *policy.egress_deny)


class Traits:
    """What policies look at in an end; two pods with equal traits are alike to them."""

    def __init__(self, policies: Iterable[NetworkPolicy], states: Iterable[State]) -> None:
        policies = tuple(policies)
        peers = list({peer: None for p in policies for r in rules_of(p) for peer in r.peers})
        self.blocks = tuple(dict.fromkeys(peer.ip_block for peer in peers if peer.ip_block))
        self.fqdns = tuple(dict.fromkeys(peer.fqdn for peer in peers if peer.fqdn))
        self._values: dict[str, set[str]] = defaultdict(set)
        for selector in _selectors(policies, peers):
            for requirement in selector.requirements:
                self._values[requirement.key] |= requirement.values
        if any(peer.service for peer in peers):
            for state in states:
                for service in state.topology.services.values():
                    for key, value in service.selector.items():
                        self._values[key].add(value)

    def of(self, pod: Pod) -> Hashable:
        """What policies see of a pod."""
        return (
            pod.namespace,
            tuple(self._seen(key, pod.labels) for key in self._values),
            frozenset(pod.ports),
            tuple(self._within(b, ip) for b in self.blocks for ip in (pod.ip, pod.other_ip)),
            pod.host_network,
            frozenset(pod.hidden & self._values.keys()),
        )

    def _seen(self, key: str, labels: Labels) -> object:
        value = labels.get(key)
        return value if value is None or value in self._values[key] else _OTHER

    @staticmethod
    def _within(block: IPBlock, address: Address | None) -> bool | None:
        if address is None:
            return None
        return address in block.cidr and not any(address in cut for cut in block.except_)


def _selectors(policies: Iterable[NetworkPolicy], peers: Iterable[Peer]) -> Iterator[Selector]:
    for policy in policies:
        yield policy.pod_selector
    for peer in peers:
        if peer.pod_selector is not None:
            yield peer.pod_selector


def _pods(
    states: Sequence[State], traits: Traits, marks: Mapping[str, Hashable]
) -> Iterator[EndClass]:
    names = dict.fromkeys(sorted(name for state in states for name in state.topology.pods))
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for name in names:
        pods = [state.topology.pods.get(name) for state in states]
        seen = tuple(traits.of(pod) if pod is not None else None for pod in pods)
        asks = not any(name in state.assumed for state in states)
        alike[seen, marks.get(name), asks].append(name)
    for (_, _, asks), found in alike.items():  # type: ignore[misc]  # the key made above
        shown = tuple(_pair(state.topology.pods.get(found[0])) for state in states)
        yield EndClass(Kind.POD, tuple(found), shown, asks=bool(asks))


def _pair(pod: Pod | None) -> tuple[End, End] | None:
    return None if pod is None else (pod, replace(pod, name=f"{pod.name} {TWIN}"))


def _strangers(states: Sequence[State]) -> Iterator[EndClass]:
    spaces = {pod.namespace for state in states for pod in state.topology.pods.values()}
    spaces |= {policy.namespace for state in states for policy in state.policies} - {""}
    spaces |= {name for state in states for name in state.topology.namespaces}
    assumed = {name.partition("/")[0] for state in states for name in state.assumed}
    for space in [*sorted(spaces - assumed), NOWHERE]:
        words = "any pod of another namespace" if space == NOWHERE else f"any other pod of {space}"
        pair = _pair(Pod(space, STRANGER, {}))
        yield EndClass(Kind.STRANGER, (words,), (pair,) * len(states))


def _outside(
    traits: Traits, states: int, networks: Iterable[Network], names: Iterable[str]
) -> Iterator[EndClass]:
    known = dict.fromkeys([*names, *_named(traits.fqdns, names)])
    unknown = (f"192.0.2.{last}" for last in range(64, 255))
    ends = [External(name, ip_address(INTERNET.get(name) or next(unknown))) for name in known]
    for end in ends:
        yield EndClass(Kind.OUTSIDE, (end.name,), ((end, end),) * states)
    for region in regions(traits.blocks, networks, [end.ip for end in ends if end.ip]):
        shown = External(region.words, region.address)
        yield EndClass(Kind.OUTSIDE, (region.words,), ((shown, shown),) * states, region.networks)


def names_of(policies: Iterable[NetworkPolicy]) -> tuple[str, ...]:
    """The names outside that stand for the names and patterns of rules."""
    peers = (peer for policy in policies for rule in rules_of(policy) for peer in rule.peers)
    return _named(dict.fromkeys(peer.fqdn for peer in peers if peer.fqdn), ())


def invented(policies: Iterable[NetworkPolicy]) -> tuple[str, ...]:
    """A name outside for each pattern with a star in a rule: one that hardly anybody would name.

    It shows a pattern that is wider than the names that exist: `*site.io` means `anysite.io` too.
    """
    peers = (peer for policy in policies for rule in rules_of(policy) for peer in rule.peers)
    patterns = dict.fromkeys(peer.fqdn for peer in peers if "*" in peer.fqdn)
    return tuple(text.replace("**", "any.more").replace("*", "any") for text in patterns)


def _named(patterns: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(known)
    for pattern in patterns:
        found |= dict.fromkeys(name for name in INTERNET if matches(pattern, name))
        if not any(matches(pattern, name) for name in found):
            found[pattern.replace("*", "any")] = None
    return tuple(found)


def _topology(topology: Topology, ends: Iterable[EndClass], state: int) -> Topology:
    """The ends that stand for classes, among the namespaces and Services of a state."""
    shown = [end for found in ends for end in found.shown[state] or ()]
    return replace(
        topology,
        namespaces={**topology.namespaces, NOWHERE: Namespace(NOWHERE, {NAME_LABEL: NOWHERE})},
        pods={str(end): end for end in shown if isinstance(end, Pod)},
        external={end.name: end for end in shown if isinstance(end, External)},
    )
