"""DNS on the wire and in CoreDNS's log: bytes and lines to values, with dnspython.

`question` has the search list, `zone` the predictions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.IN.SRV

from harness.core.dns.question import FULL_WEIGHT, Question, SrvRecord, joined
from harness.core.outcome import Outcome, Reading
from harness.errors import ProbeError

PAYLOAD = 1232
"""Bytes of an answer that fit into any datagram unfragmented (dnsflagday.net/2020)."""

KEPT = 4096
"""Messages whose reading is remembered: a change is watched by the same questions, many times."""

_NO_ANSWER = {
    "NXDOMAIN": Outcome.DNS_NXDOMAIN,
    "SERVFAIL": Outcome.DNS_SERVFAIL,
    "REFUSED": Outcome.DNS_REFUSED,
}


@dataclass(frozen=True, slots=True)
class DnsFinding:
    """What a name server answered: its rcode (`NOERROR`) and the records of the asked type."""

    rcode: str
    rdtype: str
    answers: tuple[str, ...] = ()
    srv: tuple[SrvRecord, ...] = ()

    @property
    def reading(self) -> Reading:
        """The answer in the words of an outcome table; NODATA is NOERROR without an answer."""
        if self.rcode in _NO_ANSWER:
            return Reading(_NO_ANSWER[self.rcode])
        if not self.answers:
            return Reading(Outcome.DNS_NODATA)
        return Reading(Outcome.RESOLVED, joined(self.rdtype, self.answers))


def encode(question: Question, *, ident: int) -> bytes:
    """The question as a message with recursion desired (RFC 1035 4.1) and EDNS (RFC 6891).

    `ident` is the message's id, 0 to 65535. Over TCP the caller puts the length in front.

    Raises:
        ProbeError: the name or the type cannot be asked.
    """
    return _encoded(question, ident)


@lru_cache(maxsize=KEPT)
def _encoded(question: Question, ident: int) -> bytes:
    try:
        message = dns.message.make_query(
            question.qname, question.rdtype, use_edns=0, payload=PAYLOAD, id=ident
        )
        return message.to_wire()
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ProbeError(
            "the question cannot be written as a DNS message", where=str(question), seen=str(error)
        ) from error


def decode(wire: bytes, question: Question, *, ident: int) -> DnsFinding:
    """Read the answer to `question`.

    Raises:
        ProbeError: the bytes are not a DNS message, or not the answer to this question, or the
            answer says nothing about the name (it is cut off, or its rcode means a bad question).
    """
    return _decoded(wire, question, ident)


@lru_cache(maxsize=KEPT)
def _decoded(wire: bytes, question: Question, ident: int) -> DnsFinding:
    message = _message(wire, question, ident)
    rcode = dns.rcode.to_text(message.rcode())
    if rcode in _NO_ANSWER:
        return DnsFinding(rcode, question.rdtype)
    if message.rcode() != dns.rcode.NOERROR:
        raise ProbeError("the name server rejects the question", where=str(question), seen=rcode)
    if message.flags & dns.flags.TC:
        raise ProbeError("the answer is cut off", where=str(question), try_="ask over TCP")
    try:
        found = message.resolve_chaining().answer or ()
    except dns.exception.DNSException as error:
        raise ProbeError(
            "the answer contradicts itself", where=str(question), seen=str(error)
        ) from error
    srv = _srv([rdata for rdata in found if isinstance(rdata, dns.rdtypes.IN.SRV.SRV)])
    answers = [str(record) for record in srv] or sorted(rdata.to_text() for rdata in found)
    return DnsFinding(rcode, question.rdtype, tuple(answers), srv)


def _message(wire: bytes, question: Question, ident: int) -> dns.message.QueryMessage:
    where = str(question)
    try:
        message = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError) as error:
        reason = f"{len(wire)} bytes: {error}"
        raise ProbeError(
            "the answer is not a valid DNS message", where=where, seen=reason
        ) from error
    if not isinstance(message, dns.message.QueryMessage) or not message.flags & dns.flags.QR:
        raise ProbeError("the answer is a question, not an answer", where=where)
    if message.id != ident:
        raise ProbeError(
            "the answer has another id", where=where, seen=f"{message.id}, not {ident}"
        )
    asked = [(q.name, q.rdtype, q.rdclass) for q in message.question]
    name = dns.name.from_text(question.qname)
    expected = (name, dns.rdatatype.from_text(question.rdtype), dns.rdataclass.IN)
    if asked != [expected]:
        seen = "; ".join(q.to_text() for q in message.question) or "no question"
        raise ProbeError("the answer is to another question", where=where, seen=seen)
    return message


def _srv(found: Sequence[dns.rdtypes.IN.SRV.SRV]) -> tuple[SrvRecord, ...]:
    """The records, each with its share of its priority's weight in percent.

    Weights mean something only beside each other (RFC 2782). CoreDNS shares 100 among the addresses
    of a Service, so that the one record of a Service with two families has 50.
    """
    totals = Counter[int]()
    for each in found:
        totals[each.priority] += each.weight
    return tuple(
        sorted(
            SrvRecord(
                each.priority,
                max(1, FULL_WEIGHT * each.weight // totals[each.priority]) if each.weight else 0,
                each.port,
                each.target.to_text().lower(),
            )
            for each in found
        )
    )


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """A question that CoreDNS received, and how it was answered in how many milliseconds.

    `qname` is in lower case; `rcode` is NOERROR, NXDOMAIN, ...
    """

    client: str
    port: int
    qname: str
    qtype: str
    protocol: str
    rcode: str
    ms: float

    @property
    def question(self) -> Question:
        """The question, to be compared with a query plan."""
        return Question(self.qname, self.qtype)


_LOG = re.compile(
    r'\[INFO\] (?P<client>\S+):(?P<port>\d+) - \d+ "(?P<type>\S+) IN (?P<name>\S+) '
    r'(?P<proto>udp|tcp) \d+ (?:true|false) \d+" (?P<rcode>\S+) \S+ \d+ (?P<seconds>[\d.e-]+)s\s*$'
)


def parse_query_log(line: str) -> LoggedQuery | None:
    """Read a line of CoreDNS's `log` plugin in its default format; None where it is another line.

    Source: the plugin's README ({common}); a prefix such as kubectl's `[pod/...]` is skipped.
    """
    found = _LOG.search(line)
    if found is None:
        return None
    return LoggedQuery(
        client=found["client"].strip("[]"),
        port=int(found["port"]),
        qname=found["name"].lower(),
        qtype=found["type"],
        protocol=found["proto"],
        rcode=found["rcode"],
        ms=round(float(found["seconds"]) * 1000, 6),
    )
