"""Every rule of lint has a state in which it reports, and the same state mended, without a report.

What differs between the two is the fault, and nothing else. A rule without such a pair fails here.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from harness.core.lint.table import BY_ID, RULES
from tests.core.lint.worlds import DENY, DNS, every, namespace, pod, policy, service

WEB, API = (
    "  podSelector: {matchLabels: {app: web}}\n",
    "  podSelector: {matchLabels: {app: api}}\n",
)
SHOP = (
    namespace("shop", "kubernetes.io/metadata.name: shop, team: a"),
    pod("shop/web", "app: web", "80"),
    pod("shop/api", "app: api", "8080 http"),
)
FAR = (
    namespace("far", "team: b"),
    pod("far/client", "app: client", "80"),
    pod("far/other", "app: other"),
)
SYSTEM = (
    namespace("kube-system", "kubernetes.io/metadata.name: kube-system"),
    pod("kube-system/dns", "k8s-app: kube-dns", "53/UDP dns, 53/TCP dns-tcp"),
    service("kube-system/kube-dns", "k8s-app: kube-dns", "{port: 53, protocol: UDP}"),
)
CALLED = (*SHOP, *SYSTEM, service("shop/api", "app: api", "{port: 80, targetPort: 8080}"))
TO_API = f"""\
{WEB}  policyTypes: [Egress]
  egress:
    - to: [{{podSelector: {{matchLabels: {{app: api}}}}}}]
"""


def ingress(*peers: str, ports: str = "") -> str:
    """Ingress of the API from these peers."""
    tail = f"\n      ports: [{ports}]" if ports else ""
    return f"{API}  policyTypes: [Ingress]\n  ingress:\n    - from: [{', '.join(peers)}]{tail}\n"


def wanted(flow: str) -> str:
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: wanted-flows, namespace: shop}\n"
        f"data:\n  flows: |\n    - {{from: shop/web, to: {flow}}}\n"
    )


class Pair(NamedTuple):
    """A state with the fault, and the same one without it."""

    bad: tuple[str, ...]
    good: tuple[str, ...]


def pair(common: tuple[str, ...], bad: str, good: str, name: str = "shop/p") -> Pair:
    """The same objects with one policy or another."""
    return Pair((*common, policy(name, bad)), (*common, policy(name, good)))


def comment(text: str) -> tuple[str, ...]:
    """A policy with a fault in its last line, below a comment."""
    return (*SHOP, policy("shop/p", f"# {text}\n{API}  policyTypes: [Ingress]\n"))


SPACE = "{namespaceSelector: {matchLabels: {team: b}}}"
POD = "{podSelector: {matchLabels: {app: client}}}"
BOTH = "{namespaceSelector: {matchLabels: {team: b}}, podSelector: {matchLabels: {app: client}}}"
NEVER = "{namespaceSelector: {matchLabels: {team: b}}, podSelector: {matchLabels: {app: web}}}"

PAIRS = {
    "dns-forgotten": Pair(
        (*CALLED, policy("shop/p", TO_API)),
        (*CALLED, policy("shop/p", TO_API), policy("shop/dns", DNS)),
    ),
    "dns-without-tcp": pair(
        (*CALLED, policy("shop/q", TO_API)),
        DNS.replace(", {protocol: TCP, port: 53}", ""),
        DNS,
    ),
    "dns-without-udp": pair(
        (*CALLED, policy("shop/q", TO_API)),
        DNS.replace("{protocol: UDP, port: 53}, ", ""),
        DNS,
    ),
    "two-peers": pair((*SHOP, *FAR), ingress(SPACE, POD), ingress(BOTH)),
    "one-peer": pair(
        (*SHOP, *FAR), ingress(NEVER), ingress(SPACE, "{podSelector: {matchLabels: {app: web}}}")
    ),
    "selects-nobody": pair(
        SHOP,
        ingress("{podSelector: {matchLabels: {app: wbe}}}"),
        ingress("{podSelector: {matchLabels: {app: web}}}"),
    ),
    "namespace-label-unset": pair(
        (*SHOP, *FAR), ingress(SPACE.replace("team: b", "name: far")), ingress(SPACE)
    ),
    "port-nobody-listens": pair(
        SHOP,
        ingress("{podSelector: {}}", ports="{port: 81}"),
        ingress("{podSelector: {}}", ports="{port: 8080}"),
    ),
    "service-port": pair(
        CALLED,
        ingress("{podSelector: {}}", ports="{port: 80}"),
        ingress("{podSelector: {}}", ports="{port: 8080}"),
    ),
    "policy-types": pair(
        SHOP,
        TO_API.replace("[Egress]", "[Ingress]"),
        TO_API.replace("[Egress]", "[Ingress, Egress]"),
    ),
    "policy-types-defaulted": pair(SHOP, TO_API.replace("  policyTypes: [Egress]\n", ""), TO_API),
    "void-by-other-side": Pair(
        (*SHOP, policy("shop/deny", DENY), policy("shop/p", TO_API)),
        (
            *SHOP,
            policy("shop/deny", DENY),
            policy("shop/p", TO_API),
            policy("shop/q", ingress("{podSelector: {matchLabels: {app: web}}}")),
        ),
    ),
    "wanted-flow-closed": Pair(
        (*SHOP, wanted("pod/shop/api:8080"), policy("shop/deny", DENY)),
        (*SHOP, wanted("pod/shop/api:8080")),
    ),
    "default-deny-missing": Pair(
        (*SHOP, *FAR, policy("shop/deny", DENY)),
        (*SHOP, *FAR, policy("shop/deny", DENY), policy("far/deny", DENY)),
    ),
    "default-deny-one-way": pair(SHOP, DENY.replace(", Egress", ""), DENY),
    "ip-block-over-pods": pair(
        SHOP,
        ingress("{ipBlock: {cidr: 10.244.0.0/16}}"),
        ingress("{ipBlock: {cidr: 198.51.100.0/24}}"),
    ),
    "yaml-reads-otherwise": pair(
        (namespace("shop"), pod("shop/web"), pod("shop/api", '"on": "1"', "80")),
        "  podSelector: {matchLabels: {on: '1'}}\n  policyTypes: [Ingress]\n",
        "  podSelector: {matchLabels: {'on': '1'}}\n  policyTypes: [Ingress]\n",
    ),
    "ignore-without-reason": Pair(
        comment("policylab: ignore selects-nobody"),
        comment("policylab: ignore selects-nobody the pods come later"),
    ),
    "ignore-unknown-rule": Pair(
        comment("policylab: ignore selects-nobdy it comes later"),
        comment("policylab: ignore selects-nobody it comes later"),
    ),
    "ignore-unused": Pair(
        comment("policylab: ignore two-peers it comes later"),
        comment("nothing is ignored"),
    ),
}


def test_every_rule_has_a_pair() -> None:
    assert PAIRS.keys() == BY_ID.keys()
    assert len(BY_ID) == len(RULES)


@pytest.mark.parametrize("rule", PAIRS)
def test_rule_reports_the_fault_and_is_silent_once_it_is_mended(rule: str) -> None:
    bad, good = PAIRS[rule]

    assert every(rule, *bad)
    assert every(rule, *good) == []
