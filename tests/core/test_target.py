"""The grammar of the `from` and `to` cells."""

from __future__ import annotations

import pytest

from harness.core.model import Protocol
from harness.core.target import (
    DnsQuery,
    ExternalPort,
    Fact,
    Lookup,
    NamePort,
    Ping,
    PodPort,
    PodRef,
    Questions,
    ResolverOption,
    ServiceAddress,
    Target,
    parse_pod,
    parse_target,
)
from harness.errors import OutcomeTableError

DB = PodRef("shop", "db")


@pytest.mark.parametrize(
    ("cell", "target"),
    [
        ("pod/shop/db:6379", PodPort(DB, 6379, Protocol.TCP)),
        ("pod/shop/db:53/udp", PodPort(DB, 53, Protocol.UDP)),
        ("svc/shop/db:6379", ServiceAddress("shop", "db", 6379, Protocol.TCP)),
        ("svc/shop/db:53/udp", ServiceAddress("shop", "db", 53, Protocol.UDP)),
        ("net/google.com:443", ExternalPort("google.com", 443, Protocol.TCP)),
        ("net/google.com:123/udp", ExternalPort("google.com", 123, Protocol.UDP)),
        ("name/db.shop:80", NamePort("db.shop", 80)),
        ("ping/pod/shop/db", Ping(DB)),
        ("pod/shop/deploy/web:80", PodPort(PodRef("shop", "web-1"), 80, Protocol.TCP)),
        ("ping/pod/shop/deploy/web", Ping(PodRef("shop", "web-1"))),
        ("ping/net/google.com", Ping("google.com")),
        ("dns/A/db.shop.svc.cluster.local", DnsQuery("A", "db.shop.svc.cluster.local.")),
        ("dns/SRV/_http._tcp.db.shop./tcp", DnsQuery("SRV", "_http._tcp.db.shop.", tcp=True)),
        ("lookup/google.com.", Lookup("google.com.")),
        ("questions/google.com", Questions("google.com")),
        ("option/ndots", ResolverOption("ndots")),
        ("fact/loop-detected", Fact("loop-detected")),
    ],
)
def test_every_form_of_target_is_read(cell: str, target: Target) -> None:
    assert parse_target(cell, where="here") == target


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "db:6379",
        "pod/db:6379",
        "pod/shop/db",
        "pod/shop/db:0",
        "pod/shop/db:65536",
        "pod/shop/db:80/sctp",
        "svc/shop/DB:80",
        "svc/shop/deploy/db:80",
        "name/db.shop:53/udp",
        "ping/svc/shop/db",
        "ping/pod/db",
        "dns/MX/db.shop",
        "dns/A/",
        "lookup/",
        "option/NDOTS",
        "fact/a b",
        "pod/shop/db:80\n",
    ],
)
def test_anything_else_is_the_labs_fault(cell: str) -> None:
    with pytest.raises(OutcomeTableError, match="is no target") as raised:
        parse_target(cell, where="table line 3")
    assert "table line 3" in str(raised.value)


@pytest.mark.parametrize("cell", ["", "db", "shop/", "shop/db/x", "Shop/db", "shop/db:80"])
def test_a_source_is_a_pod_with_its_namespace(cell: str) -> None:
    assert str(parse_pod("shop/db", where="here")) == "shop/db"
    assert str(parse_pod("shop/deploy/db", where="here")) == "shop/db-1"
    with pytest.raises(OutcomeTableError, match="names no pod"):
        parse_pod(cell, where="here")
