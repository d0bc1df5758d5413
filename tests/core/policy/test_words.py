"""Rules and ends of flows, as people read them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from harness.core.model import (
    External,
    IPBlock,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from harness.core.policy.words import port_words, rule_words, who
from harness.core.target.ask import Flow

ALL = Selector()
POD = Pod("shop", "web", {"tier": "front", "app": "web"})


def wanting(operator: Operator, *values: str) -> Selector:
    return Selector((Requirement("app", operator, frozenset(values)),))


def test_pod_is_told_with_its_labels_in_order() -> None:
    assert who(POD) == "shop/web (app=web,tier=front)"
    assert who(Pod("shop", "bare", {})) == "shop/bare (no labels)"


def test_what_is_outside_is_told_as_such() -> None:
    outside = External("example.org", ip_address("192.0.2.1"))

    assert who(outside) == "example.org, outside of the cluster"


def test_icmp_has_no_port() -> None:
    assert port_words(Flow(POD, POD, 0, Protocol.ICMP)) == ""
    assert port_words(Flow(POD, POD, 53, Protocol.UDP)) == " on UDP 53"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (Peer(ALL), "all pods of its own namespace"),
        (Peer(None, ALL), "pods in all namespaces"),
        (Peer(ALL, ALL), "all pods in all namespaces"),
        (Peer(wanting(Operator.IN, "web")), "pods with app=web of its own namespace"),
        (Peer(wanting(Operator.IN, "b", "a")), "pods with app in (a,b) of its own namespace"),
        (Peer(wanting(Operator.NOT_IN, "a")), "pods with app not in (a) of its own namespace"),
        (Peer(None, wanting(Operator.EXISTS)), "pods in namespaces with app"),
        (Peer(None, wanting(Operator.DOES_NOT_EXIST)), "pods in namespaces with no app"),
        (
            Peer(ip_block=IPBlock(ip_network("10.0.0.0/8"), (ip_network("10.1.0.0/16"),))),
            "addresses in 10.0.0.0/8 but not 10.1.0.0/16",
        ),
        (Peer(ip_block=IPBlock(ip_network("10.0.0.0/8"))), "addresses in 10.0.0.0/8"),
    ],
)
def test_peer_in_words(peer: Peer, expected: str) -> None:
    assert rule_words(Rule((peer,))) == f"{expected}; every port"


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (PortRule(port=80), "TCP 80"),
        (PortRule(Protocol.UDP, "dns"), "UDP dns"),
        (PortRule(port=80, end_port=90), "TCP 80-90"),
        (PortRule(Protocol.SCTP), "every SCTP port"),
    ],
)
def test_port_in_words(port: PortRule, expected: str) -> None:
    assert rule_words(Rule(ports=(port,))) == f"anyone; {expected}"


def test_peers_are_alternatives_and_ports_a_list() -> None:
    rule = Rule((Peer(ALL), Peer(None, ALL)), (PortRule(port=1), PortRule(port=2)))

    assert rule_words(rule) == (
        "all pods of its own namespace or pods in all namespaces; TCP 1, TCP 2"
    )
