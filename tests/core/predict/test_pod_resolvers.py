"""Predictions follow the resolver that each pod's spec asks for."""

from __future__ import annotations

import pytest

from harness.core.manifests.reader import parse
from harness.core.predict.scenario import Scenario
from harness.core.target import parse_pod, parse_target
from harness.core.target.ask import Ask

NAMESPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: shop}
spec: {selector: {app: ledger}, ports: [{port: 80}]}
"""
CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: web}
spec: {podSelector: {}, policyTypes: [Egress]}
"""


def scenario(spec: str, *more: str) -> Scenario:
    pod = f"""
apiVersion: v1
kind: Pod
metadata: {{name: client, namespace: web}}
spec: {{{spec} containers: [{{name: main, image: "registry.example/client:1"}}]}}
"""
    return Scenario(parse("---".join((NAMESPACES, pod, *more)), origin="test.yaml"))


def shown(state: Scenario, ask: str) -> str:
    found = state.predict(Ask(parse_pod("web/client", where=""), parse_target(ask, where="")))
    return str(found.reading) if found.reading else found.reasons[-1]


@pytest.mark.parametrize(
    ("spec", "ask", "reading"),
    [
        ("", "option/ndots", "shows ndots:5"),
        ("", "questions/kubernetes.io", "shows 4 questions"),
        ('dnsConfig: {options: [{name: ndots, value: "1"}]},', "option/ndots", "shows ndots:1"),
        (
            'dnsConfig: {options: [{name: ndots, value: "1"}]},',
            "questions/ledger.shop",
            "shows 3 questions",
        ),
        (
            'dnsConfig: {options: [{name: ndots, value: "many"}]},',
            "questions/kubernetes.io",
            "shows 1 question",
        ),
        (
            "dnsConfig: {searches: [shop.svc.cluster.local]},",
            "questions/ledger",
            "shows 4 questions",
        ),
    ],
)
def test_predictions_follow_dns_config(spec: str, ask: str, reading: str) -> None:
    assert shown(scenario(spec), ask) == reading


@pytest.mark.parametrize(
    "spec",
    [
        'dnsPolicy: "None", dnsConfig: {nameservers: [198.51.100.53]},',
        "dnsPolicy: Default,",
        "hostNetwork: true,",
    ],
)
@pytest.mark.parametrize(
    "ask", ["lookup/ledger.shop", "questions/ledger.shop", "dns/A/ledger.shop.svc.cluster.local"]
)
def test_a_pod_that_asks_another_server_is_not_answered_by_the_cluster(spec: str, ask: str) -> None:
    assert shown(scenario(spec), ask).startswith("not answered by the cluster: ")


def test_a_second_server_may_answer_where_the_policies_close_the_first() -> None:
    spec = "dnsConfig: {nameservers: [198.51.100.53]},"

    assert shown(scenario("", CLOSED), "lookup/ledger.shop") == "dns_timeout"
    assert shown(scenario(spec, CLOSED), "lookup/ledger.shop").endswith(
        "its server is silent, and the pod asks 198.51.100.53"
    )
