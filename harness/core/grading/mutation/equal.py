"""Whether a variant changes a flow at all: asked of the oracle over a closed world.

The world has the deployed pods and witness pods: pods that nobody deployed yet and that selectors
could tell apart. A variant that changes no flow there is equivalent to the reference, and nobody
can be blamed for not catching it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from harness.core.compare.ports import PortClass
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import (
    ClosedWorld,
    EndClass,
    State,
    closed_world,
    invented,
    rules_of,
)
from harness.core.model import (
    ContainerPort,
    Direction,
    Labels,
    Namespace,
    NetworkPolicy,
    Operator,
    Pod,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.selectors import NAME_LABEL
from harness.core.target.ask import Flow
from harness.core.target.internet import INTERNET

ELSEWHERE = "witness-elsewhere"
NOT_THE_VALUE = "witness-other"
NO_LISTS = Wishes({})
MOST_LABELS = 40
MOST_SPACES = 12


def witnessed(topology: Topology, policies: Iterable[NetworkPolicy]) -> Topology:
    """The topology with witness pods beside its own.

    In every namespace, and in new ones for each label of a namespace that a rule asks for: a copy
    of each deployed pod of another one (with its ports), a pod without labels, and one for each
    label that a selector asks for, with the value and with another.
    """
    policies = tuple(policies)
    spaces = {**topology.namespaces, **_spaces(topology, policies)}
    kinds = list(_kinds(topology, policies))[:MOST_LABELS]
    pods = dict(topology.pods)
    for space in list(spaces)[:MOST_SPACES]:
        if space == "kube-system":
            continue
        alike = [pod.labels for pod in topology.pods.values() if pod.namespace == space]
        for number, (labels, ports) in enumerate(kinds):
            if labels in alike:
                continue  # policies would not tell it from a pod that is deployed
            pod = Pod(space, f"witness-{number}", labels, ports)
            pods[str(pod)] = pod
    return replace(topology, namespaces=spaces, pods=pods)


def first_difference(
    topology: Topology,
    reference: Sequence[NetworkPolicy],
    variant: Sequence[NetworkPolicy],
    *,
    lists: Wishes = NO_LISTS,
    ignored: Callable[[EndClass, EndClass, PortClass], bool] = lambda *_: False,
) -> tuple[Flow, Verdict, Verdict] | None:
    """A flow that fares differently, with the verdict before and after; None: there is none.

    `lists` tells flows apart that no policy does; `ignored` says of which any answer is right. A
    flow that is undefined in one of the two fares differently, for nobody can prove that it does
    not; a flow that is certain comes first.
    """
    if set(reference) == set(variant):
        return None
    doubtful = None
    everybody = witnessed(topology, (*reference, *variant))
    before, after = (State(everybody, tuple(found)) for found in (reference, variant))
    world = closed_world(
        [before, after],
        networks=lists.networks,
        names=dict.fromkeys([*lists.names, *_names((*reference, *variant))]),
        ports=lists.ports,
        marks=lists.marks(everybody.pods),
    )
    sends, hears = _changed(world, Direction.EGRESS), _changed(world, Direction.INGRESS)
    for target in world.ends:
        for source in world.ends:
            # A flow hangs on the policies for its sender's egress and its receiver's ingress alone.
            if (source is target and target.alone) or not (source in sends or target in hears):
                continue
            for port in world.ports(target):
                was, will = (world.verdict(state, source, target, port) for state in (0, 1))
                flow = world.flow(0, source, target, port)
                if flow is None or was is None or will is None or was is will:
                    continue
                if ignored(source, target, port):
                    continue
                if Verdict.UNDEFINED not in (was, will):
                    return flow, was, will
                doubtful = doubtful or (flow, was, will)
    return doubtful


def _changed(world: ClosedWorld, direction: Direction) -> frozenset[EndClass]:
    """The ends about which the two states have other policies of a direction."""
    return frozenset(
        end
        for end in world.ends
        if len({_about(world, state, end, direction) for state in (0, 1)}) > 1
    )


def _about(
    world: ClosedWorld, state: int, end: EndClass, direction: Direction
) -> frozenset[NetworkPolicy]:
    shown = end.shown[state]
    return frozenset(world.oracles[state].about(shown[0], direction) if shown else ())


def _names(policies: Iterable[NetworkPolicy]) -> list[str]:
    """The names outside that the oracle knows, and one more for each pattern of a rule."""
    return [*INTERNET, *invented(policies)]


def _spaces(topology: Topology, policies: Iterable[NetworkPolicy]) -> Mapping[str, Namespace]:
    """A namespace with no label but its name, and one for each other label that a rule asks for."""
    found = {ELSEWHERE: Namespace(ELSEWHERE, {NAME_LABEL: ELSEWHERE})}
    for policy in policies:
        found.setdefault(
            policy.namespace,
            topology.namespaces.get(policy.namespace)
            or Namespace(policy.namespace, {NAME_LABEL: policy.namespace}),
        )
        for rule in rules_of(policy):
            for peer in rule.peers:
                for labels in _asked(peer.namespace_selector):
                    if NAME_LABEL in labels:
                        name = labels[NAME_LABEL]
                    else:
                        name = "witness-" + "-".join(sorted(labels.values()))
                    if name not in topology.namespaces:
                        found.setdefault(name, Namespace(name, {NAME_LABEL: name, **labels}))
    found.pop("", None)
    return found


def _kinds(
    topology: Topology, policies: Iterable[NetworkPolicy]
) -> Iterator[tuple[Labels, tuple[ContainerPort, ...]]]:
    """Labels and ports of witness pods, each once."""
    deployed = [(pod.labels, pod.ports) for _, pod in sorted(topology.pods.items())]
    ports = {(key, value): own for labels, own in deployed for key, value in labels.items()}
    asked: list[tuple[Labels, tuple[ContainerPort, ...]]] = []
    for policy in policies:
        peers = (peer.pod_selector for rule in rules_of(policy) for peer in rule.peers)
        for selector in (policy.pod_selector, *peers):
            for requirement in selector.requirements if selector is not None else ():
                for value in (*sorted(requirement.values), NOT_THE_VALUE):
                    own = ports.get((requirement.key, value), ())
                    asked.append(({requirement.key: value}, own))
    seen: set[object] = set()
    for labels, own in [({}, ()), *deployed, *asked]:
        if (key := (tuple(sorted(labels.items())), own)) not in seen:
            seen.add(key)
            yield labels, own


def _asked(selector: Selector | None) -> Iterator[dict[str, str]]:
    """Labels that would match a selector, as far as it asks for any."""
    labels: dict[str, str] = {}
    for requirement in selector.requirements if selector is not None else ():
        if requirement.operator is Operator.IN:
            labels[requirement.key] = min(requirement.values)
        elif requirement.operator is Operator.EXISTS:
            labels[requirement.key] = NOT_THE_VALUE
    if labels:
        yield labels
