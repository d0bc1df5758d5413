"""Ports: nobody listens there, or the port is the Service's."""

from __future__ import annotations

import pytest

from harness.core.lint.finding import Sure
from harness.core.outcome import Verdict
from tests.core.lint.worlds import every, found, line_of, namespace, pod, policy, service

FRONT = pod("shop/front", "app: front")
LEDGER = pod("shop/ledger", "app: ledger", "8080 http")
SERVICE = service("shop/ledger", "app: ledger", "{name: web, port: 80, targetPort: http}")
WORLD = (namespace("shop"), FRONT, LEDGER, SERVICE)


def egress(*ports: str) -> str:
    entries = "".join(f"        - {{{port}}}\n" for port in ports)
    return policy(
        "shop/front-to-ledger",
        "  podSelector: {matchLabels: {app: front}}\n  policyTypes: [Egress]\n  egress:\n"
        f"    - to: [{{podSelector: {{matchLabels: {{app: ledger}}}}}}]\n      ports:\n{entries}",
    )


def ingress(*ports: str) -> str:
    entries = "".join(f"        - {{{port}}}\n" for port in ports)
    return policy(
        "shop/ledger-from-front",
        "  podSelector: {matchLabels: {app: ledger}}\n  policyTypes: [Ingress]\n  ingress:\n"
        f"    - from: [{{podSelector: {{matchLabels: {{app: front}}}}}}]\n      ports:\n{entries}",
    )


@pytest.mark.parametrize("port", ["port: 80", "port: web"])
@pytest.mark.parametrize("side", [egress, ingress])
def test_the_port_of_the_service_is_reported_with_the_flow_to_the_pods_port(
    port: str, side: object
) -> None:
    written = egress(port) if side is egress else ingress(port)
    world = (*WORLD, written)

    finding = found("service-port", *world)

    assert finding.spot.line == line_of(f"- {{{port}}}", *world)
    assert finding.fix.sentence.startswith("write `port: http`")
    assert finding.shown is not None
    assert str(finding.shown.flow) == "shop/front -> pod/shop/ledger:8080"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)
    assert every("port-nobody-listens", *world) == []


@pytest.mark.parametrize("ports", [("port: 8080",), ("port: http",), ("port: 80", "port: 8080")])
def test_the_pods_own_port_is_not_reported(ports: tuple[str, ...]) -> None:
    assert every("service-port", *WORLD, egress(*ports)) == []


def test_a_port_on_which_no_receiver_listens_is_reported_with_the_port_that_is_closed() -> None:
    world = (namespace("shop"), FRONT, LEDGER, egress("protocol: TCP, port: 8008"))

    finding = found("port-nobody-listens", *world)

    assert finding.sure is Sure.LIKELY
    assert finding.spot.field == "spec.egress[0].ports[0]"
    assert finding.spot.line == line_of("port: 8008", *world)
    assert finding.shown is not None
    assert str(finding.shown.flow) == "shop/front -> pod/shop/ledger:8080"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


def test_a_name_that_no_receiver_gives_its_port_is_reported() -> None:
    finding = found("port-nobody-listens", *WORLD, ingress("port: htttp"))

    assert finding.sure is Sure.LIKELY


def test_the_wrong_protocol_is_a_port_on_which_nobody_listens() -> None:
    finding = found("port-nobody-listens", *WORLD, ingress("protocol: UDP, port: 8080"))

    assert "write `{protocol: TCP, port: 8080}`" in finding.fix.sentence


PROBED = """\
apiVersion: v1
kind: Pod
metadata:
  name: ledger
  namespace: shop
  labels: {app: ledger}
  annotations: {prometheus.io/port: "9102"}
spec:
  containers:
    - name: main
      image: a
      ports: [{containerPort: 8080}]
      readinessProbe: {httpGet: {port: 8081}}
"""


@pytest.mark.parametrize(
    ("ledger", "port"),
    [
        pytest.param(PROBED, "8081", id="the kubelet probes it"),
        pytest.param(PROBED, "9102", id="it is scraped"),
        pytest.param(
            LEDGER + "---\n" + service("shop/more", "app: ledger", "{port: 1, targetPort: 9090}"),
            "9090",
            id="a Service leads there",
        ),
        pytest.param(pod("shop/ledger", "app: ledger"), "5432", id="the pod declares no port"),
    ],
)
def test_a_port_that_the_container_need_not_declare_is_not_reported(ledger: str, port: str) -> None:
    assert every("port-nobody-listens", FRONT, ledger, ingress(f"port: {port}")) == []


def test_a_second_port_beside_one_that_is_served_is_only_possibly_a_fault() -> None:
    reports = every("port-nobody-listens", *WORLD[:3], ingress("port: http", "port: 9090"))

    assert {finding.sure for finding in reports} <= {Sure.POSSIBLE}


def test_a_port_beside_an_open_main_port_is_only_possibly_a_fault() -> None:
    metrics = ingress("port: 9090").replace("ledger-from-front", "metrics")
    reports = every("port-nobody-listens", *WORLD[:3], ingress("port: http"), metrics)

    assert {finding.sure for finding in reports} <= {Sure.POSSIBLE}


def test_a_range_that_covers_a_served_port_is_not_reported() -> None:
    assert every("port-nobody-listens", *WORLD, ingress("port: 8000, endPort: 8100")) == []
