"""A sample of a matrix: a flow for every pair of classes of pods that no policy tells apart.

Two pods are of one class if they share the namespace, the values of all labels that a policy looks
at, their ports with the ports' names, and whether they are in the ipBlocks of policies. For a pair
of classes one flow stays on a node and one goes from node to node, where there are such flows, for
they take other ways. Every pod is a client at least once, and a target at least once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from harness.core.compare.world import State, Traits
from harness.core.model import Direction, NetworkPolicy, Pod, PodRef, Protocol, Rule, Topology
from harness.core.policy.selectors import Crowd, Mask, Match
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.listing import few

SHOWN = 5

BLIND = (
    "a sample cannot see a fault of single pods of a class, of single ways between nodes, or of "
    "something that no policy looks at, such as other labels"
)
"""What a sample cannot see, in a sentence."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The flows to probe in place of all flows.

    Attributes:
        asks: the flows.
        flows: the number of all flows, without those of a pod to itself.
        pods: the number of pods.
        classes: the number of their classes.
        idle: the rules that no flow can show, as `NAMESPACE/NAME ingress rule 1`: nobody is
            there to whom they apply, or none of the ports that are probed is theirs.
    """

    asks: tuple[Ask, ...]
    flows: int
    pods: int
    classes: int
    idle: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The reduction, and what it cannot see, one sentence each."""
        found = [
            (
                f"{len(self.asks)} of {self.flows} flows are probed: at least one for each pair of "
                f"the {self.classes} classes into which policies divide the {self.pods} pods"
            ),
            BLIND,
        ]
        return tuple(filter(None, (*found, self.unseen)))

    @property
    def unseen(self) -> str:
        """Which rules no flow can show, in a sentence; empty if there are none."""
        if not self.idle:
            return ""
        return f"no flow can show these rules: {few(self.idle, SHOWN)}"


def sample(
    topology: Topology,
    policies: Iterable[NetworkPolicy],
    targets: Iterable[PodPort],
    nodes: Mapping[PodRef, str],
) -> Sample:
    """Choose flows between the topology's pods; `nodes` has each pod's node, where it is known.

    `targets` are the ports that a whole matrix would probe. The choice is the same each time.
    """
    policies = tuple(policies)
    ports: dict[PodRef, list[PodPort]] = defaultdict(list)
    for target in dict.fromkeys(targets):
        ports[target.pod].append(target)
    pods = [topology.pods[key] for key in sorted(topology.pods)]
    traits = Traits(policies, [State(topology, policies)])
    classes = _classes(pods, traits, ports, nodes)
    pairs = dict.fromkeys(pair for one in classes for other in classes for pair in one.to(other))
    pairs |= dict.fromkeys(_left_out(pods, pairs, ports))
    asks = tuple(Ask(source, port) for source, target in pairs for port in ports[target])
    wanted = sum(len(pods) - 1 for found in ports.values() for _ in found)
    idle = tuple(_idle(pods, policies, topology, ports))
    return Sample(asks, wanted, len(pods), len(classes), idle)


Pair = tuple[PodRef, PodRef]


class _Class:
    """Pods of one class, by node; they take turns, so that each stands for the class at times."""

    def __init__(self, pods: Iterable[PodRef], nodes: Mapping[PodRef, str], *, asked: bool) -> None:
        self.asked = asked  # whether any of their ports is probed
        self.on: dict[str, list[PodRef]] = defaultdict(list)
        for pod in pods:
            self.on[nodes.get(pod, "")].append(pod)
        self.nodes = tuple(self.on)
        self._turn = 0

    def turn(self) -> int:
        """A number that grows with each turn."""
        self._turn += 1
        return self._turn

    def to(self, other: _Class) -> Iterator[Pair]:
        """A flow to the other class on one node, and one between two nodes, if there are such."""
        if not other.asked:
            return
        first = self.turn()
        for offset in range(len(self.nodes)):
            node = self.nodes[(first + offset) % len(self.nodes)]
            if pair := _two(self.on[node], other.on.get(node, ()), first, other.turn()):
                yield pair
                break
        for offset in range(min(2, len(self.nodes))):
            node = self.nodes[(first + offset) % len(self.nodes)]
            turn = other.turn()
            away = other.nodes[turn % len(other.nodes)]
            if away == node and len(other.nodes) > 1:
                away = other.nodes[(turn + 1) % len(other.nodes)]
            if away != node:
                yield from filter(None, [_two(self.on[node], other.on[away], first, turn)])
                break


def _two(sources: Sequence[PodRef], targets: Sequence[PodRef], one: int, other: int) -> Pair | None:
    """A pod of each, but not the same; None if there are no two."""
    if not targets:
        return None
    source = sources[one % len(sources)]
    target = targets[other % len(targets)]
    if source == target:
        target = targets[(other + 1) % len(targets)]
    if source == target:
        source = sources[(one + 1) % len(sources)]
    return None if source == target else (source, target)


def _classes(
    pods: Iterable[Pod],
    traits: Traits,
    ports: Mapping[PodRef, Sequence[PodPort]],
    nodes: Mapping[PodRef, str],
) -> list[_Class]:
    alike: dict[Hashable, list[PodRef]] = defaultdict(list)
    for pod in pods:
        asked = tuple((port.port, port.protocol) for port in ports.get(pod.ref, ()))
        alike[traits.of(pod), asked].append(pod.ref)
    return [_Class(found, nodes, asked=bool(ports.get(found[0]))) for found in alike.values()]


def _left_out(
    pods: Sequence[Pod], pairs: Iterable[Pair], ports: Mapping[PodRef, Sequence[PodPort]]
) -> Iterator[Pair]:
    """A flow from each pod that was no client yet, and one to each that was no target."""
    sources, targets = set[PodRef](), set[PodRef]()
    for source, target in pairs:
        sources.add(source)
        targets.add(target)
    everyone = [pod.ref for pod in pods]
    asked = [ref for ref in everyone if ports.get(ref)]
    for number, ref in enumerate(everyone):
        if ref not in sources and (pair := _two([ref], asked, 0, number)):
            yield pair
        if ref in asked and ref not in targets and (pair := _two(everyone, [ref], number, 0)):
            yield pair


def _idle(
    pods: Sequence[Pod],
    policies: Iterable[NetworkPolicy],
    topology: Topology,
    ports: Mapping[PodRef, Sequence[PodPort]],
) -> Iterator[str]:
    """The rules to which no flow between the pods belongs."""
    crowd = Crowd(pods, topology.namespaces, topology.services)
    listening: dict[tuple[int, Protocol], Mask] = defaultdict(int)
    for number, pod in enumerate(pods):
        for port in ports.get(pod.ref, ()):
            listening[port.port, port.protocol] |= 1 << number
    for policy in policies:
        selected = _possible(crowd.selection(policy))
        for direction in sorted(policy.policy_types):
            words = direction.lower()
            rules = (("rule", policy.rules(direction)), ("deny rule", policy.denials(direction)))
            for kind, found in rules:
                for number, rule in enumerate(found, 1):
                    peers = _peers(rule, policy, crowd)
                    ends = (
                        (peers, selected) if direction is Direction.INGRESS else (selected, peers)
                    )
                    if not _has_flow(*ends, rule, crowd, listening):
                        yield f"{policy} {words} {kind} {number}"


def _peers(rule: Rule, policy: NetworkPolicy, crowd: Crowd) -> Mask:
    if not rule.peers:
        return crowd.pods
    return (
        reduce(or_, (_possible(crowd.peer(p, policy.namespace)) for p in rule.peers)) & crowd.pods
    )


def _possible(found: Match) -> Mask:
    """All that match for certain, in part, or perhaps: no rule is called idle that may not be."""
    return found.certain | found.some | found.open


def _has_flow(
    sources: Mask,
    targets: Mask,
    rule: Rule,
    crowd: Crowd,
    listening: Mapping[tuple[int, Protocol], Mask],
) -> bool:
    for (port, protocol), there in listening.items():
        reached = targets & there & crowd.receivers(rule.ports, port, protocol)
        # A pod's flow to itself is none that a policy decides.
        if reached and sources and (sources | reached).bit_count() > 1:
            return True
    return False
