"""DNS: forgotten, or open over one protocol of two."""

from __future__ import annotations

import pytest

from harness.core.lint.finding import Sure
from harness.core.outcome import Verdict
from tests.core.lint.worlds import DENY, DNS, every, found, line_of, namespace, pod, policy

WORLD = (
    namespace("shop"),
    pod("shop/web", "app: web"),
    pod("shop/api", "app: api", "8080 http"),
)
TO_API = """\
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app: api}}}]
"""
SERVERS = """\
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
      ports:
"""


def test_a_pod_that_may_send_but_not_ask_for_names_is_reported_with_its_question() -> None:
    world = (*WORLD, policy("shop/web-to-api", TO_API))

    finding = found("dns-forgotten", *world)

    assert str(finding.spot.object) == "NetworkPolicy shop/web-to-api"
    assert (finding.spot.field, finding.spot.line) == (
        "spec.egress[0]",
        line_of("- to: [{podSelector", *world),
    )
    assert finding.shown is not None
    assert str(finding.shown.flow) == "shop/web -> pod/kube-system/coredns:53/udp"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


def test_the_suggested_policy_is_found_to_open_dns() -> None:
    finding = found("dns-forgotten", *WORLD, policy("shop/web-to-api", TO_API))

    assert every("dns-forgotten", *WORLD, policy("shop/web-to-api", TO_API), finding.fix.yaml) == []


@pytest.mark.parametrize(
    "more",
    [
        pytest.param((policy("shop/dns", DNS),), id="another policy opens it"),
        pytest.param((policy("shop/deny", DENY),), id="a policy without rules"),
    ],
)
def test_dns_is_not_forgotten_where_another_policy_opens_it(more: tuple[str, ...]) -> None:
    opened = any("kube-dns" in text for text in more)

    assert bool(every("dns-forgotten", *WORLD, policy("shop/w", TO_API), *more)) is not opened


def test_default_deny_alone_has_forgotten_nothing() -> None:
    assert every("dns-forgotten", *WORLD, policy("shop/deny", DENY)) == []


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("[{ipBlock: {cidr: 192.0.2.7/32}}]", id="an address"),
        pytest.param("[{ipBlock: {cidr: 192.0.2.0/24}}]", id="a network of machines"),
    ],
)
def test_a_client_that_is_given_addresses_needs_no_names(to: str) -> None:
    spec = TO_API.replace("[{podSelector: {matchLabels: {app: api}}}]", to)

    assert every("dns-forgotten", *WORLD, policy("shop/web", spec)) == []


INTERNET = TO_API.replace(
    "[{podSelector: {matchLabels: {app: api}}}]",
    "[{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]",
)


def test_a_client_of_the_whole_internet_needs_names() -> None:
    spec = INTERNET + "      ports: [{port: 443}]\n"

    assert found("dns-forgotten", *WORLD, policy("shop/web", spec)).sure is Sure.LIKELY


def test_an_ip_block_that_may_cover_the_name_server_leaves_it_open_and_is_not_reported() -> None:
    assert every("dns-forgotten", *WORLD, policy("shop/web", INTERNET)) == []


@pytest.mark.parametrize("settings", ["dnsPolicy: Default", "hostNetwork: true"])
def test_a_pod_that_does_not_ask_the_cluster_for_names_is_left_out(settings: str) -> None:
    world = (namespace("shop"), pod("shop/web", "app: web", more=settings), WORLD[2])

    assert every("dns-forgotten", *world, policy("shop/web", TO_API)) == []


def test_a_rule_for_another_name_server_shows_that_dns_was_not_forgotten() -> None:
    node_local = """\
    - to: [{ipBlock: {cidr: 169.254.20.10/32}}]
      ports: [{protocol: UDP, port: 53}]
"""

    assert every("dns-forgotten", *WORLD, policy("shop/web", TO_API + node_local)) == []


def test_a_policy_of_another_namespace_that_was_not_read_gets_a_pod_that_stands_in() -> None:
    finding = found("dns-forgotten", policy("shop/web-to-api", TO_API))

    assert finding.sure is Sure.POSSIBLE  # another policy of the cluster may open it
    assert finding.shown is not None
    assert finding.shown.made_up == ("shop/a-pod-with-app=web",)


def test_a_pod_that_stands_in_gets_all_that_any_policy_could_give_it() -> None:
    by_tier = DNS.replace("podSelector: {}", "podSelector: {matchLabels: {tier: front}}")

    assert every("dns-forgotten", policy("shop/a", TO_API), policy("shop/dns", by_tier)) == []


def test_dns_over_udp_only_is_reported_at_the_entry_with_the_question_over_tcp() -> None:
    world = (*WORLD, policy("shop/dns", f"{SERVERS}        - {{protocol: UDP, port: 53}}\n"))

    finding = found("dns-without-tcp", *world)

    assert finding.spot.field == "spec.egress[0].ports[0]"
    assert finding.spot.line == line_of("protocol: UDP", *world)
    assert finding.shown is not None
    assert str(finding.shown.flow).endswith("pod/kube-system/coredns:53")
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


def test_an_entry_without_a_protocol_opens_dns_over_tcp_only() -> None:
    finding = found("dns-without-udp", *WORLD, policy("shop/dns", f"{SERVERS}        - port: 53\n"))

    assert finding.sure is Sure.CERTAIN
    assert "TCP is the protocol of an entry that names none" in finding.what
    assert finding.shown is not None
    assert finding.shown.mended is Verdict.ALLOW


def test_both_protocols_in_two_policies_are_enough() -> None:
    udp = policy("shop/udp", f"{SERVERS}        - {{protocol: UDP, port: 53}}\n")
    tcp = policy("shop/tcp", f"{SERVERS}        - {{protocol: TCP, port: 53}}\n")

    assert every("dns-without-tcp", *WORLD, udp, tcp) == []
    assert every("dns-without-udp", *WORLD, udp, tcp) == []


def test_every_port_to_the_name_servers_is_both_protocols() -> None:
    spec = SERVERS.removesuffix("      ports:\n")

    assert every("dns-without-tcp", *WORLD, policy("shop/dns", spec)) == []
