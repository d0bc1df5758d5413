"""Least privilege: what is called unused can go, and what is called unwanted passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.manifests.reader import parse, policies_of, topology_of
from harness.core.manifests.wanted.flows import MAX_ENTRIES, parse_wanted
from harness.core.model import Direction, NetworkPolicy, Rule, Topology
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.privilege import Unused, every_flow, privilege_of
from harness.core.predict.scenario import Scenario
from harness.core.target.ask import Flow
from harness.errors import ManifestError
from tests.core.policy.test_diagnosis import WORLD
from tests.core.strategies import flows_of, policy_sets, topologies

Policies = tuple[NetworkPolicy, ...]
OPEN = WORLD.replace("UDP", "TCP")


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Topology, list[Flow]]:
    topology = draw(topologies())
    flows = flows_of(topology)
    numbers = draw(st.lists(st.integers(0, len(flows) - 1), max_size=6, unique=True))
    return topology, [flows[number] for number in numbers]


def kept(rules: tuple[Rule, ...], unused: list[Unused]) -> tuple[Rule, ...]:
    """The rules without the unused ones and without the unused parts of the others."""
    found = []
    for number, rule in enumerate(rules, 1):
        mine = [part for part in unused if part.rule == number]
        if any(not part.peer and not part.port for part in mine):
            continue
        peers = {part.peer for part in mine}
        ports = {part.port for part in mine}
        found.append(
            Rule(
                tuple(p for n, p in enumerate(rule.peers, 1) if n not in peers),
                tuple(p for n, p in enumerate(rule.ports, 1) if n not in ports),
            )
        )
    return tuple(found)


def trimmed(policy: NetworkPolicy, unused: tuple[Unused, ...]) -> NetworkPolicy:
    mine = [part for part in unused if part.policy == policy]
    ways = {way: [part for part in mine if part.direction is way] for way in Direction}
    return replace(
        policy,
        ingress=kept(policy.ingress, ways[Direction.INGRESS]),
        egress=kept(policy.egress, ways[Direction.EGRESS]),
    )


@given(wishes(), policy_sets)
def test_without_the_unused_parts_wanted_flows_fare_the_same(
    wish: tuple[Topology, list[Flow]], found: Policies
) -> None:
    topology, wanted = wish
    unused = privilege_of(topology, found, wanted).unused
    before = Oracle(topology, found)
    after = Oracle(topology, [trimmed(policy, unused) for policy in found])

    assert [after.verdict(f) for f in wanted] == [before.verdict(f) for f in wanted]


@given(wishes(), policy_sets)
def test_without_the_unused_parts_nothing_new_passes(
    wish: tuple[Topology, list[Flow]], found: Policies
) -> None:
    topology, wanted = wish
    unused = privilege_of(topology, found, wanted).unused
    before = Oracle(topology, found)
    after = Oracle(topology, [trimmed(policy, unused) for policy in found])

    for flow in flows_of(topology):
        if before.verdict(flow) is Verdict.DENY:
            assert after.verdict(flow) is Verdict.DENY


@given(wishes(), policy_sets)
def test_unwanted_flows_pass_and_missing_ones_do_not(
    wish: tuple[Topology, list[Flow]], found: Policies
) -> None:
    topology, wanted = wish
    oracle = Oracle(topology, found)

    privilege = privilege_of(topology, found, wanted)

    listed = {str(flow) for flow in wanted}
    assert all(oracle.verdict(flow) is Verdict.ALLOW for flow in privilege.unwanted)
    assert not listed & {str(flow) for flow in privilege.unwanted}
    assert all(oracle.verdict(flow) is Verdict.DENY for flow in privilege.missing)
    assert {str(flow) for flow in privilege.missing} <= listed


@given(topologies(), policy_sets)
def test_who_wants_nothing_uses_no_rule(topology: Topology, found: Policies) -> None:
    rules = sum(
        len(p.egress if way is Direction.EGRESS else p.ingress)
        for p in found
        for way in p.policy_types
    )

    assert len(privilege_of(topology, found, []).unused) == rules


def test_second_rule_is_unused_when_only_the_first_serves() -> None:
    resources = parse(OPEN, origin="world.yaml")
    topology = topology_of(resources)
    wanted = [Flow(topology.pods["front/web"], topology.pods["back/api"], 8080)]

    unused = privilege_of(topology, policies_of(resources), wanted).unused

    assert [str(part) for part in unused] == ["back/door ingress rule 2"]


def test_every_flow_goes_to_a_port_that_listens() -> None:
    topology = Scenario(parse(WORLD, origin="world.yaml")).topology

    flows = {str(flow) for flow in every_flow(topology)}

    assert "front/web -> pod/back/api:8080" in flows
    assert "front/web -> pod/kube-system/coredns:53/udp" in flows
    assert not any(flow.startswith("kube-system/") for flow in flows)
    assert "front/web -> pod/front/web:80" not in flows


def wanted(text: str) -> list[str]:
    topology = Scenario(parse(WORLD, origin="world.yaml")).topology
    return [str(flow) for flow in parse_wanted(text, topology, origin="wanted.yaml")]


def test_entry_is_one_flow() -> None:
    assert wanted("- {from: front/web, to: pod/back/api:8080}") == [
        "front/web -> pod/back/api:8080"
    ]


def test_star_means_every_pod_of_a_namespace_and_dns_both_protocols() -> None:
    found = wanted("- {from: front/*, to: dns}")

    assert found == [
        "front/web -> pod/kube-system/coredns:53/udp",
        "front/web -> pod/kube-system/coredns:53",
    ]


def test_flow_that_stands_twice_counts_once() -> None:
    assert len(wanted("- {from: front/web, to: dns}\n- {from: front/*, to: dns}")) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from: front/web", "one YAML list"),
        ("", "one YAML list"),
        ("- {from: front/web}", "`from` and `to`"),
        ("- {from: front/web, to: dns, port: 1}", "`from` and `to`"),
        ("- front/web", "`from` and `to`"),
        ("- {from: front/nobody, to: dns}", "not a pod that is there"),
        ("- {from: nowhere/*, to: dns}", "not a pod that is there"),
        ("- {from: front/web, to: pod/back/api}", "not a valid target"),
        ("- {from: front/web, to: pod/back/gone:1}", "`back/gone` is not a pod that is there"),
        ("- {from: front/web, to: lookup/google.com}", "not valid in a list of wanted flows"),
        ("- {from: front/web, to: net/nowhere.example:80}", "a network nor a name"),
        ("- [", "not YAML"),
        ("[" * 3000, "more than 100 levels"),
        ("- {from: front/web, to: dns}\n" * (MAX_ENTRIES + 1), "entries"),
        ("#" * 2_000_000, "bytes"),
    ],
)
def test_wrong_list_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        wanted(text)


def test_wrong_entry_is_named_by_its_line() -> None:
    with pytest.raises(ManifestError) as error:
        wanted("- {from: front/web, to: dns}\n- {from: front/x, to: dns}")

    assert error.value.where == "wanted.yaml:2"
