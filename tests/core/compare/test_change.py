"""What changes between two states: nothing that changes is missed, and nothing else is told."""

from __future__ import annotations

import pytest
from hypothesis import given

from harness.core.compare.change import Change, Turn, change_of
from harness.core.compare.ports import PortClass
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import Kind, State
from harness.core.manifests.wanted.flows import parse_wishes
from harness.core.model import NetworkPolicy, Topology
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.target.ask import Flow
from tests.core.compare.test_world import PORTS, state
from tests.core.strategies import policy_sets, topologies

Policies = tuple[NetworkPolicy, ...]
NONE = Wishes({})


def covers(port: PortClass, every: tuple[PortClass, ...], number: int, protocol: str) -> bool:
    """Whether a class of ports has this port; the last one has all that no other has."""
    if port.protocol != protocol:
        return False
    named = [p for p in every if p.protocol == protocol and not p.rest]
    if port.rest:
        return not any(p.number <= number <= p.last for p in named)
    return port.number <= number <= port.last


@given(topologies(), policy_sets, policy_sets)
def test_flips_are_the_flows_about_which_the_oracles_differ(
    topology: Topology, old: Policies, new: Policies
) -> None:
    change = change_of(State(topology, old), State(topology, new), NONE)
    before, after = Oracle(topology, old), Oracle(topology, new)

    for source in topology.pods.values():
        for target in topology.pods.values():
            for number, protocol in PORTS if source is not target else ():
                flow = Flow(source, target, number, protocol)
                told = {
                    (bundle.tag.before, bundle.tag.after)
                    for bundle in change.fates
                    if any(str(source) in end.names for end in bundle.sources)
                    and any(str(target) in end.names for end in bundle.targets)
                    and any(covers(p, bundle.all_ports, number, protocol) for p in bundle.ports)
                }
                was, will = before.verdict(flow), after.verdict(flow)
                assert told == ({(was, will)} if was is not will else set())


@given(topologies(), policy_sets)
def test_state_is_equal_to_itself(topology: Topology, found: Policies) -> None:
    one, turned = State(topology, found), State(topology, found[::-1])

    assert change_of(one, turned, NONE).equal


@given(topologies(), policy_sets, policy_sets)
def test_whatever_opens_one_way_closes_the_other_way(
    topology: Topology, old: Policies, new: Policies
) -> None:
    one, other = State(topology, old), State(topology, new)

    def ends(change: Change, turn: Turn) -> list[str]:
        return sorted(
            str(([e.names for e in b.sources], [e.names for e in b.targets], b.ports))
            for b in change.turning(turn)
        )

    there, back = change_of(one, other, NONE), change_of(other, one, NONE)
    assert ends(there, Turn.OPENS) == ends(back, Turn.CLOSES)
    assert ends(there, Turn.OTHER) == ends(back, Turn.OTHER)


PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: api, image: x, ports: [{containerPort: 8080}]}]}
"""
POLICY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  ingress: [{from: [FROM], ports: [{port: 8080}]}]
"""
WEB = PODS + POLICY.replace("FROM", "{podSelector: {matchLabels: {app: web}}}")
BLOCK = PODS + POLICY.replace("FROM", "{ipBlock: {cidr: 10.0.0.0/8}}")


def change(old: str, new: str, wanted: str = "") -> Change:
    before, after = state(old), state(new)
    pods = {**before.topology.pods, **after.topology.pods}
    topology = Topology({}, pods)
    lists = {"wanted": parse_wishes(wanted, topology, origin="wanted.yaml")} if wanted else {}
    return change_of(before, after, Wishes(lists))


LISTED = "- {from: shop/web, to: pod/shop/api:8080}"


@pytest.mark.parametrize(
    ("old", "new", "closing", "doubtful"),
    [
        (WEB, PODS, 0, 0),
        (PODS, WEB, 0, 0),
        (PODS, PODS + POLICY.replace("[FROM]", "[{podSelector: {matchLabels: {a: b}}}]"), 1, 0),
        (PODS, BLOCK, 0, 1),
        (WEB, PODS.partition("---")[0], 1, 0),
    ],
    ids=["opened-more", "kept", "closed", "unknown-now", "target-gone"],
)
def test_listed_flow_closes_only_if_that_is_certain(
    old: str, new: str, closing: int, doubtful: int
) -> None:
    found = change(old, new, LISTED)

    assert (len(found.closing), len(found.doubtful)) == (closing, doubtful)


def test_listed_flow_that_never_passed_is_told() -> None:
    shut = PODS + POLICY.replace("[FROM]", "[{podSelector: {matchLabels: {a: b}}}]")

    (bundle,) = change(shut, shut, LISTED).turning(Turn.SHUT)

    assert bundle.tag.lists == ("wanted",)
    assert change(shut, shut, LISTED).equal


def test_flow_that_is_open_for_any_port_closes_on_the_others_alone() -> None:
    closing = change(PODS, WEB).turning(Turn.CLOSES)

    ports = {p for b in closing if any("shop/web" in e.names for e in b.sources) for p in b.ports}
    assert ports
    assert all(port.rest for port in ports)


def test_pods_of_one_state_alone_are_named() -> None:
    found = change(PODS, PODS.partition("---")[0])

    assert (found.gone, found.new) == (("shop/api",), ())
    assert not found.equal


def test_unknown_in_both_states_is_counted_and_not_told_as_a_change() -> None:
    found = change(BLOCK, BLOCK)

    assert found.equal
    assert found.unknown


def test_stranger_who_may_come_is_told() -> None:
    opening = change(WEB, PODS).turning(Turn.OPENS)

    kinds = {end.kind for bundle in opening for end in bundle.sources}
    assert kinds == {Kind.POD, Kind.STRANGER, Kind.OUTSIDE}
    assert all(bundle.tag.after is Verdict.ALLOW for bundle in opening)
