"""A sample of flows has one for every pair of classes and every rule, and says what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

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
    Requirement,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.target import PodPort, ports_of
from harness.core.target.ask import Ask, flow_of
from tests.core.strategies import policy_sets, topologies

NODES = ("one", "two")


def nodes_of(topology: Topology) -> dict[PodRef, str]:
    return {pod.ref: NODES[n % 2] for n, pod in enumerate(topology.pods.values())}


def targets_of(topology: Topology) -> list[PodPort]:
    return list(dict.fromkeys(port for pod in topology.pods.values() for port in ports_of(pod)))


def everything(topology: Topology) -> list[Ask]:
    return [
        Ask(pod.ref, port)
        for pod in topology.pods.values()
        for port in targets_of(topology)
        if port.pod != pod.ref
    ]


def sampled(topology: Topology, policies: tuple[NetworkPolicy, ...]) -> Sample:
    return sample(topology, policies, targets_of(topology), nodes_of(topology))


def single_rules(policies: tuple[NetworkPolicy, ...]) -> Iterator[tuple[str, NetworkPolicy]]:
    """Each rule that counts, as a policy that has no other rule, with the name of the rule."""
    for policy in policies:
        for direction in policy.policy_types:
            for number, rule in enumerate(policy.rules(direction), 1):
                inward = direction is Direction.INGRESS
                alone = replace(
                    policy,
                    policy_types=frozenset({direction}),
                    ingress=(rule,) if inward else (),
                    egress=() if inward else (rule,),
                )
                yield f"{policy} {direction.lower()} rule {number}", alone


def opens(topology: Topology, policy: NetworkPolicy, ask: Ask) -> bool:
    """Whether the policy's rule is what lets a flow pass."""
    flow = flow_of(ask.source, ask.target, topology)  # type: ignore[arg-type]
    shut = replace(policy, ingress=(), egress=())
    return (
        Oracle(topology, [policy]).verdict(flow) is Verdict.ALLOW
        and Oracle(topology, [shut]).verdict(flow) is not Verdict.ALLOW
    )


@given(topologies(), policy_sets)
def test_every_verdict_that_flows_have_is_among_those_of_the_sample(
    topology: Topology, policies: tuple[NetworkPolicy, ...]
) -> None:
    oracle = Oracle(topology, policies)
    every = {oracle.verdict(flow_of(a.source, a.target, topology)) for a in everything(topology)}  # type: ignore[arg-type]

    found = sampled(topology, policies)

    assert {oracle.verdict(flow_of(a.source, a.target, topology)) for a in found.asks} == every  # type: ignore[arg-type]
    assert found.flows == len(everything(topology))


@given(topologies(), policy_sets)
def test_every_rule_has_a_flow_or_is_named(
    topology: Topology, policies: tuple[NetworkPolicy, ...]
) -> None:
    policies = tuple({str(policy): policy for policy in policies}.values())  # names tell them apart
    found = sampled(topology, policies)

    for name, policy in single_rules(policies):
        if any(opens(topology, policy, ask) for ask in everything(topology)):
            assert any(opens(topology, policy, ask) for ask in found.asks), name
            assert name not in found.idle


@given(topologies(), policy_sets)
def test_no_pod_is_left_out_and_no_pod_is_asked_by_itself(
    topology: Topology, policies: tuple[NetworkPolicy, ...]
) -> None:
    found = sampled(topology, policies)

    every = everything(topology)
    assert {ask.source for ask in found.asks} == {ask.source for ask in every}
    assert {ask.target.pod for ask in found.asks} == {ask.target.pod for ask in every}  # type: ignore[union-attr]
    assert all(ask.target.pod != ask.source for ask in found.asks)  # type: ignore[union-attr]


@given(st.integers(1, 12))
def test_pods_that_no_policy_tells_apart_cost_a_flow_on_a_node_and_one_between_nodes(
    number: int,
) -> None:
    pods = [Pod("x", f"pod-{n}", {"app": "a"}, (ContainerPort(80),)) for n in range(number + 1)]
    topology = Topology({"x": Namespace("x", {})}, {str(pod): pod for pod in pods})

    found = sampled(topology, ())

    assert found.classes == 1
    assert len(found.asks) <= 2 + 2 * len(pods)
    ways = {nodes_of(topology)[a.source] == nodes_of(topology)[a.target.pod] for a in found.asks}  # type: ignore[union-attr]
    assert ways == ({True, False} if number > 1 else {False})


def test_rule_that_nobody_can_show_is_named() -> None:
    nobody = Selector((Requirement("app", Operator.IN, frozenset({"nobody"})),))
    pods = [Pod("x", name, {}, (ContainerPort(80),)) for name in ("one", "two")]
    topology = Topology({"x": Namespace("x", {})}, {str(pod): pod for pod in pods})
    rules = (Rule((Peer(nobody),)), Rule((Peer(Selector(())),)))
    policy = NetworkPolicy("x", "p", Selector(()), frozenset({Direction.INGRESS}), ingress=rules)

    found = sampled(topology, (policy,))

    assert found.idle == ("x/p ingress rule 1",)
    assert found.words[-1] == "no flow can show these rules: x/p ingress rule 1"
