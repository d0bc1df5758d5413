"""Who may reach whom: equal rows and columns once, and each cell as the oracle has it."""

from __future__ import annotations

import pytest
from hypothesis import given

from harness.core.compare.naming import ends_words, pods_words
from harness.core.compare.ports import Ports, ports_words
from harness.core.compare.reach import reach_of
from harness.core.compare.world import Kind, State, closed_world
from harness.core.model import ContainerPort, NetworkPolicy, PortRule, Protocol, Topology
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.target.ask import Flow
from tests.core.compare.test_world import MANY, state
from tests.core.strategies import policy_sets, topologies


@given(topologies(), policy_sets)
def test_cell_of_a_group_holds_for_all_its_pods(
    topology: Topology, found: tuple[NetworkPolicy, ...]
) -> None:
    reach = reach_of(closed_world([State(topology, found)]), every_port=True)
    oracle = Oracle(topology, found)

    for (group, column), answer in reach.cells.items():
        froms = [n for end in group.ends if end.kind is Kind.POD for n in end.names]
        tos = [n for end in column.group.ends if end.kind is Kind.POD for n in end.names]
        for source in froms:
            for target in tos:
                for port in column.ports if source != target else ():
                    ends = topology.pods[source], topology.pods[target]
                    assert oracle.verdict(Flow(*ends, port.number, port.protocol)) is answer.verdict


def test_forty_pods_are_one_row() -> None:
    reach = reach_of(closed_world([state(MANY)], strangers=False))

    assert [ends_words(group.ends) for group in reach.groups] == [
        "shop/web-1..web-40 (40 pods)",
        "every other address outside",
        "outside: 203.0.113.0/24",
    ]
    told = {
        (ends_words(g.ends), ends_words(c.group.ends), ports_words(c.ports, c.all_ports)): answer
        for (g, c), answer in reach.cells.items()
    }
    web = "shop/web-1..web-40 (40 pods)"
    assert told[web, web, "TCP 8080"].verdict is Verdict.DENY
    assert told[web, "outside: 203.0.113.0/24", "TCP 8000-9000"].verdict is Verdict.ALLOW
    assert (
        told[web, "outside: 203.0.113.0/24", "every port but TCP 8000-9000"].verdict is Verdict.DENY
    )


def test_open_ports_that_nobody_declares_are_counted() -> None:
    one = MANY.partition("---")[0]

    assert reach_of(closed_world([state(one)], strangers=False)).undeclared == 6
    assert reach_of(closed_world([state(one)], strangers=False), every_port=True).undeclared == 0


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a/x"], "a/x"),
        (["a/x-1", "a/x-2", "a/x-3", "a/x-5"], "a/x-1..x-3, a/x-5 (4 pods)"),
        (["a/x-2", "b/x-3"], "a/x-2, b/x-3 (2 pods)"),
        ([f"a/p{letter}" for letter in "abcdef"], "a/pa, a/pb, a/pc, a/pd, ... (6 pods)"),
    ],
)
def test_many_pods_are_few_words(names: list[str], words: str) -> None:
    assert pods_words(names) == words


def test_ports_in_words_are_the_shortest_that_are_true() -> None:
    ports = Ports([PortRule(port=80)], ()).of([ContainerPort(53, Protocol.UDP)])
    udp, tcp, *rest = ports

    assert ports_words(ports, ports) == "every port"
    assert ports_words([udp], ports) == "UDP 53"
    assert ports_words([udp, *rest], ports) == "every port but TCP 80"
    assert ports_words([tcp, rest[0]], ports) == "TCP 80, any other TCP port"
