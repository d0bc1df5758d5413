"""Messages: what goes out is a question, what comes in is its answer or no verdict at all."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.dns.question import Question, SrvRecord
from harness.core.dns.wire import DnsFinding, decode, encode, parse_query_log
from harness.core.outcome import Outcome, Reading
from harness.errors import ProbeError

API = "payment-api.secure-zone.svc.cluster.local."
A = Question(API, "A")
SRV = Question(f"_http._tcp.{API}", "SRV")

LABELS = st.text("abcxyz019-_", min_size=1, max_size=12)
QUESTIONS = st.builds(
    Question,
    st.lists(LABELS, min_size=1, max_size=7).map(lambda labels: ".".join(labels) + "."),
    st.sampled_from(["A", "AAAA", "SRV", "TXT", "PTR", "CNAME"]),
)


def answer(question: Question, *records: str, rcode: str = "NOERROR", ident: int = 7) -> bytes:
    query = dns.message.from_wire(encode(question, ident=ident))
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.from_text(rcode))
    for record in records:
        name, rdtype, rdata = record.split(" ", 2)
        response.answer.append(dns.rrset.from_text(name, 5, "IN", rdtype, rdata))
    return response.to_wire()


@given(QUESTIONS, st.integers(0, 0xFFFF))
def test_a_question_survives_the_wire(question: Question, ident: int) -> None:
    message = dns.message.from_wire(encode(question, ident=ident))
    asked = message.question[0]
    assert message.id == ident
    assert Question(asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype)) == question


def test_a_question_desires_recursion() -> None:
    assert dns.message.from_wire(encode(A, ident=1)).flags == dns.flags.RD


def test_a_question_that_cannot_be_asked_gives_no_verdict() -> None:
    with pytest.raises(ProbeError, match="cannot be written"):
        encode(Question("a..b.", "A"), ident=1)


def test_addresses_are_sorted() -> None:
    wire = answer(A, f"{API} A 10.0.0.10", f"{API} A 10.0.0.9")
    assert decode(wire, A, ident=7).reading == Reading(Outcome.RESOLVED, "10.0.0.9, 10.0.0.10")


def test_an_alias_is_followed() -> None:
    wire = answer(A, f"{API} CNAME real.example.", "real.example. A 192.0.2.1")
    assert decode(wire, A, ident=7).reading == Reading(Outcome.RESOLVED, "192.0.2.1")


def test_the_weight_of_a_record_is_its_share_of_its_priority() -> None:
    """CoreDNS gives the one record of a Service with two families 50 of 100."""
    halved = decode(answer(SRV, f"{SRV.qname} SRV 0 50 80 {API}"), SRV, ident=7)
    whole = decode(answer(SRV, f"{SRV.qname} SRV 0 100 80 {API}"), SRV, ident=7)
    unequal = [f"{SRV.qname} SRV 0 {weight} 80 {name}" for weight, name in ((1, "a."), (3, "b."))]

    assert halved.reading == whole.reading
    found = decode(answer(SRV, *unequal), SRV, ident=7).reading.detail
    assert (" 25 80 a." in f" {found}", " 75 80 b." in found) == (True, True)


def test_an_srv_answer_names_priority_weight_port_and_target() -> None:
    wire = answer(SRV, f"{SRV.qname} SRV 0 100 80 {API}")
    finding = decode(wire, SRV, ident=7)
    assert finding.srv == (SrvRecord(0, 100, 80, API),)
    assert finding.reading == Reading(Outcome.RESOLVED, f"0 100 80 {API}")


def test_several_srv_records_are_joined_in_one_order() -> None:
    records = [f"{SRV.qname} SRV 0 50 80 B.example.", f"{SRV.qname} SRV 0 50 80 a.example."]
    expected = Reading(Outcome.RESOLVED, "0 50 80 a.example.; 0 50 80 b.example.")
    assert decode(answer(SRV, *records), SRV, ident=7).reading == expected
    assert decode(answer(SRV, *records[::-1]), SRV, ident=7).reading == expected


@pytest.mark.parametrize(
    ("rcode", "outcome"),
    [
        ("NXDOMAIN", Outcome.DNS_NXDOMAIN),
        ("SERVFAIL", Outcome.DNS_SERVFAIL),
        ("REFUSED", Outcome.DNS_REFUSED),
        ("NOERROR", Outcome.DNS_NODATA),
    ],
)
def test_an_answer_without_records_is_told_by_its_rcode(rcode: str, outcome: Outcome) -> None:
    finding = decode(answer(A, rcode=rcode), A, ident=7)
    assert finding == DnsFinding(rcode, "A")
    assert finding.reading == Reading(outcome)


def test_a_name_is_compared_without_regard_to_case() -> None:
    wire = answer(Question(API.upper(), "A"), f"{API} A 10.0.0.9")
    assert decode(wire, A, ident=7).answers == ("10.0.0.9",)


def truncated() -> bytes:
    message = dns.message.from_wire(answer(A))
    message.flags |= dns.flags.TC
    return message.to_wire()


def aliased_in_a_circle() -> bytes:
    return answer(A, f"{API} CNAME b.example.", f"b.example. CNAME {API}")


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"", "not a valid DNS message"),
        (b"HTTP/1.1 400 Bad Request", "not a valid DNS message"),
        (answer(A)[:-3], "not a valid DNS message"),
        (encode(A, ident=7), "a question"),
        (dns.update.UpdateMessage("example.", id=7).to_wire(), "a question"),
        (answer(A, ident=8), "another id"),
        (answer(SRV), "another question"),
        (answer(A, rcode="FORMERR"), "rejects"),
        (truncated(), "cut off"),
        (aliased_in_a_circle(), "contradicts itself"),
    ],
)
def test_anything_else_gives_no_verdict(wire: bytes, complaint: str) -> None:
    with pytest.raises(ProbeError, match=complaint):
        decode(wire, A, ident=7)


@given(st.binary(max_size=60), st.integers(0, 40))
def test_damaged_bytes_never_raise_anything_but_probe_error(noise: bytes, at: int) -> None:
    wire = answer(A, f"{API} A 10.0.0.9")
    damaged = wire[:at] + noise + wire[at + len(noise) :]
    try:
        finding = decode(damaged, A, ident=7)
    except ProbeError as error:
        assert error.what  # noqa: PT017 - both ways are right, a third is not
    else:
        assert finding.rdtype == "A"


LINE = (
    '[INFO] 10.244.0.5:40436 - 24304 "A IN google.com.frontend-zone.svc.cluster.local. '
    'udp 62 false 1232" NXDOMAIN qr,aa,rd 155 0.0001s'
)


@pytest.mark.parametrize("prefix", ["", "[pod/kube-system/coredns-1/coredns] "])
def test_a_log_line_tells_who_asked_what_and_how_it_ended(prefix: str) -> None:
    logged = parse_query_log(prefix + LINE + "\n")
    assert logged is not None
    assert (logged.client, logged.port) == ("10.244.0.5", 40436)
    assert logged.question == Question("google.com.frontend-zone.svc.cluster.local.", "A")
    assert (logged.protocol, logged.rcode) == ("udp", "NXDOMAIN")
    assert logged.ms == pytest.approx(0.1)


def test_a_log_line_of_an_ipv6_client_is_read() -> None:
    logged = parse_query_log(
        '[INFO] [::1]:50759 - 29008 "AAAA IN Example.org. tcp 41 false 4096" '
        "NOERROR qr,rd,ra,ad 68 0.037990251s"
    )
    assert logged is not None
    assert (logged.client, logged.protocol) == ("::1", "tcp")
    assert logged.question == Question("example.org.", "AAAA")


@pytest.mark.parametrize(
    "line", ["", "[INFO] plugin/reload: Running configuration", "CoreDNS-1.12.1", LINE[:80]]
)
def test_other_log_lines_are_no_questions(line: str) -> None:
    assert parse_query_log(line) is None
