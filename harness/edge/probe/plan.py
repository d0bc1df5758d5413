"""Turns an ask into the probes of a round: the sockets, their clients, and who may answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from secrets import token_hex

from harness.core.ask import Ask
from harness.core.dns.question import Question, absolute, query_plan
from harness.core.dns.resolvconf import ResolvConf
from harness.core.dns.wire import encode
from harness.core.model import Protocol
from harness.core.observation import Answer
from harness.core.probe.attempts import Item, Pace
from harness.core.probe.greeting import greeting
from harness.core.probe.judge import ANYBODY, IDENT, Expected, Plan
from harness.core.target import (
    DnsQuery,
    ExternalPort,
    Lookup,
    NamePort,
    Ping,
    PodPort,
    PodRef,
    ServiceAddress,
)
from harness.edge.probe.addresses import Addresses
from harness.errors import ProbeError

HTTP_PORT, DNS_PORT = 80, 53
BY_NAME = (DnsQuery, Lookup, NamePort)
"""Targets for which a client asks a name server."""
HEAD = b"HEAD / HTTP/1.0\r\n\r\n"
"""The servers of tutorials say their name in a header of the answer."""


class Planner:
    """Plans asks. `listeners` are the ports on which a prober of policylab answers itself."""

    def __init__(self, addresses: Addresses) -> None:
        self.listeners: frozenset[PodPort] = frozenset()
        self._addresses = addresses
        self._token = token_hex(4)
        self._numbers = count(1)

    def plan(self, ask: Ask, pace: Pace, resolver: Answer[ResolvConf] | None = None) -> Plan:
        """What the ask sends; of a name with a port, the lookup that comes first.

        `resolver` is the resolver configuration of the source, for a target that is `BY_NAME`.

        Raises:
            ProbeError: no client can ask this, or an end of the flow is not there.
        """
        match ask.target:
            case PodPort() as target:
                return self._to_pod(ask, target, pace)
            case ServiceAddress(namespace, name):
                behind = self._addresses.backends(namespace, name)
                address = self._addresses.service(namespace, name)
                return self._to(ask, address, pace, expected=self._own_word(*behind))
            case ExternalPort(name) | Ping(str(name)):
                return self._to(ask, self._addresses.external(name, ask.target.port), pace)
            case Ping(PodRef() as pod):
                return self._to(ask, self._addresses.pod(pod), pace)
            case DnsQuery(rdtype, qname, tcp) if resolver:
                self._addresses.allow_question(qname)
                server = resolver.unwrap().nameservers[0]
                return self._lookup(ask, server, qname, [Question(qname, rdtype)], pace, tcp=tcp)
            case Lookup(name) | NamePort(name) if resolver:
                self._addresses.allow_question(name)
                conf = resolver.unwrap()
                asked = query_plan(name, search=conf.search, ndots=conf.ndots)
                return self._lookup(ask, conf.nameservers[0], absolute(name), asked, pace)
        raise ProbeError("no client can ask this directly", where=str(ask))

    def resolved(self, ask: Ask, address: str, pace: Pace) -> Plan:
        """The connection to the address that the ask's name led to."""
        return self._to(ask, address, pace)

    def _to_pod(self, ask: Ask, target: PodPort, pace: Pace) -> Plan:
        expected = self._own_word(target.pod)
        if target in self.listeners:
            nonce = f"{self._token}-{next(self._numbers)}"
            expected = Expected(frozenset({str(target.pod)}), nonce)
        address = self._addresses.pod(target.pod)
        return self._to(ask, address, pace, expected=expected, control=target)

    def _own_word(self, *pods: PodRef) -> Expected:
        return Expected(frozenset(self._addresses.host_name(pod) for pod in pods))

    def _to(
        self,
        ask: Ask,
        address: str,
        pace: Pace,
        *,
        expected: Expected = ANYBODY,
        control: PodPort | None = None,
    ) -> Plan:
        """A connection to the ask's port at this address."""
        port, protocol = ask.target.port or 0, ask.target.protocol or Protocol.TCP
        payload, want = b"", "none"
        if expected.nonce or protocol is Protocol.UDP:
            payload, want = greeting(expected.nonce), "bytes"
        elif protocol is Protocol.TCP and port == HTTP_PORT:
            payload, want = HEAD, "bytes"
        item = self._item(protocol.lower(), address, port, pace, payload=payload, want=want)
        return Plan(ask, (item,), pace, expected, control)

    def _lookup(
        self,
        ask: Ask,
        server: str,
        name: str,
        questions: Sequence[Question],
        pace: Pace,
        *,
        tcp: bool = False,
    ) -> Plan:
        protocol = "tcp" if tcp else "udp"
        items = []
        for question in questions:
            wire = encode(question, ident=IDENT)
            payload = len(wire).to_bytes(2, "big") + wire if tcp else wire
            items.append(self._item(protocol, server, DNS_PORT, pace, payload=payload, want="dns"))
        return Plan(ask, tuple(items), pace, questions=tuple(questions), name=name)

    def _item(
        self, protocol: str, address: str, port: int, pace: Pace, *, payload: bytes, want: str
    ) -> Item:
        return Item(
            str(next(self._numbers)),
            protocol,
            address,
            port,
            payload,
            want,
            pace.offsets,
            first=pace.latest,
            every=pace.every,
        )
