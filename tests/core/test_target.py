"""The grammar of the `from` and `to` cells."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.model import Protocol
from harness.core.target import (
    FACTS,
    FORMS,
    Blocked,
    DnsQuery,
    ExternalPort,
    Fact,
    FactEnd,
    Lookup,
    NamePort,
    NodePort,
    Ping,
    PodPort,
    PodRef,
    Questions,
    ResolverOption,
    Rollout,
    ServiceAddress,
    Target,
    parse_pod,
    parse_target,
)
from harness.core.target.facts import Ends
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
        ("blocked/pod/shop/db:53/udp", Blocked(PodPort(DB, 53, Protocol.UDP))),
        ("rollout/08-broken-port", Rollout("08-broken-port")),
        ("fact/name-label", Fact("name-label")),
        ("fact/lookup-time/google.com", Fact("lookup-time", ("google.com",))),
        (
            "fact/established-connection/pod/shop/db:80",
            Fact("established-connection", (PodPort(DB, 80, Protocol.TCP),)),
        ),
        (
            "fact/new-address-asked/name/x.io:443",
            Fact("new-address-asked", (NamePort("x.io", 443),)),
        ),
        (
            "fact/new-address-unasked/name/x.io:443/pod/shop/deploy/db",
            Fact("new-address-unasked", (NamePort("x.io", 443), PodRef("shop", "db-1"))),
        ),
    ],
)
def test_every_form_of_target_is_read(cell: str, target: Target) -> None:
    assert parse_target(cell, where="here") == target


labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=3).map(".".join)
hosts = st.from_regex(r"[_A-Za-z0-9][-_A-Za-z0-9]{0,9}(\.[_A-Za-z0-9]{1,5}){0,3}", fullmatch=True)
dotted = st.tuples(hosts, st.sampled_from(("", "."))).map("".join)
words = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)
numbers = st.integers(1, 65_535)
protocols = st.sampled_from((Protocol.TCP, Protocol.UDP))
pods = st.builds(PodRef, labels, st.one_of(names, st.just("deploy")))
pod_ports = st.builds(PodPort, pods, numbers, protocols)
name_ports = st.builds(NamePort, dotted, numbers)
tcp_ports = st.builds(PodPort, pods, numbers, st.just(Protocol.TCP))
ends_of: dict[str, st.SearchStrategy[tuple[FactEnd, ...]]] = {
    Ends.NOTHING: st.just(()),
    Ends.HOST: st.tuples(dotted),
    Ends.NAME_PORT: st.tuples(name_ports),
    Ends.NAME_PORT_AND_POD: st.tuples(name_ports, pods),
    Ends.POD_PORT: st.tuples(tcp_ports),
}
every_kind: dict[type, st.SearchStrategy[Target]] = {
    PodPort: pod_ports,
    ServiceAddress: st.builds(ServiceAddress, labels, names, numbers, protocols),
    NodePort: st.builds(NodePort, labels, names, numbers, protocols),
    ExternalPort: st.builds(ExternalPort, dotted, numbers, protocols),
    NamePort: st.builds(NamePort, dotted, numbers),
    Ping: st.builds(Ping, st.one_of(pods, dotted)),
    DnsQuery: st.builds(
        DnsQuery,
        st.sampled_from(("A", "AAAA", "SRV", "TXT", "PTR", "CNAME")),
        hosts.map("{}.".format),
        st.booleans(),
    ),
    Lookup: st.builds(Lookup, dotted),
    Questions: st.builds(Questions, dotted),
    ResolverOption: st.builds(ResolverOption, words),
    Blocked: st.builds(Blocked, pod_ports),
    Rollout: st.builds(Rollout, words),
    Fact: st.one_of([st.builds(Fact, st.just(name), ends_of[k.ends]) for name, k in FACTS.items()]),
}
targets = st.one_of(*every_kind.values())


def test_the_law_below_covers_every_kind_of_target() -> None:
    assert set(every_kind) == set(Target.__args__)


@given(targets)
def test_reading_what_a_target_prints_gives_an_equal_target(target: Target) -> None:
    assert parse_target(str(target), where="here") == target


@given(pods)
def test_reading_what_a_pod_prints_gives_an_equal_pod(pod: PodRef) -> None:
    assert parse_pod(str(pod), where="here") == pod


@given(st.sampled_from(sorted(FORMS)), st.data())
def test_every_text_of_every_form_is_read_and_printed_alike(form: str, data: st.DataObject) -> None:
    parts = {"NAMESPACE": labels, "NAME": names, "HOST": dotted, "WORD": words, "PORT": numbers}
    parts["OUTSIDE"] = st.one_of(dotted, st.just("[2001:db8::7]"))

    def fill(piece: re.Match[str]) -> str:
        if piece["optional"]:
            return str(data.draw(st.sampled_from(["", *piece["optional"].split("|")])))
        return "A" if piece[0] == "TYPE" else str(data.draw(parts[piece[0]]))

    text = re.sub(r"\[(?P<optional>[^]]+)\]|[A-Z]+", fill, form)
    target = parse_target(text, where="here")

    assert parse_target(str(target), where="here") == target
    if "deploy/" not in text and not text.startswith("dns/"):
        assert str(target) == text


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("pod/secure-zone/secure-db:6379", "secure-zone/secure-db:6379"),
        ("pod/shop/api:53/udp", "shop/api:53 over UDP"),
        ("svc/shop/api:80", "Service shop/api:80"),
        ("net/google.com:443", "google.com:443 by address"),
        ("net/google.com:123/udp", "google.com:123 over UDP by address"),
        ("name/api.shop:80", "api.shop:80 by name"),
        ("ping/pod/secure-zone/secure-db", "ping secure-zone/secure-db"),
        ("ping/net/google.com", "ping google.com"),
        ("dns/SRV/_http._tcp.api.shop/tcp", "ask DNS for SRV _http._tcp.api.shop over TCP"),
        ("lookup/google.com.", "look up google.com."),
        ("questions/google.com", "count the DNS questions for google.com"),
        ("option/ndots", "read the option ndots of resolv.conf"),
        (
            "blocked/pod/production-a/db-1:5432",
            "find the policy that blocks production-a/db-1:5432",
        ),
        ("rollout/08-broken-port", "roll out 08-broken-port and watch"),
        ("fact/policies", "measure policies"),
        ("fact/lookup-time/google.com", "measure lookup-time (google.com)"),
    ],
)
def test_words_keep_the_kind_and_the_hyphens_of_names(cell: str, words: str) -> None:
    assert parse_target(cell, where="here").words == words


@pytest.mark.parametrize(
    ("cell", "seen"),
    [
        ("", "at the beginning there is nothing, where a kind of target"),
        ("db:6379", "at the beginning there is `db:6379`, where a kind of target"),
        ("pod/db:6379", "after `pod/db` there is `:6379`, where `/` must be"),
        ("pod/shop/db", "after `pod/shop/db` there is nothing, where `:` must be"),
        ("pod/shop/db:0", "after `pod/shop/db:` there is `0`, where PORT (a number from 1"),
        ("pod/shop/db:65536", "there is `65536`, where PORT (a number from 1 to 65535) must be"),
        ("pod/shop/db:80/icmp", "after `pod/shop/db:80` there is `/icmp`, where the end must be"),
        ("svc/shop/DB:80", "after `svc/shop/` there is `DB:80`, where NAME (lower-case"),
        ("svc/shop/deploy/db:80", "after `svc/shop/deploy` there is `/db:80`, where `:` must be"),
        ("name/db.shop:53/udp", "after `name/db.shop:53` there is `/udp`, where the end must be"),
        ("name/db..shop:53", "after `name/db.` there is `.shop:53`, where `:` must be"),
        ("ping/svc/shop/db", "after `ping/` there is `svc/shop/db`"),
        ("ping/pod/db", "after `ping/pod/db` there is nothing, where `/` must be"),
        ("dns/MX/db.shop", "where TYPE (A, AAAA, SRV, TXT, PTR or CNAME) must be"),
        ("dns/A/", "after `dns/A/` there is nothing, where HOST (a DNS name) must be"),
        ("lookup/", "after `lookup/` there is nothing, where HOST (a DNS name) must be"),
        ("option/NDOTS", "after `option/` there is `NDOTS`, where WORD"),
        ("fact", "after `fact` there is nothing, where `/` must be"),
        (
            "fact/lokup-time",
            "after `fact/` there is `lokup-time`, where the name of a fact must be",
        ),
        ("fact/questions", "after `fact/` there is `questions`, where the name of a fact must be"),
        ("fact/rollout", "after `fact/` there is `rollout`, where the name of a fact must be"),
        ("fact/policies/x", "after `fact/policies` there is `/x`, where the end must be"),
        ("fact/lookup-time", "after `fact/lookup-time` there is nothing, where `/` must be"),
        ("pod/shop/db:80\n", "where the end must be"),
        ("lookup/" + "a." * 500, "a target has at most 600 characters"),
    ],
)
def test_error_says_from_where_on_the_text_is_wrong(cell: str, seen: str) -> None:
    with pytest.raises(OutcomeTableError, match="is not a valid target") as raised:
        parse_target(cell, where="table line 3")
    assert raised.value.where == "table line 3"
    assert seen in raised.value.seen
    assert len(str(raised.value)) < 3000


@pytest.mark.parametrize(
    ("cell", "nearest"),
    [
        ("shop/db:6379", "pod/shop/db:6379"),
        ("shop/api:8080/TCP", "pod/shop/api:8080"),
        ("pods/shop/db:80", "pod/shop/db:80"),
        ("Pod/Shop/DB:80", "pod/shop/db:80"),
        ("pod/shop/db:80/UDP", "pod/shop/db:80/udp"),
        ("service/shop/db:80", "svc/shop/db:80"),
        ("google.com:443", "net/google.com:443"),
        ("lokup/google.com", "lookup/google.com"),
        ("rollout/08 broken-port", "rollout/08broken-port"),
        ("fact/polices", "fact/policies"),
        ("fact/lokup-time/google.com", "fact/lookup-time/google.com"),
    ],
)
def test_error_suggests_the_nearest_valid_text(cell: str, nearest: str) -> None:
    with pytest.raises(OutcomeTableError) as raised:
        parse_target(cell, where="here")
    assert raised.value.try_ == f"did you mean `{nearest}`?"


@pytest.mark.parametrize("cell", ["fact/lokup-time", "fact/lookup-time"])
def test_fact_without_its_ends_is_shown_its_form(cell: str) -> None:
    with pytest.raises(OutcomeTableError) as raised:
        parse_target(cell, where="here")
    assert raised.value.try_ == "write fact/lookup-time/HOST."


def test_without_a_near_text_the_error_shows_the_form_of_the_kind() -> None:
    with pytest.raises(OutcomeTableError) as raised:
        parse_target("pod/db:6379", where="here")
    assert raised.value.try_ == "write pod/NAMESPACE/[deploy/]NAME:PORT[/udp|/sctp]."


@given(st.text(max_size=30))
def test_any_other_text_is_refused_or_read_but_never_breaks(text: str) -> None:
    try:
        target = parse_target(text, where="here")
    except OutcomeTableError:
        return
    assert parse_target(str(target), where="here") == target


@pytest.mark.parametrize("cell", ["", "db", "shop/", "shop/db/x", "Shop/db", "shop/db:80"])
def test_a_source_is_a_pod_with_its_namespace(cell: str) -> None:
    assert str(parse_pod("shop/db", where="here")) == "shop/db"
    assert str(parse_pod("shop/deploy/db", where="here")) == "shop/db-1"
    with pytest.raises(OutcomeTableError, match="is not a valid name of a pod") as raised:
        parse_pod(cell, where="here")
    assert "there is" in raised.value.seen


@pytest.mark.parametrize(
    ("cell", "tried"),
    [
        ("pod/shop/db", "did you mean `shop/db`?"),
        ("Shop/DB", "did you mean `shop/db`?"),
        ("shop/db:80", "did you mean `shop/db`?"),
        ("db", "write NAMESPACE/NAME."),
    ],
)
def test_error_suggests_the_nearest_name_of_a_pod(cell: str, tried: str) -> None:
    with pytest.raises(OutcomeTableError) as raised:
        parse_pod(cell, where="here")
    assert raised.value.try_ == tried
