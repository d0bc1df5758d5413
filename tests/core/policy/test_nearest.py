"""One search for the nearest rule, which reads peers and ports as the oracle does."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.core.model import (
    Direction,
    Entity,
    External,
    IPBlock,
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
from harness.core.policy.diagnosis import diagnose
from harness.core.policy.nearest import nearest
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import Crowd
from harness.core.target.ask import Flow
from tests.core.strategies import flows_of, policy_sets, rules, topologies

WEB = Pod("front", "web", {"app": "web"}, ip=ip_address("10.0.0.2"))
API = Pod("back", "api", {"app": "api"}, ip=ip_address("10.0.0.3"))
SITE = External("google.com", ip_address("192.0.2.10"))
OTHER = External("example.com", ip_address("192.0.2.20"))
WORLD = Topology(
    {name: Namespace(name, {"kubernetes.io/metadata.name": name}) for name in ("front", "back")},
    {str(pod): pod for pod in (WEB, API)},
    external={end.name: end for end in (SITE, OTHER)},
)
ALL = Selector()
NO_LOOKUP = (
    "an address of google.com (no rules.dns sends this pod's lookups through Cilium's DNS proxy, "
    "so Cilium learns none)"
)


def policy(rule: Rule, direction: Direction, pod: Pod) -> NetworkPolicy:
    """Isolates the pod, and has this rule."""
    found = (rule,)
    ingress, egress = ((), found) if direction is Direction.EGRESS else (found, ())
    return NetworkPolicy(pod.namespace, "only", ALL, frozenset({direction}), ingress, egress)


def lacking(target: Pod | External, *peers: Peer) -> tuple[str, ...]:
    """What an egress rule of web's, with these peers, lacks."""
    only = policy(Rule(peers), Direction.EGRESS, WEB)
    side = Oracle(WORLD, (only,)).decide(Flow(WEB, target, 80)).egress
    assert side.nearest is not None
    return side.nearest.lacks


@pytest.mark.parametrize(
    ("target", "peer", "lacks"),
    [
        (
            API,
            Peer(ip_block=IPBlock(ip_network("10.0.0.0/8"), outside_only=True)),
            "the pod back/api (the CIDRs of a CiliumNetworkPolicy never mean pods)",
        ),
        (
            SITE,
            Peer(ip_block=IPBlock(ip_network("0.0.0.0/0"), (ip_network("192.0.2.0/24"),))),
            "the address of google.com (192.0.2.10 is in the part cut out, 192.0.2.0/24)",
        ),
        (SITE, Peer(ip_block=IPBlock(ip_network("10.0.0.0/8"))), "the address of google.com"),
        (
            API,
            Peer(entity=Entity.WORLD),
            "the end back/api (world means only what lies outside of the cluster)",
        ),
        (SITE, Peer(entity=Entity.CLUSTER), "the end google.com"),
        (
            SITE,
            Peer(fqdn="google.com"),
            NO_LOOKUP,
        ),
        (
            SITE,
            Peer(fqdn="example.com"),
            "the name google.com (nor is its address that of a name which the rule allows)",
        ),
        (
            API,
            Peer(fqdn="*.com"),
            "the pod back/api (toFQDNs means only what lies outside of the cluster)",
        ),
        (SITE, Peer(ALL), "an ipBlock for google.com, which is outside of the cluster"),
    ],
)
def test_rule_lacks_the_one_thing_that_people_stumble_over(
    target: Pod | External, peer: Peer, lacks: str
) -> None:
    assert lacking(target, peer) == (lacks,)


def test_best_peer_of_a_rule_counts() -> None:
    assert lacking(API, Peer(ip_block=IPBlock(ip_network("192.0.2.0/24"))), Peer(ALL)) == (
        "the address of back/api",
    )


def test_of_rules_that_lack_one_thing_the_one_with_the_right_peer_is_nearest() -> None:
    far, near = Rule((Peer(ALL),)), Rule(ports=(PortRule(port=443),))
    only = replace(policy(far, Direction.EGRESS, WEB), egress=(far, near))

    found = Oracle(WORLD, (only,)).decide(Flow(WEB, API, 80)).egress.nearest

    assert found is not None
    assert (found.number, found.lacks) == (2, ("the port TCP 80",))


def test_the_reasons_and_the_diagnosis_name_the_same_rule() -> None:
    own = Rule((Peer(Selector()),))
    wrong = Rule((Peer(ALL, Selector()),), (PortRule(Protocol.UDP, 80),))
    only = replace(policy(own, Direction.INGRESS, API), ingress=(own, wrong))

    found = diagnose(WORLD, (only,), Flow(WEB, API, 80))

    (block,) = found.blocks
    assert block.nearest is not None
    assert block.nearest.number == 2
    assert found.reasons[-1].endswith(f"nearest: {block.nearest}")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Topology, tuple[NetworkPolicy, ...], Flow]:
    topology = draw(topologies())
    flows = flows_of(topology)
    return topology, draw(policy_sets), flows[draw(st.integers(0, len(flows) - 1))]


@given(cases())
def test_one_flow_has_one_nearest_rule_at_each_end(
    case: tuple[Topology, tuple[NetworkPolicy, ...], Flow],
) -> None:
    topology, found, flow = case
    diagnosis = diagnose(topology, found, flow)
    decision = Oracle(topology, found).decide(flow)
    sides = {side.direction: side for side in (decision.egress, decision.ingress)}

    for block in diagnosis.blocks:
        named = [r.partition("nearest: ")[2] for r in diagnosis.reasons if r == block.reason]
        assert named == [str(block.nearest) if block.nearest else ""]
        assert block.nearest == sides[block.direction].nearest


@given(topologies(), rules, st.sampled_from(Direction), st.data())
def test_rule_lacks_nothing_exactly_if_it_lets_the_flow_pass(
    topology: Topology, rule: Rule, direction: Direction, data: st.DataObject
) -> None:
    flows = [f for f in flows_of(topology) if f.protocol is not Protocol.ICMP]
    flow = data.draw(st.sampled_from(flows))
    own = flow.source if direction is Direction.EGRESS else flow.target
    assume(isinstance(own, Pod))
    assert isinstance(own, Pod)
    only = policy(rule, direction, own)
    decision = Oracle(topology, (only,)).decide(flow)
    side = decision.egress if direction is Direction.EGRESS else decision.ingress
    crowd = Crowd((*topology.pods.values(), *topology.external.values()), topology.namespaces)

    found = nearest(crowd, flow, direction, [(only, 1, rule)])

    assert found is not None
    assert (found.lacks == ()) is (side.verdict is Verdict.ALLOW)
