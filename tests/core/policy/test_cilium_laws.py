"""Laws of CiliumNetworkPolicies, alone and beside NetworkPolicies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.core.manifests.ciliumpolicy import cilium_policy
from harness.core.model import (
    Direction,
    External,
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
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import NAME_LABEL
from harness.core.target.ask import Flow
from tests.core.strategies import (
    KEYS,
    NAMES,
    NAMESPACES,
    NUMBERS,
    OUTSIDE,
    VALUES,
    flows_of,
    policies,
    policy_sets,
    topologies,
)

Body = dict[str, Any]

RANK = {Verdict.DENY: 0, Verdict.UNDEFINED: 1, Verdict.ALLOW: 2}
SIDES = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
ASKING: Body = {"toPorts": [{"ports": [{"port": "53"}], "rules": {"dns": [{"matchPattern": "*"}]}}]}

sources = st.sampled_from(("", "k8s:", "any:"))
label_maps = st.dictionaries(
    st.builds("{}{}".format, sources, st.sampled_from(KEYS)), st.sampled_from(VALUES), max_size=2
)
endpoints = st.builds(
    lambda labels, space: {"matchLabels": labels | ({NAMESPACE: space} if space else {})},
    label_maps,
    st.none() | st.sampled_from(NAMESPACES),
)
cidrs = st.sampled_from(["0.0.0.0/0", "10.0.0.0/24", "192.0.2.0/24", "::/0"])
names = st.sampled_from(["*", "outside", "out*", "inside"]).map(lambda n: {"matchPattern": n})
ports = st.fixed_dictionaries(
    {"port": st.sampled_from([*map(str, NUMBERS), *NAMES, "0"])},
    optional={"protocol": st.sampled_from(["TCP", "UDP", "SCTP", "ANY"])},
)
to_ports = st.fixed_dictionaries(
    {}, optional={"toPorts": st.just([]) | ports.map(lambda p: [{"ports": [p]}])}
)


def some(side: str) -> st.SearchStrategy[Body]:
    """Rules with at most one kind of peer, as Cilium has them."""
    kinds: list[st.SearchStrategy[Body]] = [
        st.just({}),
        endpoints.map(lambda e: {f"{side}Endpoints": [e]}),
        st.sampled_from(["world", "cluster", "host", "all"]).map(
            lambda e: {f"{side}Entities": [e]}
        ),
        cidrs.map(lambda c: {f"{side}CIDR": [c]}),
        cidrs.map(lambda c: {f"{side}CIDRSet": [{"cidr": c}]}),
    ]
    if side == "to":
        kinds += [names.map(lambda n: {"toFQDNs": [n]}), st.just(ASKING)]
    return st.one_of(kinds).flatmap(lambda rule: to_ports.map(lambda more: more | rule))


specs = st.builds(
    lambda selected, ingress, egress: {
        "endpointSelector": {"matchLabels": selected},
        "ingress": ingress,
        "egress": egress,
    },
    label_maps,
    st.lists(some("from"), max_size=2),
    st.lists(some("to"), max_size=2),
)


def policy(spec: Body, namespace: str = "x", name: str = "c") -> NetworkPolicy:
    return cilium_policy({"metadata": {"namespace": namespace, "name": name}, "spec": spec}, "")


cilium_policies = st.builds(policy, specs, st.sampled_from(NAMESPACES))


def named(topology: Topology) -> Topology:
    """The topology with the label that the API server gives every namespace."""
    spaces = {n: Namespace(n, {**s.labels, NAME_LABEL: n}) for n, s in topology.namespaces.items()}
    return replace(topology, namespaces=spaces)


worlds = topologies().map(named)


def verdicts(topology: Topology, *found: NetworkPolicy) -> list[Verdict]:
    oracle = Oracle(topology, found)
    return [oracle.verdict(flow) for flow in flows_of(topology)]


def without_blocks(found: NetworkPolicy) -> NetworkPolicy:
    """The policy without ipBlocks, the one thing that means something else to Cilium."""

    def kept(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(
            replace(rule, peers=tuple(p for p in rule.peers if not p.ip_block)) for rule in rules
        )

    return replace(found, ingress=kept(found.ingress), egress=kept(found.egress))


def translated(found: NetworkPolicy) -> NetworkPolicy:
    """The CiliumNetworkPolicy that says the same as a NetworkPolicy without ipBlocks."""
    spec: Body = {"endpointSelector": selector(found.pod_selector)}
    for direction in found.policy_types:
        rules = found.ingress if direction is Direction.INGRESS else found.egress
        side = SIDES[direction]
        spec[direction.lower()] = [rule_body(rule, side) for rule in rules] or [{}]
    return policy(spec, found.namespace, found.name)


def rule_body(rule: Rule, side: str) -> Body:
    body: Body = {}
    if rule.peers:
        body[f"{side}Endpoints"] = [endpoint(peer) for peer in rule.peers]
    elif not rule.ports:
        body[f"{side}Entities"] = ["all"]
    if rule.ports:
        body["toPorts"] = [{"ports": [port_body(port) for port in rule.ports]}]
    return body


def endpoint(peer: Peer) -> Body:
    body = selector(peer.pod_selector or Selector())
    if peer.namespace_selector is not None:
        spaces = selector(peer.namespace_selector, NAMESPACE_LABELS)["matchExpressions"]
        anywhere = {"key": NAMESPACE, "operator": "Exists"}
        body["matchExpressions"] += [*spaces, anywhere]
    return body


def selector(found: Selector, prefix: str = "") -> Body:
    return {
        "matchExpressions": [
            {"key": prefix + r.key, "operator": r.operator.value, "values": sorted(r.values)}
            for r in found.requirements
        ]
    }


def port_body(port: PortRule) -> Body:
    assert port.protocol
    body: Body = {"port": str(port.port or 0), "protocol": port.protocol.value}
    return body | ({"endPort": port.end_port} if port.end_port else {})


@given(worlds, st.lists(policies, max_size=3))
def test_what_both_kinds_can_say_they_decide_alike(
    topology: Topology, found: list[NetworkPolicy]
) -> None:
    plain = [without_blocks(one) for one in found]
    theirs, ours = Oracle(topology, map(translated, plain)), Oracle(topology, plain)

    for flow in flows_of(topology):
        if flow.protocol is not Protocol.ICMP:  # of which only a CiliumNetworkPolicy speaks
            assert theirs.verdict(flow) is ours.verdict(flow)


@given(worlds, policy_sets, st.lists(cilium_policies, max_size=3))
def test_the_fast_verdict_is_the_decision(
    topology: Topology, plain: tuple[NetworkPolicy, ...], found: list[NetworkPolicy]
) -> None:
    oracle = Oracle(topology, (*plain, *found))
    for flow in flows_of(topology):
        decision = oracle.decide(flow)

        assert oracle.verdict(flow) is decision.verdict, decision.reasons


@given(worlds, policy_sets, specs, st.data(), st.sampled_from(Direction))
def test_adding_a_rule_never_takes_reachability_away(
    topology: Topology,
    plain: tuple[NetworkPolicy, ...],
    spec: Body,
    data: st.DataObject,
    way: Direction,
) -> None:
    # The first rule of a direction isolates; from the second on they only add.
    key = way.lower()
    first = spec | {key: spec[key] or [{}]}
    rule = data.draw(some(SIDES[way]))
    before = verdicts(topology, *plain, policy(first))
    after = verdicts(topology, *plain, policy(first | {key: [*first[key], rule]}))

    assert all(RANK[old] <= RANK[new] for old, new in zip(before, after, strict=True))


@given(worlds, label_maps, st.tuples(some("to"), some("to")), st.tuples(some("from"), some("from")))
def test_rules_add_up_the_same_in_one_policy_or_in_two(
    topology: Topology, labels: Body, egress: tuple[Body, Body], ingress: tuple[Body, Body]
) -> None:
    head = {"endpointSelector": {"matchLabels": labels}}
    one = policy(head | {"egress": egress, "ingress": ingress})
    two = [
        policy(head | {"egress": [out], "ingress": [into]}, name=name)
        for name, out, into in zip("ab", egress, ingress, strict=True)
    ]

    assert verdicts(topology, one) == verdicts(topology, *two)


@given(worlds, endpoints, st.sampled_from(NUMBERS))
def test_any_is_tcp_udp_and_sctp(topology: Topology, peer: Body, number: int) -> None:
    def allowing(*protocols: str) -> NetworkPolicy:
        entries = [{"port": str(number), "protocol": word} for word in protocols]
        rule = {"fromEndpoints": [peer], "toPorts": [{"ports": entries}]}
        return policy({"endpointSelector": {}, "ingress": [rule]})

    assert verdicts(topology, allowing("ANY")) == verdicts(topology, allowing("TCP", "UDP", "SCTP"))


@given(worlds, specs)
def test_without_default_deny_a_policy_changes_nothing(topology: Topology, spec: Body) -> None:
    adding = policy(spec | {"enableDefaultDeny": {"ingress": False, "egress": False}})

    assert verdicts(topology, adding) == verdicts(topology)


@given(worlds, policy_sets, specs)
def test_without_default_deny_a_policy_takes_nothing_away(
    topology: Topology, plain: tuple[NetworkPolicy, ...], spec: Body
) -> None:
    adding = policy(spec | {"enableDefaultDeny": {"ingress": False, "egress": False}})
    before, after = verdicts(topology, *plain), verdicts(topology, *plain, adding)

    assert all(RANK[old] <= RANK[new] for old, new in zip(before, after, strict=True))


@given(worlds, st.sampled_from(["toCIDR", "toFQDNs", "toEntities"]))
def test_what_means_the_outside_never_opens_a_pod(topology: Topology, field: str) -> None:
    wide: Body = {
        "toCIDR": ["0.0.0.0/0", "::/0"],
        "toFQDNs": [{"matchPattern": "*"}],
        "toEntities": ["world"],
    }
    shut = policy({"endpointSelector": {}, "egress": [ASKING]})
    more = policy({"endpointSelector": {}, "egress": [ASKING, {field: wide[field]}]})
    oracles = Oracle(topology, [shut]), Oracle(topology, [more])
    for flow in flows_of(topology):
        before, after = (oracle.verdict(flow) for oracle in oracles)

        assert isinstance(flow.target, External) or before is after


@given(worlds)
def test_world_cluster_and_all_are_parts_and_whole(topology: Topology) -> None:
    def allowing(*entities: str) -> NetworkPolicy:
        return policy({"endpointSelector": {}, "ingress": [{"fromEntities": list(entities)}]})

    assert verdicts(topology, allowing("all")) == verdicts(topology, allowing("world", "cluster"))


@given(worlds, specs)
def test_a_name_of_nothing_opens_nothing(topology: Topology, spec: Body) -> None:
    egress = [*spec["egress"], ASKING]
    more = [*egress, {"toFQDNs": [{"matchName": "no.such.name"}]}]

    assert verdicts(topology, policy(spec | {"egress": egress})) == verdicts(
        topology, policy(spec | {"egress": more})
    )


def test_a_name_opens_the_end_of_that_name() -> None:
    pod = Pod("x", "p", {})
    topology = Topology({}, {str(pod): pod}, external={OUTSIDE.name: OUTSIDE})
    rules = [ASKING, {"toFQDNs": [{"matchName": OUTSIDE.name}]}]
    oracle = Oracle(topology, [policy({"endpointSelector": {}, "egress": rules})])

    assert oracle.verdict(Flow(pod, OUTSIDE, 443)) is Verdict.ALLOW
