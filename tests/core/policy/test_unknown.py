"""What is not known gives no verdict: the flow is undefined, and the answer says what misses."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given

from harness.core.model import (
    Direction,
    External,
    Namespace,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    Requirement,
    Rule,
    Selector,
    Topology,
    Unread,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import NAME_LABEL
from harness.core.target.ask import Flow
from tests.core.strategies import flows_of, policy_sets, topologies

ALLOW, DENY, UNDEFINED = Verdict.ALLOW, Verdict.DENY, Verdict.UNDEFINED
API = Pod("back", "api", {"app": "api"})
STRAY = Pod("stray", "web", {"app": "web"})
HASHED = Pod("back", "web-1", {"app": "web"}, hidden=frozenset({"pod-template-hash"}))
NODE = Pod("back", "agent", {"app": "web"}, host_network=True)
SITE = External("google.com", ip_address("192.0.2.10"))
BACK = {"back": Namespace("back", {NAME_LABEL: "back", "team": "a"})}


def requires(key: str, *values: str, operator: Operator = Operator.IN) -> Selector:
    return Selector((Requirement(key, operator, frozenset(values)),))


def only_from(*peers: Peer) -> NetworkPolicy:
    selected = requires("app", "api")
    types = frozenset({Direction.INGRESS})
    return NetworkPolicy("back", "p", selected, types, (Rule(peers),))


def topology(*pods: Pod, unread: tuple[Unread, ...] = ()) -> Topology:
    return Topology(BACK, {str(p): p for p in pods}, external={SITE.name: SITE}, unread=unread)


def ask(
    source: Pod | External, *policies: NetworkPolicy, unread: tuple[Unread, ...] = ()
) -> Oracle:
    return Oracle(topology(API, STRAY, HASHED, NODE, unread=unread), policies)


@pytest.mark.parametrize(
    ("selector", "verdict"),
    [
        (requires("team", "a"), UNDEFINED),
        (requires("team", operator=Operator.DOES_NOT_EXIST), UNDEFINED),
        (requires(NAME_LABEL, "stray"), ALLOW),
        (requires(NAME_LABEL, "back"), DENY),
        (Selector(), ALLOW),
        (
            Selector(
                (
                    *requires(NAME_LABEL, "back").requirements,
                    *requires("team", "a").requirements,
                )
            ),
            DENY,
        ),
    ],
)
def test_of_an_undeclared_namespace_only_its_name_is_known(
    selector: Selector, verdict: Verdict
) -> None:
    oracle = ask(STRAY, only_from(Peer(namespace_selector=selector)))
    found = oracle.decide(Flow(STRAY, API, 80))

    assert found.verdict is verdict
    if verdict is UNDEFINED:
        missing = "the labels of the namespace stray, which nothing declares"
        assert found.ingress.missing == (missing,)
        assert missing in found.ingress.reason


@pytest.mark.parametrize(
    ("selector", "verdict"),
    [
        (requires("pod-template-hash", "5f"), UNDEFINED),
        (requires("pod-template-hash", "5f", operator=Operator.NOT_IN), UNDEFINED),
        (requires("pod-template-hash", operator=Operator.EXISTS), ALLOW),
        (requires("pod-template-hash", operator=Operator.DOES_NOT_EXIST), DENY),
        (requires("io.cilium.k8s.policy.serviceaccount", "web"), UNDEFINED),
    ],
)
def test_label_whose_value_a_controller_chooses_is_not_known(
    selector: Selector, verdict: Verdict
) -> None:
    found = ask(HASHED, only_from(Peer(pod_selector=selector))).decide(Flow(HASHED, API, 80))

    assert found.verdict is verdict
    assert bool(found.ingress.missing) is (verdict is UNDEFINED)


def test_policy_that_perhaps_selects_a_pod_leaves_open_what_it_does_not_allow() -> None:
    selected = requires("pod-template-hash", "5f")
    types = frozenset({Direction.INGRESS})
    shut = NetworkPolicy("back", "shut", selected, types)
    wide = NetworkPolicy("back", "wide", selected, types, (Rule(),))

    assert ask(API, shut).verdict(Flow(API, HASHED, 80)) is UNDEFINED
    assert ask(API, wide).verdict(Flow(API, HASHED, 80)) is ALLOW
    assert ask(API, wide, shut).verdict(Flow(API, HASHED, 80)) is UNDEFINED


@pytest.mark.parametrize("namespace", ["", "back", "stray", "elsewhere"])
def test_object_that_was_not_read_leaves_open_all_that_it_could_decide(namespace: str) -> None:
    unread = Unread("AdminNetworkPolicy", namespace, "top", "it can deny flows")
    oracle = ask(STRAY, unread=(unread,))
    found = oracle.decide(Flow(STRAY, API, 80))

    assert found.verdict is (ALLOW if namespace == "elsewhere" else UNDEFINED)
    assert oracle.verdict(Flow(STRAY, API, 80)) is found.verdict
    if found.verdict is UNDEFINED:
        assert "AdminNetworkPolicy" in found.note
        assert "it can deny flows" in found.note


def test_node_is_undefined_only_where_a_policy_decides() -> None:
    everyone = only_from()

    assert ask(NODE).verdict(Flow(NODE, API, 80)) is ALLOW
    assert ask(NODE, everyone).verdict(Flow(NODE, API, 80)) is ALLOW
    assert ask(NODE, only_from(Peer(requires("app", "web")))).verdict(Flow(NODE, API, 80)) is (
        UNDEFINED
    )
    assert ask(NODE, only_from(Peer(requires("app", "x")))).verdict(Flow(NODE, API, 80)) is (
        UNDEFINED
    )


def test_as_nodes_pods_on_the_host_network_are_selected_by_nothing() -> None:
    policy = only_from(Peer(requires("app", "web")))
    oracle = Oracle(topology(API, NODE), [policy], nodes_apart=True)

    assert oracle.verdict(Flow(NODE, API, 80)) is DENY
    assert oracle.verdict(Flow(API, NODE, 80)) is ALLOW


@given(topologies(), policy_sets)
def test_what_is_declared_makes_answers_surer_and_never_others(
    world: Topology, found: tuple[NetworkPolicy, ...]
) -> None:
    less = Topology({}, world.pods, world.services, world.external)
    known, unknown = Oracle(world, found), Oracle(less, found)
    for flow in flows_of(world):
        assert unknown.verdict(flow) in (known.verdict(flow), UNDEFINED)


@given(topologies(), policy_sets)
def test_an_undefined_answer_says_what_is_missing(
    world: Topology, found: tuple[NetworkPolicy, ...]
) -> None:
    oracle = Oracle(Topology({}, world.pods, world.services, world.external), found)
    for flow in flows_of(world):
        decision = oracle.decide(flow)
        if decision.verdict is UNDEFINED and flow.protocol != "ICMP":
            assert decision.note or decision.egress.missing or decision.ingress.missing
