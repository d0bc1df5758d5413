"""Laws of the findings, by a second and naive reading of the policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.lint.finding import Finding
from harness.core.lint.ground import Ground
from harness.core.lint.table import RULES
from harness.core.manifests.reader import parse, policies_of
from harness.core.model import (
    Direction,
    External,
    NetworkPolicy,
    Pod,
    Protocol,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.render import to_yaml
from harness.core.policy.selectors import NAME_LABEL
from harness.core.target.ask import Flow
from tests.core.policy.test_oracle_laws import naive
from tests.core.strategies import NAMESPACES, NUMBERS, TRANSPORTS, policies, topologies

Found = tuple[NetworkPolicy, ...]
few = settings(max_examples=40)
sets = st.lists(policies, min_size=1, max_size=4).map(tuple)


def text_of(topology: Topology, found: Found) -> str:
    """The manifests of a made-up world, with a name of its own for each policy."""
    objects = [namespace(topology, name) for name in NAMESPACES]
    objects += [pod(one) for one in topology.pods.values()]
    named = [replace(policy, name=f"policy-{number}") for number, policy in enumerate(found)]
    objects += [yaml.safe_load(to_yaml(policy)) for policy in named]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def namespace(topology: Topology, name: str) -> dict[str, Any]:
    labels = {k: v for k, v in topology.namespaces[name].labels.items() if k != NAME_LABEL}
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def pod(one: Pod) -> dict[str, Any]:
    ports = [
        {"containerPort": p.number, "protocol": str(p.protocol)}
        | ({"name": p.name} if p.name else {})
        for p in one.ports
    ]
    containers = [
        {"name": f"c{number}", "image": "a", "ports": [port]} for number, port in enumerate(ports)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": one.name, "namespace": one.namespace, "labels": dict(one.labels)},
        "spec": {
            "containers": containers or [{"name": "c", "image": "a"}],
            "hostNetwork": one.host_network,
        },
        "status": {"podIP": str(one.ip)} if one.ip else {},
    }


def grounds() -> st.SearchStrategy[Ground]:
    return st.builds(
        lambda topology, found: Ground(parse(text_of(topology, found), origin="a.yaml")),
        topologies(),
        sets,
    )


def found_in(ground: Ground, rule: str = "") -> list[Finding]:
    return [f for one in RULES if rule in ("", one.id) for f in one.finds(ground)]


def policy_of(ground: Ground, finding: Finding) -> NetworkPolicy:
    return next(p for p in ground.policies if finding.spot.object == f"NetworkPolicy {p}")


def all_flows(ground: Ground) -> Iterator[Flow]:
    """Every pair of ends, on ports of each sort that rules tell apart."""
    outside = list(ground.topology.external.values())[:1]
    ends: list[Pod | External] = [*ground.topology.pods.values(), *outside]
    ports = set(NUMBERS) | {9153} | {number + 1 for number, _ in ground.mentioned}
    for source in ends:
        for target in ends:
            for port in ports:
                for protocol in TRANSPORTS:
                    yield Flow(source, target, port, protocol)


@few
@given(grounds())
def test_what_a_finding_shows_is_what_a_naive_reading_says(ground: Ground) -> None:
    for finding in found_in(ground):
        if finding.shown is not None:
            known = [*ground.topology.pods.values(), *ground.topology.external.values()]
            if all(any(end is one for one in known) for end in ends_of(finding)):
                said = naive(ground.topology, ground.policies, finding.shown.flow)
                assert finding.shown.verdict is said


def ends_of(finding: Finding) -> tuple[Pod | External, Pod | External]:
    assert finding.shown is not None
    return finding.shown.flow.source, finding.shown.flow.target


@few
@given(grounds())
def test_a_finding_has_a_flow_or_its_rule_says_why_not(ground: Ground) -> None:
    for rule in RULES:
        for finding in rule.finds(ground):
            assert finding.shown is not None or rule.no_flow, finding


@few
@given(grounds())
def test_a_rule_that_the_other_side_makes_void_can_go_and_no_flow_changes(ground: Ground) -> None:
    for finding in found_in(ground, "void-by-other-side"):
        policy = policy_of(ground, finding)
        rest = tuple(
            without_part(one, finding.spot.field) if one is policy else one
            for one in ground.policies
        )
        after = Oracle(ground.topology, rest)
        for flow in all_flows(ground):
            assert after.verdict(flow) is ground.oracle.verdict(flow), (finding.spot, str(flow))


def without_part(policy: NetworkPolicy, path: str) -> NetworkPolicy:
    """The policy without the rule or the peer at a path (`spec.egress[0].to[1]`)."""
    steps = path.replace("[", ".").replace("]", "").split(".")
    way = steps[1]
    rules = list(policy.ingress if way == "ingress" else policy.egress)
    number = int(steps[2])
    if len(steps) == 3:
        del rules[number]
    else:
        peers = list(rules[number].peers)
        del peers[int(steps[4])]
        rules[number] = Rule(tuple(peers), rules[number].ports)
    changed: dict[str, Any] = {way: tuple(rules)}
    return replace(policy, **changed)


@few
@given(grounds())
def test_a_policy_that_is_said_to_select_nobody_selects_no_pod(ground: Ground) -> None:
    for finding in found_in(ground, "selects-nobody"):
        policy = policy_of(ground, finding)
        if finding.spot.field == "spec.podSelector":
            for one in ground.topology.pods.values():
                assert one.namespace != policy.namespace or not fits(policy.pod_selector, one)
        elif ".from[" in finding.spot.field or ".to[" in finding.spot.field:
            rest = tuple(
                without_peer(one, finding.spot.field) if one is policy else one
                for one in ground.policies
            )
            after = Oracle(ground.topology, rest)
            for flow in all_flows(ground):
                assert after.verdict(flow) is ground.oracle.verdict(flow)


def fits(selector: Selector, one: Pod) -> bool:
    """A second reading of label selectors, requirement by requirement."""
    answers = []
    for requirement in selector.requirements:
        has, value = requirement.key in one.labels, one.labels.get(requirement.key)
        answers.append(
            {
                "In": has and value in requirement.values,
                "NotIn": not has or value not in requirement.values,
                "Exists": has,
                "DoesNotExist": not has,
            }[requirement.operator]
        )
    return all(answers)


def without_peer(policy: NetworkPolicy, path: str) -> NetworkPolicy:
    """The policy without the peer; a rule whose only peer it was is for nobody, and goes."""
    steps = path.replace("[", ".").replace("]", "").split(".")
    rules = policy.ingress if steps[1] == "ingress" else policy.egress
    alone = len(rules[int(steps[2])].peers) == 1
    return without_part(policy, ".".join(path.split(".")[: 2 if alone else 3]))


@few
@given(grounds())
def test_a_policy_that_a_fix_suggests_makes_of_the_flow_what_the_finding_says(
    ground: Ground,
) -> None:
    for finding in found_in(ground):
        if finding.fix.sentence.endswith(":") and finding.shown is not None:
            more = [
                policy
                for document in yaml.safe_load_all(finding.fix.yaml)
                for policy in policies_of(parse(json.dumps(document), origin="fix.yaml"))
            ]
            after = naive(ground.topology, (*ground.policies, *more), finding.shown.flow)
            assert after is finding.shown.mended
            assert after is not finding.shown.verdict


@few
@given(grounds())
def test_policy_types_that_have_all_directions_with_rules_end_the_finding(ground: Ground) -> None:
    for finding in found_in(ground, "policy-types"):
        policy = policy_of(ground, finding)
        direction = Direction.INGRESS if "ingress" in finding.spot.field else Direction.EGRESS
        assert direction not in policy.policy_types
        assert policy.rules(direction)
        whole = replace(policy, policy_types=policy.policy_types | {direction})
        rest = tuple(whole if one is policy else one for one in ground.policies)
        if finding.shown is not None:
            assert naive(ground.topology, rest, finding.shown.flow) is finding.shown.mended


@few
@given(grounds())
def test_a_namespace_without_default_deny_has_no_isolated_pod_or_some_that_are_open(
    ground: Ground,
) -> None:
    for finding in found_in(ground, "default-deny-missing"):
        assert finding.shown is not None
        assert finding.shown.verdict is Verdict.ALLOW
        assert finding.shown.flow.protocol is not Protocol.ICMP
