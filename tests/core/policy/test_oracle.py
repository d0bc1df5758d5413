"""What the oracle says of single flows, and in which words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from harness.core.manifests.reader import parse, policies_of
from harness.core.model import (
    ContainerPort,
    Direction,
    External,
    IPBlock,
    Namespace,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
    Topology,
    Unread,
)
from harness.core.outcome import Verdict
from harness.core.policy.decision import Decision
from harness.core.policy.oracle import Oracle, decide
from harness.core.target.ask import Flow

ALL = Selector()
WEB = Pod("shop", "web", {"app": "web"}, (ContainerPort(8080, Protocol.TCP, "http"),))
API = Pod("shop", "api", {"app": "api"}, (ContainerPort(9090, Protocol.TCP, "http"),))
OTHER = Pod("away", "web", {"app": "web"})
OUT = External("example.org", ip_address("192.0.2.10"))
WORLD = Topology(
    {"shop": Namespace("shop", {"team": "shop"}), "away": Namespace("away", {})},
    {str(pod): pod for pod in (WEB, API, OTHER)},
    external={OUT.name: OUT},
)


def app(name: str) -> Selector:
    return Selector((Requirement("app", Operator.IN, frozenset({name})),))


def incoming(*rules: Rule, pods: Selector = ALL) -> NetworkPolicy:
    return NetworkPolicy("shop", "in", pods, frozenset({Direction.INGRESS}), ingress=rules)


def outgoing(*rules: Rule, pods: Selector = ALL) -> NetworkPolicy:
    return NetworkPolicy("shop", "out", pods, frozenset({Direction.EGRESS}), egress=rules)


def ask(
    source: Pod | External,
    target: Pod | External,
    *policies: NetworkPolicy,
    port: int = 80,
    protocol: Protocol = Protocol.TCP,
) -> Decision:
    return decide(WORLD, policies, Flow(source, target, port, protocol))


def test_empty_pod_selector_selects_whole_namespace() -> None:
    assert ask(OTHER, WEB, incoming()).verdict is Verdict.DENY
    assert ask(OTHER, API, incoming()).verdict is Verdict.DENY
    assert ask(WEB, OTHER, incoming()).verdict is Verdict.ALLOW


def test_rule_without_peers_and_ports_lets_everyone_pass() -> None:
    assert ask(OUT, WEB, incoming(Rule())).verdict is Verdict.ALLOW


def test_rules_of_a_direction_outside_of_policy_types_say_nothing() -> None:
    policy = NetworkPolicy("shop", "p", ALL, frozenset({Direction.INGRESS}), egress=(Rule(),))

    assert ask(WEB, API, policy).egress.isolated_by == ()


def test_pod_selector_alone_means_the_own_namespace() -> None:
    policy = incoming(Rule((Peer(app("web")),)), pods=app("api"))

    assert ask(WEB, API, policy).verdict is Verdict.ALLOW
    assert ask(OTHER, API, policy).verdict is Verdict.DENY


def test_undeclared_namespace_has_its_name_as_a_label() -> None:
    name = Requirement("kubernetes.io/metadata.name", Operator.IN, frozenset({"new"}))
    policy = incoming(Rule((Peer(namespace_selector=Selector((name,))),)))

    assert ask(Pod("new", "client", {}), WEB, policy).verdict is Verdict.ALLOW
    assert ask(Pod("newer", "client", {}), WEB, policy).verdict is Verdict.DENY


def test_named_port_is_the_receivers_own_in_both_directions() -> None:
    http = (PortRule(Protocol.TCP, "http"),)

    for policy in (incoming(Rule(ports=http)), outgoing(Rule(ports=http), pods=app("web"))):
        assert ask(WEB, API, policy, port=9090).verdict is Verdict.ALLOW
        assert ask(WEB, API, policy, port=8080).verdict is Verdict.DENY
        assert ask(WEB, API, policy, port=9090, protocol=Protocol.UDP).verdict is Verdict.DENY


def test_named_port_never_fits_what_is_outside() -> None:
    policy = outgoing(Rule(ports=(PortRule(Protocol.TCP, "http"),)))

    assert ask(WEB, OUT, policy).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("port", "verdict"), [(79, "deny"), (80, "allow"), (90, "allow"), (91, "deny")]
)
def test_end_port_is_part_of_its_range(port: int, verdict: str) -> None:
    policy = incoming(Rule(ports=(PortRule(Protocol.TCP, 80, 90),)))

    assert ask(WEB, API, policy, port=port).verdict == verdict


def test_port_rule_without_a_port_means_its_protocol_only() -> None:
    policy = incoming(Rule(ports=(PortRule(Protocol.UDP),)))

    assert ask(WEB, API, policy, port=53, protocol=Protocol.UDP).verdict is Verdict.ALLOW
    assert ask(WEB, API, policy, port=53).verdict is Verdict.DENY


def test_what_an_ip_block_cuts_out_is_denied() -> None:
    block = IPBlock(ip_network("192.0.2.0/24"), (ip_network("192.0.2.8/29"),))
    policy = outgoing(Rule((Peer(ip_block=block),)))

    assert ask(WEB, External("low", ip_address("192.0.2.1")), policy).verdict is Verdict.ALLOW
    decision = ask(WEB, OUT, policy)
    assert decision.verdict is Verdict.DENY
    assert "192.0.2.10 is in the part cut out, 192.0.2.8/29" in decision.egress.reason


def test_ip_block_is_undefined_for_a_pod_whose_address_is_not_known() -> None:
    policy = outgoing(Rule((Peer(ip_block=IPBlock(ip_network("0.0.0.0/0"))),)))
    decision = ask(WEB, API, policy)

    assert decision.verdict is Verdict.UNDEFINED
    assert decision.egress.missing == ("the address of shop/api",)
    assert decision.egress.reason.endswith("and it hangs on the address of shop/api")


def test_ip_block_that_lets_a_pod_pass_is_named_as_a_thing_cnis_differ_on() -> None:
    policy = outgoing(Rule((Peer(ip_block=IPBlock(ip_network("10.0.0.0/8"))),)))
    decision = ask(WEB, Pod("shop", "db", {}, ip=ip_address("10.0.0.7")), policy)

    assert decision.verdict is Verdict.ALLOW
    assert "CNIs differ on pods" in decision.egress.reason


def test_denial_wins_over_what_is_not_known_at_the_other_end() -> None:
    block = outgoing(Rule((Peer(ip_block=IPBlock(ip_network("0.0.0.0/0"))),)))

    assert ask(WEB, API, block, incoming()).verdict is Verdict.DENY


def test_icmp_is_undefined_where_a_policy_isolates() -> None:
    assert ask(WEB, API, port=0, protocol=Protocol.ICMP).verdict is Verdict.ALLOW
    decision = ask(WEB, API, incoming(Rule()), port=0, protocol=Protocol.ICMP)
    assert decision.verdict is Verdict.UNDEFINED
    assert "TCP, UDP and SCTP only" in decision.ingress.reason


def test_pod_that_talks_to_itself_passes_whatever_the_policies_say() -> None:
    decision = ask(WEB, WEB, incoming())

    assert decision.verdict is Verdict.ALLOW
    assert decision.reasons[0].startswith("allowed: shop/web talks to itself")


def test_pod_that_talks_to_itself_through_a_service_leaves_on_the_way() -> None:
    flow = Flow(WEB, WEB, 80, translated=True)
    shut, open_ = incoming(), incoming(Rule())

    def verdicts(policy: NetworkPolicy, hairpin: Verdict) -> set[Verdict]:
        oracle = Oracle(WORLD, [policy], hairpin=hairpin)
        return {oracle.verdict(flow), oracle.decide(flow).verdict}

    for settled in (Verdict.UNDEFINED, Verdict.DENY, Verdict.ALLOW):
        assert verdicts(shut, settled) == {settled}
        assert verdicts(open_, settled) == {Verdict.ALLOW}
    decision = Oracle(WORLD, [shut]).decide(flow)
    assert decision.reasons[0].startswith(
        "undefined: through the Service, shop/web talks to itself"
    )


def test_hairpin_flow_that_something_unread_may_decide_is_undefined() -> None:
    unread = Unread("AdminNetworkPolicy", "", "top", "it can deny flows")
    oracle = Oracle(replace(WORLD, unread=(unread,)), [incoming(Rule())], hairpin=Verdict.ALLOW)
    flow = Flow(WEB, WEB, 80, translated=True)

    assert {oracle.verdict(flow), oracle.decide(flow).verdict} == {Verdict.UNDEFINED}


def test_pod_is_itself_under_other_labels() -> None:
    relabelled = Pod(WEB.namespace, WEB.name, {"app": "new"})

    assert ask(WEB, relabelled, incoming()).verdict is Verdict.ALLOW


@pytest.mark.parametrize("host_end", ["source", "target"])
def test_host_network_is_undefined_even_under_a_denial(host_end: str) -> None:
    host = Pod("shop", "node-agent", {}, host_network=True)
    ends = (host, WEB) if host_end == "source" else (WEB, host)
    decision = ask(*ends, incoming())

    assert decision.verdict is Verdict.UNDEFINED
    assert "shop/node-agent is on the host network" in decision.reasons[0]


def test_what_is_outside_is_never_isolated() -> None:
    assert Oracle(WORLD, (incoming(), outgoing())).selecting(OUT, Direction.EGRESS) == ()
    assert ask(OUT, OTHER, incoming(), outgoing()).verdict is Verdict.ALLOW


def test_decision_names_the_rules_from_one() -> None:
    policy = incoming(Rule((Peer(app("db")),)), Rule((Peer(app("web")),)))

    assert ask(WEB, API, policy).ingress.allowed_by == ((policy, 2),)


def test_denial_names_policy_peer_port_and_labels() -> None:
    assert ask(WEB, API, incoming()).ingress.reason == (
        "ingress DENIED: shop/api is selected by shop/in; no rule allows ingress from shop/web "
        "(app=web) on TCP 80; there is no ingress rule at all, which lets nobody pass"
    )


def test_denial_by_port_alone_names_the_rule_whose_peer_fits() -> None:
    anyone = Peer(ALL, ALL)
    policy = outgoing(Rule((Peer(app("db")),)), Rule((anyone,), (PortRule(Protocol.UDP, 53),)))

    reason = ask(WEB, API, policy, port=53).egress.reason

    assert "nearest: shop/out, rule 2 (" in reason
    assert reason.endswith("UDP 53) lacks the protocol TCP")


def test_denial_by_namespace_alone_says_which_namespace_is_meant() -> None:
    decision = ask(OTHER, API, incoming(Rule((Peer(app("web")),))))

    assert decision.ingress.reason.endswith(
        "a namespaceSelector for away (its podSelector alone means pods of the namespace shop)"
    )


def test_equal_ends_made_anew_get_the_same_answer() -> None:
    oracle = Oracle(WORLD, (incoming(Rule((Peer(app("web")),))),))
    copy = Pod(WEB.namespace, WEB.name, dict(WEB.labels), WEB.ports)

    assert oracle.verdict(Flow(copy, API, 80)) is oracle.verdict(Flow(WEB, API, 80))
    assert oracle.decide(Flow(copy, API, 80)) == oracle.decide(Flow(WEB, API, 80))


def test_policy_selects_no_pod_of_another_namespace() -> None:
    assert Oracle(WORLD, (incoming(),)).selecting(OTHER, Direction.INGRESS) == ()


def test_empty_egress_list_does_not_isolate_for_egress() -> None:
    text = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: shop}
spec: {podSelector: {}, egress: []}
"""
    (policy,) = policies_of(parse(text, origin="p.yaml"))

    assert policy.policy_types == {Direction.INGRESS}
