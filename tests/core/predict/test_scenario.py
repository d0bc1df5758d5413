"""What a scenario predicts for each kind of target."""

from __future__ import annotations

import pytest

from harness.core.manifests.reader import parse
from harness.core.predict.scenario import Scenario
from harness.core.target import PodRef, parse_target
from harness.core.target.ask import Ask
from harness.errors import ManifestError

WORLD = """apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop, labels: {app: job}}
spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: each, namespace: shop}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: idle, namespace: shop}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""
JOB = PodRef("shop", "job")
SEALED = "podSelector: {}, policyTypes: [Egress]"
DNS_ONLY = "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]"
SHUT = "podSelector: {matchLabels: {app: web}}"


def scenario(spec: str = "") -> Scenario:
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    policy = f"---\n{head}metadata: {{name: p, namespace: shop}}\nspec: {{{spec}}}\n"
    return Scenario(parse(WORLD + (policy if spec else ""), origin="f.yaml"))


def predicted(target: str, spec: str = "") -> str:
    reading = scenario(spec).predict(Ask(JOB, parse_target(target, where="here"))).reading
    return str(reading)


@pytest.mark.parametrize(
    ("target", "spec", "expected"),
    [
        ("pod/shop/web:8080", "", "connected"),
        ("pod/shop/web:80", "", "refused"),
        ("pod/shop/web:8080/udp", "", "refused"),
        ("pod/shop/web:8080", SHUT, "timeout"),
        ("svc/shop/web:80", "", "connected"),
        ("svc/shop/web:80", SHUT, "timeout"),
        ("svc/shop/web:81", "", "None"),
        ("svc/shop/idle:80", "", "refused"),
        ("net/google.com:80", "", "connected"),
        ("net/google.com:80", SEALED, "timeout"),
        ("ping/pod/shop/web", "", "connected"),
        ("ping/pod/shop/web", SHUT, "None"),
        ("name/web:80", "", "connected"),
        ("name/each:8080", "", "connected"),  # a headless Service translates nothing
        ("name/each:80", "", "refused"),
        ("name/google.com:80", "", "connected"),
        ("name/web:80", SEALED, "dns_timeout"),
        ("name/web:80", DNS_ONLY, "timeout"),
        ("name/nowhere:80", "", "dns_nxdomain"),
        ("dns/A/web.shop.svc.cluster.local", SEALED, "dns_timeout"),
        ("dns/A/web.shop.svc.cluster.local/tcp", DNS_ONLY, "dns_timeout"),
        ("dns/A/web.shop.svc.cluster.local", DNS_ONLY, "resolved"),
        ("questions/web", SEALED, "dns_timeout"),
        ("questions/web", "", "shows 1 question"),
        ("option/ndots", SEALED, "shows ndots:5"),
        ("option/timeout", "", "None"),
        ("fact/policies", "", "None"),
        ("fact/lookup-time/google.com", "", "None"),
        ("fact/established-connection/pod/shop/web:8080", "", "None"),
    ],
)
def test_what_a_client_sees(target: str, spec: str, expected: str) -> None:
    assert predicted(target, spec) == expected


@pytest.mark.parametrize(
    ("target", "spec", "expected"),
    [
        ("pod/shop/web:8080", SHUT, "connected"),
        ("svc/shop/web:80", "", "connected"),
        ("svc/shop/web:80", SHUT, "None"),
        ("svc/shop/web:80", SEALED, "None"),
        ("svc/shop/web:80", f"{SHUT}, ingress: [{{from: [{{podSelector: {{}}}}]}}]", "connected"),
        ("svc/shop/web:80", f"{SHUT}, ingress: [{{ports: [{{port: 80}}]}}]", "None"),
        ("name/each:8080", SHUT, "connected"),  # its own address, which nothing translates
    ],
)
def test_pod_through_its_own_service_depends_on_the_cni(
    target: str, spec: str, expected: str
) -> None:
    ask = Ask(PodRef("shop", "web"), parse_target(target, where="here"))

    assert str(scenario(spec).predict(ask).reading) == expected


def test_denial_comes_with_the_policy_that_denies() -> None:
    found = scenario(SHUT).predict(Ask(JOB, parse_target("svc/shop/web:80", where="here")))

    assert any("shop/p" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("pod/shop/gone:80", "shop/gone"),
        ("svc/shop/gone:80", "shop/gone"),
        ("net/example.invalid:80", "simulated internet"),
    ],
)
def test_what_no_manifest_has_is_an_error(target: str, expected: str) -> None:
    with pytest.raises(ManifestError, match=expected):
        predicted(target)


def test_headless_service_has_no_address_to_connect_to() -> None:
    with pytest.raises(ManifestError, match="headless"):
        predicted("svc/shop/each:80")
