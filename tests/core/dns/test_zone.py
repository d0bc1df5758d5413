"""What CoreDNS must answer, from the Kubernetes DNS specification and the plugin's source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.dns.question import Question
from harness.core.dns.zone import Zone, resolve
from harness.core.model import (
    Address,
    ContainerPort,
    Namespace,
    Pod,
    Protocol,
    Service,
    ServicePort,
    Topology,
)
from harness.core.outcome import Outcome, Reading

NXDOMAIN = Reading(Outcome.DNS_NXDOMAIN)
NODATA = Reading(Outcome.DNS_NODATA)
SEARCH = ("frontend-zone.svc.cluster.local", "svc.cluster.local", "cluster.local")


def resolved(detail: str = "") -> Reading:
    return Reading(Outcome.RESOLVED, detail)


def service(
    name: str,
    *ports: ServicePort,
    ip: str = "",
    headless: bool = False,
    selector: Mapping[str, str] | None = None,
) -> Service:
    address = ip_address(ip) if ip else None
    return Service("shop", name, selector or {"app": name}, ports, headless, address)


def pod(name: str, app: str, ip: str = "", namespace: str = "shop") -> Pod:
    ports = (ContainerPort(8080, name="web"),)
    return Pod(namespace, name, {"app": app}, ports, ip_address(ip) if ip else None)


NAMED = ServicePort(80, name="http", target=8080)
METRICS = ServicePort(9153, Protocol.TCP, "metrics", 9153)
UNNAMED = ServicePort(80)
SERVICES = [
    service("api", NAMED, ip="10.96.0.7"),
    service("plain", UNNAMED, ip="10.96.0.8"),
    service("young", NAMED),
    service("two", NAMED, METRICS, ip="10.96.0.9"),
    service("heads", ServicePort(80, name="http", target="web"), headless=True),
    service("empty", NAMED, headless=True),
    service("portless", headless=True, selector={"app": "heads"}),
    service("six", NAMED, ip="fd00:96::7"),
    service("guess", NAMED, headless=True),
    service("manual", NAMED, headless=True, selector={"app": "nobody"}),
]
PODS = [
    pod("heads-0", "heads", "10.244.0.10"),
    pod("heads-1", "heads", "10.244.0.9"),
    pod("elsewhere", "heads", "10.244.0.11", "other"),
    pod("api-0", "api", "10.244.0.12"),
    pod("guess-0", "guess"),
]
TOPOLOGY = Topology(
    {name: Namespace(name, {}) for name in ("shop", "other", "frontend-zone")},
    {str(p): p for p in PODS},
    {str(s): s for s in SERVICES},
)
ZONE = Zone(
    TOPOLOGY, external={"google.com": "192.0.2.10", "v6.example.": "2001:db8::1", "any.example": ""}
)


def look(name: str, rdtype: str = "A") -> Reading:
    return ZONE.lookup(Question(f"{name}.shop.svc.cluster.local.", rdtype))


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("api", "A", resolved("10.96.0.7")),
        ("API", "A", resolved("10.96.0.7")),
        ("api", "AAAA", NODATA),
        ("api", "CNAME", NODATA),
        ("six", "AAAA", resolved("fd00:96::7")),
        ("six", "A", NODATA),
        ("young", "A", resolved()),
        ("young", "AAAA", NODATA),
        ("absent", "A", NXDOMAIN),
        ("api", "TXT", NODATA),
        ("api", "PTR", NODATA),
        ("six", "TXT", NODATA),
        ("absent", "TXT", NXDOMAIN),
        ("_http._tcp.portless", "A", NXDOMAIN),
        ("_._tcp.portless", "A", NXDOMAIN),
        ("heads", "A", resolved("10.244.0.9, 10.244.0.10")),
        ("portless", "A", resolved("10.244.0.9, 10.244.0.10")),
        ("portless", "SRV", NODATA),
        ("guess", "A", resolved()),
        ("empty", "A", NXDOMAIN),
        ("manual", "A", NXDOMAIN),
        ("10-244-0-10.heads", "A", resolved("10.244.0.10")),
        ("10-244-0-12.api", "A", resolved("10.244.0.12")),
        ("10-244-0-11.heads", "A", NXDOMAIN),
        ("a.b.c.api", "A", NXDOMAIN),
    ],
)
def test_addresses_of_services(name: str, rdtype: str, expected: Reading) -> None:
    assert look(name, rdtype) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_http._tcp.api", resolved("0 100 80 api.shop.svc.cluster.local.")),
        ("_http._tcp.young", resolved("0 100 80 young.shop.svc.cluster.local.")),
        ("_http._tcp.plain", NXDOMAIN),
        ("_http._tcp.absent", NXDOMAIN),
        ("_http._udp.api", NXDOMAIN),
        ("_https._tcp.api", NXDOMAIN),
        (
            "two",
            resolved("0 50 80 two.shop.svc.cluster.local.; 0 50 9153 two.shop.svc.cluster.local."),
        ),
        (
            "_http._tcp.heads",
            resolved(
                "0 50 8080 10-244-0-10.heads.shop.svc.cluster.local.; "
                "0 50 8080 10-244-0-9.heads.shop.svc.cluster.local."
            ),
        ),
        ("_http._tcp.guess", resolved()),
        ("_http._tcp.empty", NXDOMAIN),
    ],
)
def test_service_records_name_port_and_target(name: str, expected: Reading) -> None:
    assert look(name, "SRV") == expected


RECORDED = json.loads(Path(__file__).with_name("coredns.json").read_text())
"""What CoreDNS 1.15.0 answered with the Services above in a real API server, by name and type."""


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_predictions_are_what_coredns_answered(name: str) -> None:
    addressed = {key: known for key, known in TOPOLOGY.pods.items() if known.ip}
    built = {str(s): s for s in SERVICES if s.name not in ("young", "guess")}
    zone = Zone(Topology(TOPOLOGY.namespaces, addressed, built))
    predicted = {rdtype: str(zone.lookup(Question(name, rdtype))) for rdtype in RECORDED[name]}
    assert predicted == RECORDED[name]


def test_coredns_answers_an_address_for_a_port_name() -> None:
    assert look("_http._tcp.api") == resolved("10.96.0.7")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cluster.local.", NODATA),
        ("svc.cluster.local.", NODATA),
        ("shop.svc.cluster.local.", NODATA),
        ("nowhere.svc.cluster.local.", NXDOMAIN),
        ("api.nowhere.svc.cluster.local.", NXDOMAIN),
        ("com.cluster.local.", NXDOMAIN),
        ("google.com.svc.cluster.local.", NXDOMAIN),
        ("shop.pod.cluster.local.", NODATA),
        ("10-244-0-5.shop.pod.cluster.local.", resolved("10.244.0.5")),
        ("10-244-0-5.nowhere.pod.cluster.local.", NXDOMAIN),
        ("web.shop.pod.cluster.local.", NXDOMAIN),
        ("notcluster.local.", NXDOMAIN),
        ("google.com.", resolved("192.0.2.10")),
        ("Google.COM.", resolved("192.0.2.10")),
        ("any.example.", resolved()),
        ("v6.example.", NODATA),
        ("absent.example.", NXDOMAIN),
    ],
)
def test_other_names(name: str, expected: Reading) -> None:
    assert ZONE.lookup(Question(name)) == expected


@pytest.mark.parametrize(
    ("name", "rdtype", "expected"),
    [
        ("v6.example.", "AAAA", resolved("2001:db8::1")),
        ("any.example.", "AAAA", Reading(Outcome.RESOLVED)),
        ("google.com.", "SRV", NODATA),
        ("dns-version.cluster.local.", "TXT", resolved('"1.1.0"')),
        ("7.0.96.10.in-addr.arpa.", "PTR", resolved("api.shop.svc.cluster.local.")),
        ("99.0.96.10.in-addr.arpa.", "PTR", NXDOMAIN),
        ("api.example.", "PTR", NXDOMAIN),
        ("12.0.244.10.in-addr.arpa.", "PTR", resolved("10-244-0-12.api.shop.svc.cluster.local.")),
        ("shop.svc.cluster.local.", "TXT", NXDOMAIN),
        ("shop.svc.cluster.local.", "PTR", NODATA),
        ("10-244-0-5.shop.pod.cluster.local.", "AAAA", NODATA),
        (
            "10-244-0-5.shop.pod.cluster.local.",
            "SRV",
            resolved("0 100 0 10-244-0-5.shop.pod.cluster.local."),
        ),
        ("x.10-244-0-5.shop.pod.cluster.local.", "A", resolved("10.244.0.5")),
        ("x.y.z.10-244-0-5.shop.pod.cluster.local.", "A", NXDOMAIN),
    ],
)
def test_other_types(name: str, rdtype: str, expected: Reading) -> None:
    assert ZONE.lookup(Question(name, rdtype)) == expected


def test_a_pods_address_leads_back_to_its_headless_services() -> None:
    reading = ZONE.lookup(Question("9.0.244.10.in-addr.arpa.", "PTR"))
    assert reading == resolved(
        "10-244-0-9.heads.shop.svc.cluster.local.; 10-244-0-9.portless.shop.svc.cluster.local."
    )


def test_another_cluster_domain_is_honoured() -> None:
    zone = Zone(TOPOLOGY, cluster_domain="lab.example.")
    assert zone.lookup(Question("api.shop.svc.lab.example.")) == resolved("10.96.0.7")
    assert zone.lookup(Question("api.shop.svc.cluster.local.")) == NXDOMAIN


@pytest.mark.parametrize(("name", "count"), [("google.com", 4), ("google.com.", 1)])
def test_a_trailing_dot_saves_three_questions(name: str, count: int) -> None:
    reading, asked = resolve(name, ZONE.lookup, search=SEARCH, ndots=5)
    assert reading == resolved("192.0.2.10")
    assert len(asked) == count
    assert asked[-1] == Question("google.com.", "A")


def test_a_lookup_ends_with_the_first_positive_answer() -> None:
    reading, asked = resolve("api.shop", ZONE.lookup, search=SEARCH, ndots=5)
    assert reading == resolved("10.96.0.7")
    assert [question.qname for question in asked] == [
        "api.shop.frontend-zone.svc.cluster.local.",
        "api.shop.svc.cluster.local.",
    ]


def test_a_lookup_without_an_answer_asks_everything() -> None:
    reading, asked = resolve("secure-db.secure-zone", ZONE.lookup, search=SEARCH, ndots=5)
    assert (reading, len(asked)) == (NXDOMAIN, 4)


def test_a_name_that_exists_without_address_is_remembered() -> None:
    assert resolve("shop", ZONE.lookup, search=SEARCH, ndots=5)[0] == NODATA


@given(
    st.lists(st.sampled_from(["api", "shop", "svc", "pod", "_http", "_tcp", "x"]), max_size=6),
    st.sampled_from(["A", "AAAA", "SRV", "TXT", "PTR", "CNAME"]),
)
def test_every_internal_name_has_an_answer_and_only_resolved_carries_a_detail(
    labels: list[str], rdtype: str
) -> None:
    reading = ZONE.lookup(Question(".".join([*labels, "cluster.local."]), rdtype))
    assert reading.outcome in {Outcome.RESOLVED, Outcome.DNS_NXDOMAIN, Outcome.DNS_NODATA}
    assert not reading.detail or reading.outcome is Outcome.RESOLVED


@given(st.ip_addresses(v=4))
def test_a_services_address_and_its_name_lead_to_each_other(address: Address) -> None:
    known = Service("shop", "api", {}, (NAMED,), cluster_ip=address)
    zone = Zone(Topology(TOPOLOGY.namespaces, {}, {"shop/api": known}))
    name = "api.shop.svc.cluster.local."
    reverse = f"{address.reverse_pointer}."
    assert zone.lookup(Question(name)) == resolved(str(address))
    assert zone.lookup(Question(reverse, "PTR")) == resolved(name)


def test_a_namespace_that_nobody_declares_is_there_if_something_lives_in_it() -> None:
    """Charts and bases of Kustomize seldom declare the namespace of their objects."""
    known = service("api", NAMED, ip="10.96.0.7")
    zone = Zone(
        Topology({}, {"mon/prom": pod("prom", "prom", namespace="mon")}, {"shop/api": known})
    )

    assert zone.lookup(Question("api.shop.svc.cluster.local.")) == resolved("10.96.0.7")
    assert zone.lookup(Question("mon.svc.cluster.local.")) == NODATA
    assert zone.lookup(Question("api.other.svc.cluster.local.")) == NXDOMAIN


def alias(name: str, target: str) -> Service:
    return Service("shop", name, {}, (), external_name=target)


ALIASES = Zone(
    Topology(
        {"shop": Namespace("shop", {})},
        {},
        {
            f"shop/{one.name}": one
            for one in (
                service("api", NAMED, ip="10.96.0.7"),
                alias("inner", "api.shop.svc.cluster.local"),
                alias("outer", "Example.com"),
                alias("chain", "inner.shop.svc.cluster.local"),
                alias("lost", "nobody.shop.svc.cluster.local"),
                alias("loop", "pool.shop.svc.cluster.local"),
                alias("pool", "loop.shop.svc.cluster.local"),
            )
        },
    ),
    external={"example.com": "192.0.2.10"},
)


@pytest.mark.parametrize(
    ("name", "rdtype", "reading"),
    [
        ("inner", "A", resolved("10.96.0.7")),
        ("inner", "AAAA", NODATA),
        ("chain", "A", resolved("10.96.0.7")),
        ("outer", "A", resolved("192.0.2.10")),
        ("outer", "CNAME", resolved("example.com.")),
        ("outer", "SRV", NODATA),
        ("outer", "MX", NODATA),
        ("lost", "A", NODATA),
        ("loop", "A", NODATA),
        ("_http._tcp.outer", "SRV", NXDOMAIN),
        ("pod-0.outer", "A", NXDOMAIN),
    ],
)
def test_external_name_is_an_alias(name: str, rdtype: str, reading: Reading) -> None:
    assert ALIASES.lookup(Question(f"{name}.shop.svc.cluster.local.", rdtype)) == reading


@pytest.mark.parametrize(
    ("hostname", "subdomain", "exists"),
    [("db-0", "db", True), ("DB-0", "db", True), ("db-0", "other", False), ("db-0", "", False)],
)
def test_host_name_is_a_name_behind_the_service_that_the_subdomain_names(
    hostname: str, subdomain: str, exists: bool
) -> None:
    member = Pod("shop", "any", {"app": "db"}, hostname=hostname, subdomain=subdomain)
    headless = service("db", NAMED, headless=True)
    there = Topology({"shop": Namespace("shop", {})}, {"shop/any": member}, {"shop/db": headless})

    found = Zone(there).lookup(Question("db-0.db.shop.svc.cluster.local."))

    assert found == (resolved() if exists else NXDOMAIN)
