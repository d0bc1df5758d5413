"""One peer or two, and ipBlocks over pods."""

from __future__ import annotations

import pytest

from harness.core.outcome import Verdict
from tests.core.lint.worlds import every, found, line_of, namespace, pod, policy

WORLD = (
    namespace("app"),
    namespace("mon"),
    pod("app/api", "app: api", "8443 https"),
    pod("app/helper", "app: helper"),
    pod("mon/scraper", "app: scraper"),
    pod("mon/shell", "app: shell"),
)
FROM = """\
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress:
    - from:
"""
TWO = """\
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mon}}
        - podSelector: {matchLabels: {app: scraper}}
"""
ONE = TWO.replace("- podSelector", "  podSelector")


def test_two_entries_for_one_pod_let_in_its_whole_namespace() -> None:
    world = (*WORLD, policy("app/scraper-only", FROM + TWO))

    finding = found("two-peers", *world)

    assert finding.spot.field == "spec.ingress[0].from[1]"
    assert finding.spot.line == line_of("- podSelector: {matchLabels: {app: scraper", *world)
    assert finding.shown is not None
    assert str(finding.shown.flow) == "mon/shell -> pod/app/api:8443"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.ALLOW, Verdict.DENY)


def test_the_order_of_the_two_entries_does_not_matter() -> None:
    rows = TWO.splitlines(keepends=True)

    assert found("two-peers", *WORLD, policy("app/s", FROM + rows[1] + rows[0])).shown


@pytest.mark.parametrize(
    "peers",
    [
        pytest.param(ONE, id="one entry"),
        pytest.param(TWO.replace("app: scraper", "app: helper"), id="a pod of the own namespace"),
        pytest.param(TWO.replace("matchLabels: {app: scraper}", ""), id="all own pods"),
    ],
)
def test_two_peers_that_are_meant_are_not_reported(peers: str) -> None:
    assert every("two-peers", *WORLD, policy("app/s", FROM + peers)) == []


def test_two_entries_of_which_nobody_else_profits_are_not_reported() -> None:
    """All pods of the namespace bear the label, so one entry would let in the same pods."""
    world = [text for text in WORLD if "shell" not in text]

    assert every("two-peers", *world, policy("app/s", FROM + TWO)) == []


def test_two_entries_for_coredns_let_in_another_pod_of_kube_system() -> None:
    spec = """\
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
        - podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
"""
    finding = found("two-peers", *WORLD, policy("app/dns", spec))

    assert finding.shown is not None
    assert finding.shown.made_up == ("kube-system/another-pod",)
    assert finding.shown.mended is Verdict.DENY


def test_one_entry_that_joins_two_selectors_picks_nobody_where_two_would_pick_both() -> None:
    joined = ONE.replace("app: scraper", "app: helper")
    world = (*WORLD, policy("app/s", FROM + joined))

    finding = found("one-peer", *world)

    assert finding.spot.field == "spec.ingress[0].from[0]"
    assert finding.shown is not None
    assert str(finding.shown.flow) == "app/helper -> pod/app/api:8443"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)
    assert every("selects-nobody", *world) == []


def block(cidr: str) -> str:
    return policy("app/blocks", f"{FROM}        - ipBlock: {{cidr: {cidr}}}\n")


@pytest.mark.parametrize("cidr", ["10.244.0.0/16", "10.244.3.0/24", "10.42.0.0/16"])
def test_an_ip_block_of_a_pod_network_is_reported_with_the_cnis_that_differ(cidr: str) -> None:
    world = (*WORLD, block(cidr))
    finding = found("ip-block-over-pods", *world)

    assert finding.spot.field == "spec.ingress[0].from[0].ipBlock.cidr"
    assert finding.spot.line == line_of(cidr, *world)
    assert "with calico it lets pods pass, and with cilium it does not" in finding.what
    assert finding.shown is not None
    assert finding.shown.verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    "cidr", ["0.0.0.0/0", "192.0.2.0/24", "10.0.0.0/8", "192.168.7.0/24", "10.20.0.0/16"]
)
def test_an_ip_block_for_the_outside_is_not_reported(cidr: str) -> None:
    assert every("ip-block-over-pods", *WORLD, block(cidr)) == []


def test_an_ip_block_over_the_known_address_of_a_pod_is_reported() -> None:
    known = pod("app/known", "app: known") + "status: {podIP: 10.20.0.9}\n"
    finding = found("ip-block-over-pods", *WORLD, known, block("10.20.0.0/16"))

    assert "the address of app/known is in it" in finding.what
    assert finding.shown is not None
    assert str(finding.shown.flow) == "app/known -> pod/app/api:8443"


def test_an_ip_block_beside_a_selector_that_lets_the_same_pods_pass_is_not_reported() -> None:
    both = "        - ipBlock: {cidr: 10.244.0.0/16}\n        - namespaceSelector: {}\n"

    assert every("ip-block-over-pods", *WORLD, policy("app/both", FROM + both)) == []
