"""What the choice of a sample costs on a cluster that is too large for a whole matrix."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from benchmarks.figures import Figure, timed
from harness.core.compare.sampling import Sample, sample
from harness.core.model import (
    ContainerPort,
    Direction,
    Namespace,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    PodRef,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
    Topology,
)
from harness.core.target import PodPort, ports_of

PODS, POLICIES, WORKLOADS, SPACES, NODES = 5000, 500, 500, 50, 100
TARGET = 10.0
"""Seconds."""

World = tuple[Topology, list[NetworkPolicy], list[PodPort], dict[PodRef, str]]


def sampling() -> Iterator[Figure]:
    """The choice for `PODS` pods under `POLICIES` policies, in memory."""
    made = world()
    found: list[Sample] = []
    name = f"sample of classes: {PODS} pods, {POLICIES} policies"
    figure = timed(name, lambda: found.append(sample(*made)), target=TARGET, repeat=3)
    chosen = found[-1]
    counts = {"flows": len(chosen.asks), "of": chosen.flows, "classes": chosen.classes}
    yield replace(figure, counts=counts)


def world() -> World:
    """Workloads with ten pods each, and policies that each select one and let another one in."""
    pick = random.Random(1)  # noqa: S311 - the same world in every run
    pods, nodes = {}, {}
    for number in range(PODS):
        work = number % WORKLOADS
        space = f"space-{work % SPACES}"
        labels = {"app": f"app-{work}", "tier": f"tier-{work % 3}", "pod": f"pod-{number}"}
        ports = (ContainerPort(8000 + work % 5, Protocol.TCP, "http"),)
        address = ip_address(f"10.{244 + number // 60000}.{number // 250}.{number % 250 + 1}")
        pod = Pod(space, f"pod-{number:04}", labels, ports, address)
        pods[str(pod)] = pod
        nodes[pod.ref] = f"node-{number * 7 % NODES}"
    spaces = {f"space-{n}": Namespace(f"space-{n}", {"env": f"e{n % 4}"}) for n in range(SPACES)}
    policies = [_policy(number, pick) for number in range(POLICIES)]
    targets = [port for pod in pods.values() for port in ports_of(pod)]
    return Topology(spaces, pods), policies, targets, nodes


def _policy(number: int, pick: random.Random) -> NetworkPolicy:
    def chosen(key: str, value: str) -> Selector:
        return Selector((Requirement(key, Operator.IN, frozenset({value})),))

    peer = Peer(chosen("app", f"app-{pick.randrange(WORKLOADS)}"), Selector(()))
    tier = Peer(chosen("tier", f"tier-{number % 3}"), chosen("env", f"e{number % 4}"))
    rule = Rule((peer, tier), (PortRule(Protocol.TCP, pick.choice((8000, 8001, "http"))),))
    own = chosen("app", f"app-{number}")
    both = frozenset(Direction)
    return NetworkPolicy(f"space-{number % SPACES}", f"p-{number}", own, both, (rule,), (rule,))
