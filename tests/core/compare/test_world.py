"""The closed world: its classes answer as every one of their members does."""

from __future__ import annotations

from hypothesis import given

from harness.core.compare.world import NOWHERE, Kind, State, closed_world
from harness.core.manifests.reader import parse, policies_of, topology_of
from harness.core.model import External, NetworkPolicy, Pod, Protocol, Topology
from harness.core.policy.oracle import Oracle
from harness.core.target.ask import Flow
from tests.core.strategies import NUMBERS, TRANSPORTS, policy_sets, topologies

PORTS = [(number, protocol) for number in (*NUMBERS, 82, 9_000) for protocol in TRANSPORTS]


@given(topologies(), policy_sets)
def test_class_answers_as_each_member(topology: Topology, found: tuple[NetworkPolicy, ...]) -> None:
    world = closed_world([State(topology, found)])
    oracle = Oracle(topology, found)
    pods = {name: end for end in world.ends if end.kind is Kind.POD for name in end.names}

    for source in topology.pods.values():
        for target in topology.pods.values():
            if source is target:
                continue
            end = pods[str(target)]
            for number, protocol in PORTS:
                (port,) = [
                    port
                    for port in world.ports(end)
                    if port.protocol is protocol and port.number <= number <= port.last
                ] or [p for p in world.ports(end) if p.rest and p.protocol is protocol]
                said = world.verdict(0, pods[str(source)], end, port)
                assert said is oracle.verdict(Flow(source, target, number, protocol))


@given(topologies(), policy_sets)
def test_every_pod_is_in_one_class(topology: Topology, found: tuple[NetworkPolicy, ...]) -> None:
    world = closed_world([State(topology, found)])

    names = [name for end in world.ends if end.kind is Kind.POD for name in end.names]
    assert sorted(names) == sorted(topology.pods)


MANY = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 40
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  egress:
    - to: [{ipBlock: {cidr: 203.0.113.0/24}}]
      ports: [{port: 8000, endPort: 9000}]
"""


def state(text: str) -> State:
    resources = parse(text, origin="x.yaml")
    return State(topology_of(resources), policies_of(resources))


def test_replicas_are_one_class_and_strangers_stand_for_who_may_come() -> None:
    world = closed_world([state(MANY)])

    assert [(end.kind, end.names[0], len(end.names)) for end in world.ends] == [
        (Kind.POD, "shop/web-1", 40),
        (Kind.STRANGER, "any other pod of shop", 1),
        (Kind.STRANGER, "any pod of another namespace", 1),
        (Kind.OUTSIDE, "every other address outside", 1),
        (Kind.OUTSIDE, "outside: 203.0.113.0/24", 1),
    ]


def test_ports_are_the_declared_the_named_and_one_for_all_others() -> None:
    world = closed_world([state(MANY)])

    assert [str(port) for port in world.ports(world.ends[0])] == [
        "TCP 8080",
        "TCP 8000-8079",
        "TCP 8081-9000",
        "any other TCP port",
        "any other UDP port",
        "any other SCTP port",
    ]


def test_nothing_outside_talks_to_anything_outside() -> None:
    world = closed_world([state(MANY)])
    outside = [end for end in world.ends if end.kind is Kind.OUTSIDE]

    assert world.flow(0, outside[0], outside[1], world.ports(outside[1])[0]) is None


def test_stranger_is_of_no_namespace_that_is_there() -> None:
    world = closed_world([state(MANY)])
    shown = world.ends[2].shown[0]

    assert shown is not None
    assert isinstance(shown[0], Pod)
    assert shown[0].namespace == NOWHERE
    assert not shown[0].labels


def test_name_of_a_rule_is_an_end_outside() -> None:
    text = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  endpointSelector: {}
  egress: [{toFQDNs: [{matchName: api.example.com}]}]
"""
    world = closed_world([state(text)], names=["extra.example.com"])

    shown = [end.shown[0] for end in world.ends if end.kind is Kind.OUTSIDE]
    names = [pair[0].name for pair in shown if pair and isinstance(pair[0], External)]
    assert names == ["extra.example.com", "api.example.com", "every address outside"]


def test_marks_and_ports_of_the_asker_are_told_apart_too() -> None:
    world = closed_world(
        [state(MANY)], ports=[(1234, 1234, Protocol.UDP)], marks={"shop/web-7": "special"}
    )

    assert [len(end.names) for end in world.ends if end.kind is Kind.POD] == [39, 1]
    assert "UDP 1234" in map(str, world.ports(world.ends[0]))
