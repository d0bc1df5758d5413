"""Where a flow is blocked, asked of a CNI that knows a Deployment's pods by generated names."""

from __future__ import annotations

import pytest

from harness.core.model import Protocol
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodPort, PodRef
from harness.edge.facts.audits import blocked
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import lab, library_of, row_of

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {0}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {0}}}}}
  template:
    metadata: {{labels: {{app: {0}}}}}
    spec: {{containers: [{{name: c, image: nginx, ports: [{{containerPort: 80}}]}}]}}
"""
BASE = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: shop}}
---{DEPLOYMENT.format("web")}---{DEPLOYMENT.format("api")}"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]}
"""
API = PodRef("shop", "api-1")


@pytest.mark.parametrize("cni", ["calico", "cilium"])
def test_pod_of_a_deployment_is_counted_under_its_live_name(cni: str) -> None:
    made = lab(library_of({"base": BASE, "deny": DENY}), FakeCluster(cni))
    made.stage.enter(["base", "deny"])
    row = row_of("blocked/pod/shop/api-1:80", source="shop/web-1", apply="base, deny")

    observed = blocked(made.bench, row, PodPort(API, 80, Protocol.TCP))

    assert made.bench.prober.names.of(API) != "api-1"
    assert observed.reading == Reading(Outcome.SHOWS, "Ingress by deny")
