"""Who is there when a submission is judged, and which row decides about a flow.

Besides the deployed pods there are witnesses, pods that nobody deployed: in each namespace one
without labels and one with other values of the labels that are used, and each deployed pod's labels
in every other namespace. A submission that names the wrong thing shows by them. Each deployed pod
also has a twin, which stands for the next pod of its kind.

What nobody can know before is drawn, the same for everybody: a pod's address and the labels that
controllers choose. A policy that relies on such a thing relies on luck, so that the drawn
value decides against it, and no flow is left open for its author's own fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from ipaddress import IPv4Address

from harness.core.compare.wishes import Wishes
from harness.core.compare.world import ClosedWorld, Kind, State, closed_world, invented
from harness.core.grading.model import Assignment, Row, Submission
from harness.core.manifests.reader import Resource
from harness.core.manifests.wanted.wishes import Outside, PortWish, Wish, wish_of
from harness.core.model import Labels, Namespace, NetworkPolicy, Pod, Protocol, Topology
from harness.core.policy.selectors import NAME_LABEL
from harness.core.predict.scenario import Scenario
from harness.core.target import INTERNET, NamePort, parse_target
from harness.errors import ContentError, OutcomeTableError

ELSEWHERE = "elsewhere"
"""A namespace of the grader's own, which nobody's policy should speak of."""
KUBE_SYSTEM = "kube-system"
NO_LABELS, OTHER_LABELS, LIKE = "no-labels", "other-labels", "like-"
MAX_FLOWS = 300_000
"""Flows of one submission; a right one has some ten thousand."""
OUTSIDE = "outside"
"""Everybody outside of the cluster, as one end of a pair."""
_OTHER = "something-else"
_POD_NETWORK = int(IPv4Address("10.244.0.0"))
_ADDRESSES = 1 << 16


@dataclass(frozen=True)
class World:
    """An assignment's pods, deployed or not, and its rows as flows."""

    assignment: Assignment
    resources: tuple[Resource, ...]
    wishes: tuple[tuple[Row, Wish], ...]
    names: tuple[NamePort, ...]

    @cached_property
    def topology(self) -> Topology:
        """Who is there, with what every cluster has."""
        return _drawn(Scenario(self.resources).topology)

    @cached_property
    def deployed(self) -> frozenset[str]:
        """The pods that students get, by NAMESPACE/NAME."""
        models = (model for r in self.assignment.workloads for model in r.models)
        return frozenset(str(model) for model in models if isinstance(model, Pod))

    def rows(self) -> Wishes:
        """The rows as lists of flows by their ids, in the order in which they decide."""
        found: dict[str, tuple[Wish, ...]] = {}
        for row, wish in self.wishes:
            found[row.id] = (*found.get(row.id, ()), wish)
        return Wishes(found)

    def closed(self, policies: Iterable[NetworkPolicy], rows: Wishes) -> ClosedWorld:
        """Every flow that these policies or the rows tell apart; no two pods are one.

        Raises:
            ContentError: there are more than `MAX_FLOWS` flows.
        """
        policies = tuple(policies)
        names = dict.fromkeys([*self.assignment.outside, *rows.names, *invented(policies)])
        return closed_world(
            [State(self.topology, policies)],
            strangers=False,
            networks=rows.networks,
            names=names,
            ports=rows.ports,
            marks={pod: pod for pod in self.topology.pods},
            most=MAX_FLOWS,
        )

    def scenario(self, submission: Submission) -> Scenario:
        """The same state, as lookups are asked of it."""
        ips = {key: str(pod.ip) for key, pod in self.topology.pods.items()}
        return Scenario((*self.resources, *submission.resources), ips)


def world_of(assignment: Assignment) -> World:
    """The world of an assignment.

    Raises:
        ContentError: a row names an end that is not there.
    """
    given = Scenario(assignment.workloads).topology
    spaces = {**assignment.spaces}
    spaces.setdefault(ELSEWHERE, {})
    added = [_namespace(name, labels) for name, labels in spaces.items()]
    homes = [*(n for n in given.namespaces if n in _declared(assignment)), *spaces]
    witnesses = {str(w.ref): w.labels for w in assignment.witnesses}
    named = [Pod(w.ref.namespace, w.ref.name, w.labels) for w in assignment.witnesses]
    for key, labels in _witnesses([*given.pods.values(), *named], homes):
        witnesses.setdefault(key, labels)
    added += [_pod(key, labels) for key, labels in witnesses.items() if key not in given.pods]
    resources = (*map(_known, assignment.workloads), *added)
    topology = Scenario(resources).topology
    names: list[NamePort] = []
    wishes = [
        (row, _wish(row, topology, names)) for row in assignment.rows if row.sources and row.targets
    ]
    return World(assignment, resources, tuple(wishes), tuple(names))


def fingerprint(assignment: Assignment) -> str:
    """A text that differs between assignments which may mark a submission differently."""
    rows = [replace(row, where="") for row in assignment.all_rows]
    parts = (
        assignment.name,
        sorted(assignment.kinds),
        sorted(assignment.namespaces),
        assignment.default_namespace,
        assignment.broken,
        rows,
        assignment.least_privilege,
        sorted(assignment.spaces.items()),
        [(w.ref, sorted(w.labels.items()), w.live) for w in assignment.witnesses],
        assignment.outside,
        [json.dumps(r.body, sort_keys=True, default=str) for r in assignment.workloads],
    )
    return sha256(repr(parts).encode(errors="replace")).hexdigest()


def pair_end(kind: Kind, name: str, named: Iterable[str]) -> str:
    """An end as pairs count it: addresses outside are one, but for names that rows name."""
    return OUTSIDE if kind is Kind.OUTSIDE and name not in named else name


def _declared(assignment: Assignment) -> set[str]:
    return {r.name for r in assignment.workloads if r.kind == "Namespace"}


def _witnesses(pods: Sequence[Pod], homes: Iterable[str]) -> Iterator[tuple[str, Labels]]:
    homes = tuple(dict.fromkeys(homes))
    other = {key: _OTHER for pod in pods for key in pod.labels if pod.namespace in homes}
    alike: dict[frozenset[tuple[str, str]], Pod] = {}
    for pod in pods:
        alike.setdefault(frozenset(pod.labels.items()), pod)
    for home in (*homes, KUBE_SYSTEM):
        yield f"{home}/{NO_LABELS}", {}
    for home in homes:
        yield f"{home}/{OTHER_LABELS}", other
        for labels, pod in alike.items():
            there = (p for p in pods if p.namespace == home)
            if labels and not any(labels <= p.labels.items() for p in there):
                yield f"{home}/{LIKE}{pod.name}", pod.labels


def _namespace(name: str, labels: Labels) -> Resource:
    every = {**labels, NAME_LABEL: name}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": every}}
    return Resource("Namespace", "v1", "", name, body, "witness", (Namespace(name, every),))


def _pod(key: str, labels: Labels) -> Resource:
    namespace, _, name = key.partition("/")
    pod = Pod(namespace, name, dict(labels))
    return Resource("Pod", "v1", namespace, name, {}, "witness", (pod,))


def _known(resource: Resource) -> Resource:
    """The object with a value for each label that a controller chooses."""
    models = tuple(_labelled(m) if isinstance(m, Pod) else m for m in resource.models)
    return replace(resource, models=models)


def _labelled(pod: Pod) -> Pod:
    drawn = {key: sha256(f"{key} {pod.namespace}".encode()).hexdigest()[:10] for key in pod.hidden}
    return replace(pod, labels={**pod.labels, **drawn}, hidden=frozenset())


def _drawn(topology: Topology) -> Topology:
    """The topology with an address for each pod; no two pods have the same."""
    pods: dict[str, Pod] = {}
    taken: set[int] = set()
    for key, pod in topology.pods.items():
        place = int.from_bytes(sha256(key.encode()).digest()[:2]) or 1
        while place in taken:
            place = (place + 1) % _ADDRESSES
        taken.add(place)
        pods[key] = replace(pod, ip=pod.ip or IPv4Address(_POD_NETWORK + place))
    return replace(topology, pods=pods)


def _wish(row: Row, topology: Topology, names: list[NamePort]) -> Wish:
    """The flows that a row means. A name means the flow to its address, once it is looked up."""
    plain = [text for text in row.targets if not text.startswith("name/")]
    try:
        named = [parse_target(t, where=row.where) for t in row.targets if t not in plain]
    except OutcomeTableError as error:
        raise ContentError(error.what, where=row.where, seen=error.seen, try_=error.try_) from error
    wish = wish_of({"from": list(row.sources), "to": plain}, topology, row.where)
    more: list[tuple[Outside, PortWish]] = []
    for target in named:
        if not isinstance(target, NamePort) or target.name not in INTERNET:
            raise ContentError(
                f"`{target}` has no name of the simulated internet",
                where=row.where,
                seen=f"known: {', '.join(INTERNET)}",
            )
        names.append(target)
        more.append((Outside(target.name), PortWish(target.port, Protocol.TCP, target.port)))
    return replace(wish, targets=(*wish.targets, *more))
