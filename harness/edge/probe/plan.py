"""Turns an ask into the probes of a round: the sockets, their clients, and who may answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from secrets import token_hex

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
    NodePort,
    Ping,
    PodPort,
    PodRef,
    ServiceAddress,
)
from harness.core.target.ask import Ask
from harness.core.target.family import Family, record_type
from harness.edge.probe.addresses import Addresses, ByFamily
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

    def plans(
        self, ask: Ask, pace: Pace, resolver: Answer[ResolvConf] | None = None
    ) -> Mapping[Family, Plan]:
        """What the ask sends over each family that both of its ends have.

        Of a name with a port it is the lookup that comes first. A single question to a name server
        goes over one family only: that of the server's address. `resolver` is the resolver
        configuration of the source, for a target that is `BY_NAME`.

        Raises:
            ProbeError: no client can ask this, or an end of the flow is not there.
        """
        own = self._addresses.pod(ask.source)
        match ask.target:
            case DnsQuery(rdtype, qname, tcp) if resolver:
                self._addresses.allow_question(qname)
                server = resolver.unwrap().nameservers[0]
                asked = (Question(qname, record_type(rdtype, tuple(own))),)
                return {next(iter(own)): self._lookup(ask, server, qname, asked, pace, tcp=tcp)}
            case Lookup(name) | NamePort(name) if resolver:
                self._addresses.allow_question(name)
                return {family: self._names(ask, name, family, pace, resolver) for family in own}
        ends = self._ends(ask)
        both = {family: address for family, address in ends.items() if family in own}
        if not both:
            raise ProbeError(
                "the two ends have no family of addresses in common",
                where=str(ask),
                seen=f"the client has {' and '.join(own)}, the target {' and '.join(ends)}",
            )
        return {family: self._connection(ask, address, pace) for family, address in both.items()}

    def _ends(self, ask: Ask) -> ByFamily:
        """Where the target is."""
        match ask.target:
            case PodPort(pod) | Ping(PodRef() as pod):
                return self._addresses.pod(pod)
            case ServiceAddress(namespace, name):
                return self._addresses.service(namespace, name)
            case NodePort(namespace, name):
                return self._addresses.node(namespace, name)
            case ExternalPort(name) | Ping(str(name)):
                return self._addresses.external(name, ask.target.port)
        raise ProbeError("no client can ask this directly", where=str(ask))

    def _connection(self, ask: Ask, address: str, pace: Pace) -> Plan:
        match ask.target:
            case PodPort() as target:
                return self._to_pod(ask, target, address, pace)
            case ServiceAddress(namespace, name) | NodePort(namespace, name):
                behind = self._addresses.backends(namespace, name)
                heard = {port.pod for port in self.listeners}
                whom = self._own_word(*behind)
                if behind and heard.issuperset(behind):
                    whom = self._greeted(*behind)
                port = None
                if isinstance(ask.target, NodePort):
                    asked = (ask.target.port, ask.target.protocol)
                    port = self._addresses.node_port(namespace, name, *asked)
                return self._to(ask, address, pace, expected=whom, port=port)
        return self._to(ask, address, pace)

    def _names(
        self, ask: Ask, name: str, family: Family, pace: Pace, resolver: Answer[ResolvConf]
    ) -> Plan:
        conf = resolver.unwrap()
        asked = query_plan(name, search=conf.search, ndots=conf.ndots, rdtypes=(family.rdtype,))
        return self._lookup(ask, conf.nameservers[0], absolute(name), asked, pace)

    def hears_six(self, pod: PodRef) -> bool:
        """Whether a listener in the pod must hear IPv6."""
        return Family.IPV6 in self._addresses.pod(pod)

    def resolved(self, ask: Ask, address: str, pace: Pace) -> Plan:
        """The connection to the address that the ask's name led to."""
        return self._to(ask, address, pace)

    def _to_pod(self, ask: Ask, target: PodPort, address: str, pace: Pace) -> Plan:
        expected = self._own_word(target.pod)
        if target in self.listeners:
            expected = self._greeted(target.pod)
        return self._to(ask, address, pace, expected=expected, control=target)

    def _greeted(self, *pods: PodRef) -> Expected:
        """What the probers of these pods answer: who they are, and a word that is said once."""
        nonce = f"{self._token}-{next(self._numbers)}"
        return Expected(frozenset(map(str, pods)), nonce)

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
        port: int | None = None,
    ) -> Plan:
        """A connection to this port at this address; without a port, to that of the ask."""
        port, protocol = port or ask.target.port or 0, ask.target.protocol or Protocol.TCP
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
