"""Small worlds for the laws: few namespaces, labels and ports, so that policies often meet pods."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import strategies as st

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
)
from harness.core.policy.selectors import NAME_LABEL
from harness.core.target.ask import Flow

NAMESPACES = ("x", "y", "z")
KEYS = ("app", "tier")
VALUES = ("a", "b", "c")
NUMBERS = (53, 80, 81, 443)
NAMES = ("http", "dns")
TRANSPORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
OUTSIDE = External("outside", ip_address("192.0.2.10"))

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))


@st.composite
def requirements(draw: st.DrawFn) -> Requirement:
    operator = draw(st.sampled_from(Operator))
    some = st.frozensets(st.sampled_from(VALUES), min_size=1, max_size=2)
    takes_values = operator in (Operator.IN, Operator.NOT_IN)
    values = draw(some) if takes_values else frozenset[str]()
    return Requirement(draw(st.sampled_from(KEYS)), operator, values)


selectors = st.lists(requirements(), max_size=2).map(lambda found: Selector(tuple(found)))

blocks = st.sampled_from(
    [
        IPBlock(ip_network("10.0.0.0/8")),
        IPBlock(ip_network("10.0.0.0/24"), (ip_network("10.0.0.0/30"),)),
        IPBlock(ip_network("0.0.0.0/0"), (ip_network("10.0.0.0/8"),)),
        IPBlock(ip_network("::/0")),
    ]
)

peers = st.one_of(
    st.builds(Peer, pod_selector=selectors),
    st.builds(Peer, namespace_selector=selectors),
    st.builds(Peer, pod_selector=selectors, namespace_selector=selectors),
    st.builds(Peer, ip_block=blocks),
)


@st.composite
def port_rules(draw: st.DrawFn) -> PortRule:
    protocol = draw(st.sampled_from(TRANSPORTS))
    port = draw(st.none() | st.sampled_from(NUMBERS) | st.sampled_from(NAMES))
    end = None
    if isinstance(port, int):
        end = draw(st.none() | st.integers(min_value=port, max_value=port + 100))
    return PortRule(protocol, port, end)


def tuples(of: st.SearchStrategy[Rule], size: int = 2) -> st.SearchStrategy[tuple[Rule, ...]]:
    return st.lists(of, max_size=size).map(tuple)


rules = st.builds(
    Rule,
    peers=st.lists(peers, max_size=2).map(tuple),
    ports=st.lists(port_rules(), max_size=2).map(tuple),
)

policies = st.builds(
    NetworkPolicy,
    namespace=st.sampled_from(NAMESPACES),
    name=st.sampled_from(("one", "two", "three")),
    pod_selector=selectors,
    policy_types=st.frozensets(st.sampled_from(Direction), min_size=1),
    ingress=tuples(rules),
    egress=tuples(rules),
)

policy_sets = st.lists(policies, max_size=4).map(tuple)


@st.composite
def pods(draw: st.DrawFn, number: int) -> Pod:
    port = st.builds(
        ContainerPort,
        number=st.sampled_from(NUMBERS),
        protocol=st.sampled_from(TRANSPORTS),
        name=st.sampled_from(("", *NAMES)),
    )
    return Pod(
        draw(st.sampled_from(NAMESPACES)),
        f"pod-{number}",
        draw(labels),
        tuple(draw(st.lists(port, max_size=3))),
        draw(st.sampled_from((None, ip_address(f"10.0.0.{number + 2}")))),
        host_network=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    found = [draw(pods(number)) for number in range(draw(st.integers(1, 4)))]
    spaces = {n: Namespace(n, {**draw(labels), NAME_LABEL: n}) for n in NAMESPACES}
    external = {OUTSIDE.name: OUTSIDE}
    return Topology(spaces, {str(pod): pod for pod in found}, external=external)


def flows_of(topology: Topology) -> list[Flow]:
    """Every flow that differs for a policy: all pairs, ports and transports, and ICMP."""
    ends: list[Pod | External] = [*topology.pods.values(), *topology.external.values()]
    asks = [(number, protocol) for number in NUMBERS for protocol in TRANSPORTS]
    return [
        Flow(source, target, port, protocol)
        for source in ends
        for target in ends
        for port, protocol in [*asks, (0, Protocol.ICMP)]
    ]
