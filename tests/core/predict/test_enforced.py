"""Where the API leaves a flow open, each CNI's own answer is given."""

from __future__ import annotations

import pytest
from hypothesis import given

from harness.core.manifests.reader import parse
from harness.core.model import NetworkPolicy, Topology
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.predict.enforced import as_enforced
from harness.core.predict.scenario import Scenario
from harness.core.predict.walk import walk
from harness.core.target import parse_source, parse_target
from harness.core.target.ask import Flow
from harness.edge.cni.known import PROFILES
from tests.core.strategies import policy_sets, topologies

WORLD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop, labels: {app: job}}
spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop, labels: {app: agent}}
spec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 8080, targetPort: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, %s}
"""
FROM_NODE = "deny from another node, allow from the pod's own"


@pytest.mark.parametrize(
    ("spec", "source", "target", "verdict", "calico", "cilium"),
    [
        (
            "ingress: [{from: [{podSelector: {}}]}]",
            "shop/agent",
            "pod/shop/web:80",
            "undefined",
            FROM_NODE,
            FROM_NODE,
        ),
        (
            "egress: [{to: [{podSelector: {}}]}]",
            "shop/web",
            "pod/shop/agent:80",
            "undefined",
            "deny",
            "deny",
        ),
        ("ingress: [{}]", "shop/agent", "pod/shop/web:80", "allow", None, None),
        (
            "ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]",
            "shop/job",
            "pod/shop/web:80",
            "undefined",
            "allow",
            "deny",
        ),
        (
            "ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]",
            "shop/job",
            "pod/shop/web:80",
            "undefined",
            "deny",
            "deny",
        ),
        # Some private addresses are inside and others are not: nobody can say.
        (
            "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
            "shop/job",
            "pod/shop/web:80",
            "undefined",
            None,
            "deny",
        ),
        (
            "policyTypes: [Egress], ingress: [{from: [{podSelector: {matchLabels: {a: b}}}]}]",
            "shop/job",
            "pod/shop/web:80",
            "allow",
            None,
            "deny",
        ),
        ("ingress: []", "shop/job", "ping/pod/shop/web", "undefined", "deny", "deny"),
        ("ingress: [{}]", "shop/job", "ping/pod/shop/web", "undefined", "allow", "allow"),
        ("ingress: []", "shop/web", "pod/shop/web:80", "allow", None, None),
        ("ingress: []", "shop/job", "pod/shop/web:80", "deny", None, None),
        ("ingress: []", "shop/web", "svc/shop/web:8080", "undefined", "deny", "allow"),
        ("egress: []", "shop/web", "svc/shop/web:8080", "undefined", "deny", "allow"),
        ("ingress: []", "shop/job", "svc/shop/web:8080", "deny", None, None),
        ("ingress: [{}]", "shop/web", "svc/shop/web:8080", "allow", None, None),
    ],
)
def test_cni_has_an_answer_where_the_api_has_none(  # noqa: PLR0917 - columns of a table
    spec: str, source: str, target: str, verdict: str, calico: str | None, cilium: str | None
) -> None:
    scenario = Scenario(parse(WORLD % spec, origin="f.yaml"))
    asked = parse_source(source, where="FROM"), parse_target(target, where="TO")
    found = walk(scenario, *asked, PROFILES.values())

    assert str(found.verdict) == verdict
    expected = {"calico": calico, "cilium": cilium}
    assert found.answers == {name: word for name, word in expected.items() if word}


def test_cni_that_ignores_a_kind_of_policy_has_no_answer() -> None:
    policy = """---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec: {endpointSelector: {}, ingress: [{}]}
"""
    scenario = Scenario(parse(WORLD % "ingress: []" + policy, origin="f.yaml"))
    asked = parse_source("shop/agent", where="FROM"), parse_target("pod/shop/web:80", where="TO")

    assert walk(scenario, *asked, PROFILES.values()).answers == {"cilium": FROM_NODE}


@given(topologies(), policy_sets)
def test_a_cni_that_does_not_depart_only_knows_more(
    topology: Topology, policies: tuple[NetworkPolicy, ...]
) -> None:
    oracle = Oracle(topology, policies)
    for profile in PROFILES.values():
        enforced = as_enforced(topology, policies, profile)
        if enforced is None or enforced.departs:
            continue
        for source in topology.pods.values():
            for target in topology.pods.values():
                flow = Flow(source, target, 80)
                verdict = oracle.verdict(flow)
                if verdict is not Verdict.UNDEFINED:
                    assert enforced.oracle.verdict(enforced.flow(flow)) is verdict
