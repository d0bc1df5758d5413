"""A diagnosis names the blocks of a flow, and its remedies open that flow and close nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.core.manifests.reader import parse, policies_of, topology_of
from harness.core.model import Direction, NetworkPolicy, Rule, Selector, Topology
from harness.core.outcome import Verdict
from harness.core.policy.decision import Side
from harness.core.policy.diagnosis import Diagnosis, diagnose
from harness.core.policy.oracle import Oracle
from harness.core.policy.render import to_yaml
from harness.core.target.ask import Flow
from tests.core.strategies import flows_of, policies, policy_sets, topologies

RANK = {Verdict.DENY: 0, Verdict.UNDEFINED: 1, Verdict.ALLOW: 2}
Policies = tuple[NetworkPolicy, ...]

WORLD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: front, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80, name: http}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: back, labels: {app: api}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: door, namespace: back}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: front}}
          podSelector: {matchLabels: {app: web}}
      ports: [{protocol: UDP, port: 8080}]
    - from: [{podSelector: {}}]
"""


def world(text: str = WORLD) -> tuple[Topology, Policies]:
    resources = parse(text, origin="world.yaml")
    return topology_of(resources), policies_of(resources)


def diagnosed(text: str = WORLD, port: int = 8080) -> Diagnosis:
    topology, found = world(text)
    flow = Flow(topology.pods["front/web"], topology.pods["back/api"], port)
    return diagnose(topology, found, flow)


def lacks(text: str, port: int = 8080) -> tuple[str, ...]:
    nearest = diagnosed(text, port).blocks[0].nearest
    assert nearest is not None
    return nearest.lacks


def test_block_names_its_direction_and_policies() -> None:
    (block,) = diagnosed().blocks

    assert block.direction is Direction.INGRESS
    assert [str(policy) for policy in block.policies] == ["back/door"]
    assert str(diagnosed().reading) == "shows Ingress by door"


def test_nearest_rule_lacks_the_protocol() -> None:
    assert lacks(WORLD) == ("the protocol TCP",)


def test_nearest_rule_lacks_the_port() -> None:
    assert lacks(WORLD.replace("UDP", "TCP"), port=81) == ("the port TCP 81",)


def test_nearest_rule_lacks_the_label() -> None:
    text = WORLD.replace("UDP", "TCP").replace("matchLabels: {app: web}", "matchLabels: {app: x}")

    assert lacks(text) == ("the pod front/web (app=web)",)


def test_nearest_rule_lacks_the_namespace() -> None:
    text = WORLD.replace("UDP", "TCP").replace("metadata.name: front", "metadata.name: x")

    assert lacks(text) == ("the namespace front",)


def test_a_pod_selector_alone_lacks_the_other_namespace() -> None:
    start, _, rest = WORLD.partition("    - from:\n")
    text = start + "    - from: [{podSelector: {}}]" + rest.partition("[{podSelector: {}}]")[2]

    assert lacks(text) == (
        "a namespaceSelector for front (its podSelector alone means pods of the namespace back)",
    )


def test_policy_without_rules_has_no_nearest() -> None:
    text = WORLD.partition("  ingress:")[0]

    assert diagnosed(text).blocks[0].nearest is None


def test_open_flow_has_no_blocks() -> None:
    found = diagnosed(WORLD.partition("---\napiVersion: networking")[0])

    assert found.blocks == ()
    assert str(found.reading) == "shows nothing"


def sides(oracle: Oracle, flow: Flow) -> dict[Direction, Side]:
    decision = oracle.decide(flow)
    return {Direction.EGRESS: decision.egress, Direction.INGRESS: decision.ingress}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Topology, Policies, Flow]:
    topology = draw(topologies())
    flows = flows_of(topology)
    return topology, draw(policy_sets), flows[draw(st.integers(0, len(flows) - 1))]


@given(cases())
def test_blocks_are_the_denying_sides(case: tuple[Topology, Policies, Flow]) -> None:
    topology, found, flow = case
    oracle = Oracle(topology, found)
    denying = {way for way, side in sides(oracle, flow).items() if side.verdict is Verdict.DENY}
    denied = oracle.verdict(flow) is Verdict.DENY

    blocks = diagnose(topology, found, flow).blocks

    assert {block.direction for block in blocks} == (denying if denied else set())


@given(cases())
def test_remedies_open_the_flow_and_close_nothing(case: tuple[Topology, Policies, Flow]) -> None:
    topology, found, flow = case
    diagnosis = diagnose(topology, found, flow)
    blocks = diagnosis.blocks
    before = Oracle(topology, found)
    after = Oracle(topology, (*found, *diagnosis.remedies))

    opened = sides(after, flow)
    assert all(opened[block.direction].verdict is Verdict.ALLOW for block in blocks)
    for other in flows_of(topology):
        assert RANK[after.verdict(other)] >= RANK[before.verdict(other)]


@given(cases())
def test_remedy_changes_its_own_direction_and_port_only(
    case: tuple[Topology, Policies, Flow],
) -> None:
    topology, found, flow = case
    before = Oracle(topology, found)
    for block in diagnose(topology, found, flow).blocks:
        assert block.remedy is not None
        after = Oracle(topology, (*found, block.remedy))
        for other in flows_of(topology):
            was, now = sides(before, other), sides(after, other)
            changed = {way for way in Direction if was[way].verdict != now[way].verdict}
            assert changed <= {block.direction}
            same_port = (other.port, other.protocol) == (flow.port, flow.protocol)
            assert not changed or same_port


def in_order(selector: Selector | None) -> Selector | None:
    # Not by their text: a set of values prints in an order of its own.
    return selector and Selector(
        tuple(sorted(selector.requirements, key=lambda r: (r.key, r.operator, sorted(r.values))))
    )


def plain(rule: Rule) -> Rule:
    peers = (
        replace(
            peer,
            pod_selector=in_order(peer.pod_selector),
            namespace_selector=in_order(peer.namespace_selector),
        )
        for peer in rule.peers
    )
    return replace(rule, peers=tuple(peers))


def ordered(policy: NetworkPolicy) -> NetworkPolicy:
    return replace(
        policy,
        pod_selector=in_order(policy.pod_selector) or Selector(),
        ingress=tuple(map(plain, policy.ingress)),
        egress=tuple(map(plain, policy.egress)),
    )


@given(policies)
def test_rendered_policy_reads_as_the_same(policy: NetworkPolicy) -> None:
    (read,) = policies_of(parse(to_yaml(policy), origin="rendered.yaml"))

    assert ordered(read) == ordered(policy)
