"""Laws of the semantics, and a second, naive reading of them that must agree."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from harness.core.model import (
    Direction,
    External,
    NetworkPolicy,
    Operator,
    Pod,
    Protocol,
    Requirement,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import selects
from harness.core.target.ask import Flow
from tests.core.strategies import (
    KEYS,
    VALUES,
    flows_of,
    labels,
    policies,
    policy_sets,
    rules,
    selectors,
    topologies,
)

ALLOW, DENY, UNDEFINED = Verdict.ALLOW, Verdict.DENY, Verdict.UNDEFINED

# A strict order of how much gets through, for the laws about "more" and "less".
RANK = {DENY: 0, UNDEFINED: 1, ALLOW: 2}

Policies = tuple[NetworkPolicy, ...]


def ordinary(flow: Flow) -> bool:
    host = any(isinstance(end, Pod) and end.host_network for end in (flow.source, flow.target))
    return flow.source != flow.target and not host


def verdicts(topology: Topology, found: Policies) -> list[Verdict]:
    oracle = Oracle(topology, found)
    return [oracle.verdict(flow) for flow in flows_of(topology)]


@given(topologies())
def test_without_policies_everything_is_allowed(topology: Topology) -> None:
    oracle = Oracle(topology, ())
    for flow in flows_of(topology):
        assert oracle.verdict(flow) is ALLOW


@given(topologies(), policy_sets, st.randoms())
def test_order_of_policies_does_not_matter(
    topology: Topology, found: Policies, random: Random
) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)

    assert verdicts(topology, tuple(shuffled)) == verdicts(topology, found)


@given(topologies(), policy_sets)
def test_a_policy_twice_says_no_more_than_once(topology: Topology, found: Policies) -> None:
    again = tuple(replace(policy, name=f"{policy.name}-again") for policy in found)

    assert verdicts(topology, found + found + again) == verdicts(topology, found)


@given(topologies(), policy_sets)
def test_a_flow_passes_where_it_does_under_either_direction_alone(
    topology: Topology, found: Policies
) -> None:
    """What the policies say of egress and of ingress, each asked as if the other were not there."""
    oracle = Oracle(topology, found)
    alone = [Oracle(topology, [only(policy, way) for policy in found]) for way in Direction]
    for flow in filter(ordinary, flows_of(topology)):
        verdicts_alone = [each.verdict(flow) for each in alone]

        assert oracle.verdict(flow) is min(verdicts_alone, key=RANK.__getitem__)


def only(policy: NetworkPolicy, direction: Direction) -> NetworkPolicy:
    """The policy without its other direction."""
    return replace(policy, policy_types=policy.policy_types & {direction})


@given(topologies(), policy_sets)
def test_the_fast_verdict_is_the_decision(topology: Topology, found: Policies) -> None:
    oracle = Oracle(topology, found)
    for flow in flows_of(topology):
        assert oracle.verdict(flow) is oracle.decide(flow).verdict, oracle.decide(flow).reasons


@given(topologies(), policy_sets)
def test_an_isolated_side_names_the_rules_that_let_a_flow_pass(
    topology: Topology, found: Policies
) -> None:
    oracle = Oracle(topology, found)
    for flow in flows_of(topology):
        for side in (oracle.decide(flow).egress, oracle.decide(flow).ingress):
            expected = side.verdict is ALLOW and bool(side.isolated_by)

            assert bool(side.allowed_by) is expected
            assert {policy for policy, _ in side.allowed_by} <= set(side.isolated_by)


@given(topologies(), policy_sets, policies, rules, st.sampled_from(Direction))
def test_adding_a_rule_never_takes_reachability_away(
    topology: Topology, others: Policies, policy: NetworkPolicy, rule: Rule, way: Direction
) -> None:
    more = (
        replace(policy, ingress=(*policy.ingress, rule))
        if way is Direction.INGRESS
        else replace(policy, egress=(*policy.egress, rule))
    )
    before = verdicts(topology, (*others, policy))
    after = verdicts(topology, (*others, more))

    assert all(RANK[old] <= RANK[new] for old, new in zip(before, after, strict=True))


@given(topologies(), policy_sets, policies)
def test_adding_a_policy_without_rules_never_adds_reachability(
    topology: Topology, others: Policies, policy: NetworkPolicy
) -> None:
    silent = replace(policy, ingress=(), egress=())
    before = verdicts(topology, others)
    after = verdicts(topology, (*others, silent))

    assert all(RANK[old] >= RANK[new] for old, new in zip(before, after, strict=True))


@given(labels, st.sampled_from(KEYS), st.sampled_from(VALUES))
def test_match_labels_is_in_of_one_value(found: dict[str, str], key: str, value: str) -> None:
    one = Selector((Requirement(key, Operator.IN, frozenset({value})),))

    assert selects(one, found) == (found.get(key) == value)


@given(selectors, labels)
def test_not_in_and_does_not_exist_are_the_complements(
    selector: Selector, found: dict[str, str]
) -> None:
    opposite = {
        Operator.IN: Operator.NOT_IN,
        Operator.NOT_IN: Operator.IN,
        Operator.EXISTS: Operator.DOES_NOT_EXIST,
        Operator.DOES_NOT_EXIST: Operator.EXISTS,
    }
    for requirement in selector.requirements:
        other = replace(requirement, operator=opposite[requirement.operator])

        assert selects(Selector((requirement,)), found) != selects(Selector((other,)), found)


@given(topologies(), policy_sets)
def test_a_naive_reading_of_the_api_agrees(topology: Topology, found: Policies) -> None:
    oracle = Oracle(topology, found)
    for flow in filter(ordinary, flows_of(topology)):
        assert oracle.verdict(flow) is naive(topology, found, flow), str(flow)


def naive(topology: Topology, found: Policies, flow: Flow) -> Verdict:
    """The documentation's sentences one by one, with three-valued logic: None is "not known"."""
    answers = [naive_side(topology, found, flow, way) for way in Direction]
    if False in answers:
        return DENY
    return UNDEFINED if None in answers else ALLOW


def naive_side(topology: Topology, found: Policies, flow: Flow, way: Direction) -> bool | None:
    incoming = way is Direction.INGRESS
    own, other = (flow.target, flow.source) if incoming else (flow.source, flow.target)
    mine = [
        policy
        for policy in found
        if isinstance(own, Pod)
        and policy.namespace == own.namespace
        and way in policy.policy_types
        and fits(policy.pod_selector, own.labels)
    ]
    if not mine:
        return True
    if flow.protocol is Protocol.ICMP:
        return None
    results = [
        naive_rule(topology, policy, rule, flow, other)
        for policy in mine
        for rule in (policy.ingress if incoming else policy.egress)
    ]
    return True if True in results else None if None in results else False


def naive_rule(
    topology: Topology, policy: NetworkPolicy, rule: Rule, flow: Flow, other: Pod | External
) -> bool | None:
    if rule.ports and not any(naive_ports(flow, rule)):
        return False
    results = [
        naive_peer(topology, policy, number, rule, other) for number in range(len(rule.peers))
    ]
    return True if not results or True in results else None if None in results else False


def naive_ports(flow: Flow, rule: Rule) -> list[bool]:
    named = {
        (port.name, port.protocol, port.number)
        for port in (flow.target.ports if isinstance(flow.target, Pod) else ())
    }
    found = []
    for entry in rule.ports:
        if isinstance(entry.port, str):
            fit = (entry.port, flow.protocol, flow.port) in named
        elif entry.port is None:
            fit = True
        else:
            fit = flow.port in range(entry.port, (entry.end_port or entry.port) + 1)
        found.append(fit and entry.protocol == flow.protocol)
    return found


def naive_peer(
    topology: Topology, policy: NetworkPolicy, number: int, rule: Rule, other: Pod | External
) -> bool | None:
    peer = rule.peers[number]
    if peer.ip_block:
        if other.ip is None:
            return None
        cut = any(other.ip in part for part in peer.ip_block.except_)
        return other.ip in peer.ip_block.cidr and not cut
    if isinstance(other, External):
        return False
    if peer.namespace_selector is None:
        space_fits = other.namespace == policy.namespace
    else:
        space_fits = fits(peer.namespace_selector, topology.namespaces[other.namespace].labels)
    return space_fits and (peer.pod_selector is None or fits(peer.pod_selector, other.labels))


def fits(selector: Selector, found: object) -> bool:
    assert isinstance(found, dict)
    answers = []
    for wanted in selector.requirements:
        has = wanted.key in found
        listed = has and found[wanted.key] in wanted.values
        answers.append(
            {"In": listed, "NotIn": not listed, "Exists": has, "DoesNotExist": not has}[
                wanted.operator.value
            ]
        )
    return False not in answers
