"""What a client sees under CiliumNetworkPolicies: names, addresses and refused questions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.core.manifests.reader import parse
from harness.core.predict.scenario import Prediction, Scenario
from harness.core.predict.settle import candidates, flips
from harness.core.target import ExternalPort, NamePort, PodRef, parse_target
from harness.core.target.ask import Ask

PODS = """apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: backend, namespace: shop, labels: {app: backend}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: shop, labels: {app: other}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: shop}
spec: {selector: {app: other}, ports: [{port: 80}]}
"""
BACKEND, OTHER = PodRef("shop", "backend"), PodRef("shop", "other")

TO_DNS = "toEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: kube-system}}]"
ONLY_UDP = '{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "*"}]}}'


def patterns(names: Sequence[str]) -> str:
    return ", ".join(f'{{matchPattern: "{name}"}}' for name in names)


def asking(*names: str) -> str:
    """A rule that lets ask the name server about these names."""
    ports = '[{port: "53", protocol: ANY}]'
    return f"{{{TO_DNS}, toPorts: [{{ports: {ports}, rules: {{dns: [{patterns(names)}]}}}}]}}"


def to(*names: str) -> str:
    """A rule that opens the addresses of these names."""
    return f"{{toFQDNs: [{patterns(names)}]}}"


def cilium(*rules: str, name: str = "p", more: str = "") -> str:
    """A policy on the backend's egress."""
    return f"""---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec: {{endpointSelector: {{matchLabels: {{app: backend}}}}, {more} egress: [{", ".join(rules)}]}}
"""


def plain(ports: str) -> str:
    """A NetworkPolicy on the backend's egress."""
    return f"""---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: other, namespace: shop}}
spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{ports}]}}
"""


def scenario(*policies: str) -> Scenario:
    return Scenario(parse(PODS + "".join(policies), origin="f.yaml"))


def prediction(target: str, *policies: str) -> Prediction:
    return scenario(*policies).predict(Ask(BACKEND, parse_target(target, where="here")))


def predicted(target: str, *policies: str) -> str:
    return str(prediction(target, *policies).reading)


TUTORIAL = cilium(asking("*"), to("kubernetes.io"))
NARROW = cilium(asking("kubernetes.io"), to("*"))
LOCAL = cilium(asking("*.*.svc.cluster.local"))
SEARCHED = cilium(asking("kubernetes.io", "**.cluster.local"), to("kubernetes.io"))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("name/kubernetes.io:443", "connected"),
        ("name/kubernetes.io:80", "connected"),
        ("name/cilium.io:443", "timeout"),
        ("name/docs.cilium.io:443", "timeout"),
        ("name/neighbour.cloudyuga.guru:443", "connected"),  # the same address
        ("net/kubernetes.io:443", "connected"),
        ("net/cilium.io:443", "timeout"),
        ("dns/A/cilium.io", "resolved"),
        ("dns/A/cilium.io/tcp", "resolved"),
        ("lookup/cilium.io", "resolved"),
        ("lookup/no.such.name", "dns_nxdomain"),
        ("questions/cilium.io", "shows 4 questions"),
        ("pod/shop/other:80", "timeout"),
        ("name/other:80", "timeout"),
        ("svc/kube-system/kube-dns:9153", "timeout"),
    ],
)
def test_policy_of_the_tutorial(target: str, expected: str) -> None:
    assert predicted(target, TUTORIAL) == expected


@pytest.mark.parametrize(
    ("target", "policy", "expected"),
    [
        # Each name of the search list is a question of its own, and the first refusal ends it.
        ("dns/A/kubernetes.io", NARROW, "resolved"),
        ("dns/AAAA/kubernetes.io", NARROW, "resolved"),
        ("dns/A/cilium.io", NARROW, "dns_refused"),
        ("dns/A/cilium.io/tcp", NARROW, "dns_refused"),
        ("dns/A/KUBERNETES.IO", NARROW, "resolved"),
        ("lookup/kubernetes.io", NARROW, "resolved"),
        ("lookup/kubernetes.io.", NARROW, "resolved"),
        ("questions/kubernetes.io", NARROW, "shows 1 question"),
        ("questions/kubernetes.io.", NARROW, "shows 1 question"),
        ("name/kubernetes.io:443", NARROW, "connected"),
        ("name/kubernetes.io.:443", NARROW, "connected"),
        ("lookup/kubernetes.io", SEARCHED, "resolved"),
        ("questions/kubernetes.io", SEARCHED, "shows 4 questions"),
        ("name/kubernetes.io:443", SEARCHED, "connected"),
        ("name/cilium.io:443", SEARCHED, "dns_refused"),
        ("lookup/other", LOCAL, "resolved"),
        ("questions/other", LOCAL, "shows 1 question"),
        ("lookup/other.shop", LOCAL, "dns_refused"),
        ("lookup/google.com", LOCAL, "dns_refused"),
        ("questions/nothing", LOCAL, "shows 1 question"),
        ("lookup/nothing", LOCAL, "dns_refused"),
        ("dns/SRV/_http._tcp.other.shop.svc.cluster.local", LOCAL, "dns_refused"),
    ],
)
def test_rules_for_names_refuse_all_others(target: str, policy: str, expected: str) -> None:
    assert predicted(target, policy) == expected


def test_rules_for_udp_leave_tcp_shut() -> None:
    policy = cilium(f"{{{TO_DNS}, toPorts: [{ONLY_UDP}]}}")

    assert predicted("dns/A/google.com", policy) == "resolved"
    assert predicted("dns/A/google.com/tcp", policy) == "dns_timeout"


@pytest.mark.parametrize(
    ("also", "expected"),
    [
        # Rules for this very port add up: without names it opens all of them.
        (cilium(asking("cilium.io"), name="q"), "resolved"),
        (cilium(asking("docs.*"), name="q"), "dns_refused"),
        (cilium(f'{{{TO_DNS}, toPorts: [{{ports: [{{port: "53"}}]}}]}}', name="q"), "resolved"),
        (plain("{ports: [{port: 53, protocol: UDP}]}"), "resolved"),
        # Of the others Cilium's DNS proxy does not know.
        (plain("{ports: [{port: 53, protocol: TCP}]}"), "dns_refused"),
        (plain("{}"), "dns_refused"),
        (plain("{ports: [{port: 1, endPort: 100, protocol: UDP}]}"), "dns_refused"),
        (plain("{ports: [{port: 53, endPort: 54, protocol: UDP}]}"), "dns_refused"),
        (plain("{ports: [{port: dns, protocol: UDP}]}"), "dns_refused"),
        (cilium("{toEntities: [all]}", name="q"), "dns_refused"),
        # A rule for other peers says nothing of the name server.
        (
            cilium('{toEndpoints: [{}], toPorts: [{ports: [{port: "53"}]}]}', name="q"),
            "dns_refused",
        ),
    ],
)
def test_other_rules_beside_rules_for_names(also: str, expected: str) -> None:
    assert predicted("dns/A/cilium.io", NARROW, also) == expected


def test_rules_for_names_that_isolate_nobody_refuse_nothing() -> None:
    adding = cilium(asking("kubernetes.io"), more="enableDefaultDeny: {egress: false},")

    assert predicted("dns/A/cilium.io", adding) == "resolved"
    assert predicted("dns/A/cilium.io", adding, cilium("{}", name="q")) == "dns_refused"


def test_other_pods_questions_are_not_looked_into() -> None:
    found = scenario(NARROW).predict(Ask(OTHER, parse_target("lookup/cilium.io", where="here")))

    assert str(found.reading) == "resolved"


def test_without_a_rule_for_port_53_no_name_is_resolved() -> None:
    assert predicted("name/kubernetes.io:443", cilium(to("kubernetes.io"))) == "dns_timeout"


def test_name_is_not_learned_where_no_lookup_goes_through_the_proxy() -> None:
    unseen = cilium(f'{{{TO_DNS}, toPorts: [{{ports: [{{port: "53"}}]}}]}}', to("kubernetes.io"))
    found = prediction("name/kubernetes.io:443", unseen)

    assert str(found.reading) == "timeout"
    assert any("no rules.dns sends this pod's lookups through" in r for r in found.reasons)


@pytest.mark.parametrize(
    ("target", "policy", "words"),
    [
        (
            "name/kubernetes.io:443",
            TUTORIAL,
            (
                "CiliumNetworkPolicy shop/p, egress rule 2 (the addresses of kubernetes.io; every "
                "port); toFQDNs works by address"
            ),
        ),
        (
            "name/neighbour.cloudyuga.guru:443",
            TUTORIAL,
            (
                "neighbour.cloudyuga.guru has another name, but toFQDNs works by address, and "
                "192.0.2.11 is also that of an allowed name"
            ),
        ),
        (
            "name/cilium.io:443",
            TUTORIAL,
            "backend is selected by CiliumNetworkPolicy shop/p; no rule allows egress to cilium.io",
        ),
        (
            "name/cilium.io:443",
            TUTORIAL,
            "lacks the name cilium.io (nor is its address that of a name",
        ),
        (
            "dns/A/cilium.io",
            NARROW,
            (
                "DNS REFUSED: Cilium's DNS proxy answers cilium.io. itself, for rules.dns lets "
                "this pod ask about kubernetes.io only"
            ),
        ),
        ("lookup/cilium.io", NARROW, "proxy answers cilium.io. itself"),
        (
            "pod/shop/other:80",
            cilium("{toEntities: [world]}"),
            "world means only what lies outside",
        ),
        ("pod/shop/other:80", cilium("{toCIDR: [0.0.0.0/0]}"), "never mean pods"),
        ("pod/shop/other:80", cilium("{}"), "is selected by CiliumNetworkPolicy shop/p"),
        ("ping/pod/shop/other", cilium("{}"), "no rule allows egress to shop/other"),
        (
            "ping/pod/shop/other",
            cilium("{icmps: [{fields: [{type: EchoRequest}]}]}"),
            "(anyone; ICMP messages of type 8)",
        ),
        (
            "dns/A/google.com",
            TUTORIAL,
            "TCP, UDP and SCTP 53 for questions about every name",
        ),
        (
            "net/google.com:80",
            cilium("{}", more="enableDefaultDeny: {egress: false},"),
            "with enableDefaultDeny false for egress, so flows that no rule allows pass too",
        ),
        ("net/google.com:80", cilium("{toEntities: [world]}"), "all that is outside of the cl"),
        (
            "net/google.com:80",
            cilium("{toCIDR: [192.0.2.0/24]}"),
            "addresses in 192.0.2.0/24 outside of the cluster; every port",
        ),
        (
            # What passes by its address needs no lookup: the reason says so first.
            "net/google.com:80",
            cilium(asking("*"), to("*"), "{toCIDR: [192.0.2.0/24]}"),
            "egress rule 3 (addresses in 192.0.2.0/24",
        ),
    ],
)
def test_reasons_speak_of_names_addresses_and_kinds(target: str, policy: str, words: str) -> None:
    found = prediction(target, policy)

    assert any(words in reason for reason in found.reasons), found.reasons


def outside(found: Scenario) -> set[str]:
    asks = candidates(found, [BACKEND])
    return {
        f"{kind} {target.name}:{target.port}"
        for target in (ask.target for ask in asks)
        for kind in [type(target).__name__]
        if isinstance(target, NamePort | ExternalPort)
    }


@pytest.mark.parametrize(
    "policies", [(), (plain("{}"),), (cilium("{toEntities: [world]}"),)], ids=str
)
def test_without_names_the_outside_is_asked_by_address(policies: tuple[str, ...]) -> None:
    assert outside(scenario(*policies)) == {"ExternalPort google.com:80"}


def test_with_names_each_address_outside_is_asked_by_one_name() -> None:
    found = outside(scenario(TUTORIAL))

    assert "NamePort kubernetes.io:443" in found
    assert "NamePort neighbour.cloudyuga.guru:443" not in found
    assert len(found) == 6


def test_of_names_at_one_address_the_one_that_opens_it_is_asked() -> None:
    found = outside(scenario(cilium(asking("*"), to("neighbour.cloudyuga.guru"))))

    assert "NamePort neighbour.cloudyuga.guru:443" in found
    assert "NamePort kubernetes.io:443" not in found


def test_names_that_a_policy_shuts_tell_that_it_is_in_force() -> None:
    before, after = scenario(), scenario(TUTORIAL)
    told = {
        f"{ask.target.name} {reading}"
        for ask, reading in flips(before, after, candidates(after, [BACKEND])).items()
        if isinstance(ask.target, NamePort)
    }

    assert "cilium.io timeout" in told
    assert not any(line.startswith("kubernetes.io ") for line in told)


def test_names_that_a_policy_opens_tell_that_it_is_in_force() -> None:
    before, after = scenario(cilium("{}")), scenario(TUTORIAL)
    found = flips(before, after, candidates(after, [BACKEND]))
    told = {f"{a.target.name} {r}" for a, r in found.items() if isinstance(a.target, NamePort)}

    assert "kubernetes.io connected" in told
