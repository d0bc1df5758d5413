"""What a packet meets: Services, policies (as the oracle has them), servers, and the outside."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import ip_address
from itertools import count
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from harness.core.dns.question import Question
from harness.core.dns.zone import Zone
from harness.core.manifests.liveobjects import namespace_of, pod_of
from harness.core.model import (
    Direction,
    External,
    Pod,
    Protocol,
    Service,
    ServicePort,
    Topology,
)
from harness.core.observation import Phase
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.fqdn import matches
from harness.core.policy.oracle import Oracle
from harness.core.probe.greeting import nonce_of, reply
from harness.core.target.ask import Flow
from harness.core.target.family import Family, family_of, seen_over
from harness.core.target.internet import EXTERNAL_PORTS
from harness.edge.internet.state import Fault, Site
from tests.fakes.packet import Drop, Met, Packet, PodKey

if TYPE_CHECKING:
    from tests.fakes.cluster import FakeCluster

DNS_PORT, TTL = 53, 30
SILENT = Met(Phase.TIMEOUT)
REFUSED = Met(Phase.REFUSED)
RCODES = {
    Outcome.DNS_NXDOMAIN: dns.rcode.NXDOMAIN,
    Outcome.DNS_SERVFAIL: dns.rcode.SERVFAIL,
    Outcome.DNS_REFUSED: dns.rcode.REFUSED,
}
Names = frozenset[tuple[str, str]]
"""Names, each with an address that it led to."""


@dataclass(frozen=True, slots=True)
class Place:
    """Who is where while the cluster's objects have one version, also by address.

    `over` has the topology as each family sees it.
    """

    version: int
    over: Mapping[Family, Topology]
    pods: Mapping[str, Pod] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)


class Network:
    """The way from a pod to whatever stands behind an address.

    `doors` are the ports where probers answer, each with the name that it gives (a mute one gives
    none), and `heard` the nonces that came to them.
    """

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._ports = count(40000)
        self._turns = count()
        self._place = Place(-1, {})
        self._oracles: dict[Hashable, Oracle] = {}
        self._sides: dict[Hashable, Direction | None] = {}
        self._behind: dict[tuple[str, int, str], list[tuple[Pod, int]]] = {}
        self._zone: dict[tuple[Question, Site | None], Reading] = {}
        self._servers: dict[PodKey, set[tuple[str, int]]] = {}
        self._learned: dict[PodKey, Names] = {}
        self._outside = {
            address: External(f"{address}!", ip_address(address))  # no pattern of names fits it
            for stand_in in cluster.internet.addresses.values()
            for address in cluster.internet.both(stand_in)
        }
        self.doors: dict[tuple[PodKey, str, int], str] = {}
        self.heard: dict[PodKey, dict[str, float]] = {}

    def port(self) -> int:
        """A source port that was not used before."""
        return next(self._ports)

    def known_addresses(self) -> set[str]:
        """All addresses outside that the CNI was told by some answer."""
        return {address for names in self._learned.values() for _, address in names}

    def send(self, packet: Packet, port: int) -> Met:
        """What the sender of a packet sees; `port` is the one that it comes from."""
        place, topology = self._at(), self._seen(packet)
        packet = self._from_node(packet)
        if service := place.services.get(packet.address):
            return self._through(packet, service, topology, port)
        if target := place.pods.get(packet.address):
            return self._to_pod(packet, target, topology, port)
        source, end = topology.pods["/".join(packet.source)], self._outside[packet.address]
        met = self._judged(packet, source, end, topology, port)
        return self._cluster.lie.met(packet, met or self._served_outside(packet))

    def _from_node(self, packet: Packet) -> Packet:
        """The packet as a node hands it on to the Service whose node port it came to."""
        for (kind, _, _), body in tuple(self._cluster.objects.items()):
            for entry in body["spec"].get("ports") or () if kind == "Service" else ():
                named = (entry.get("nodePort"), entry.get("protocol", "TCP").lower())
                if named == (packet.port, packet.protocol):
                    family = family_of(packet.address)
                    addresses = body["spec"]["clusterIPs"]
                    own = next(each for each in addresses if family_of(each) is family)
                    return replace(packet, address=own, port=entry["port"], at_node=True)
        return packet

    def _at(self) -> Place:
        """Who is where now."""
        if self._place.version != self._cluster.version:
            objects = dict(self._cluster.objects)  # another tutorial may change them meanwhile
            spaces = [namespace_of(b) for (kind, _, _), b in objects.items() if kind == "Namespace"]
            pods = [pod_of(b) for b in self._cluster.pods() if "podIP" in b.get("status", {})]
            services = [b for (kind, _, _), b in objects.items() if kind == "Service"]
            whole = Topology(
                {space.name: space for space in spaces}, {str(pod): pod for pod in pods}
            )
            over = {
                family: replace(
                    seen_over(whole, family),
                    services={str(each): each for b in services if (each := _service(b, family))},
                )
                for family in Family
            }
            self._place = Place(
                self._cluster.version,
                over,
                {str(p.ip): p for each in over.values() for p in each.pods.values() if p.ip},
                {
                    str(s.cluster_ip): s
                    for each in over.values()
                    for s in each.services.values()
                    if s.cluster_ip
                },
            )
            self._oracles.clear()
            self._sides.clear()
            self._behind.clear()
            self._zone.clear()
            self._servers.clear()
        return self._place

    def _seen(self, packet: Packet) -> Topology:
        """Who is where, as the packet's family sees it."""
        return self._at().over[family_of(packet.address)]

    # Services and pods.

    def _through(self, packet: Packet, service: Service, topology: Topology, port: int) -> Met:
        protocol = Protocol(packet.protocol.upper())
        served = [p for p in service.ports if (p.port, p.protocol) == (packet.port, protocol)]
        key = (packet.address, packet.port, packet.protocol)
        if key not in self._behind:
            self._behind[key] = [
                (pod, number)
                for pod in topology.pods.values()
                if served and service.selects(pod) and (number := served[0].at(pod)) is not None
            ]
        behind = self._behind[key]
        if not behind:
            unserved = self._cluster.cni.profile.unserved_port.outcome
            return REFUSED if served or unserved is Outcome.REFUSED else SILENT
        pod, number = behind[next(self._turns) % len(behind)]
        return self._to_pod(replace(packet, port=number), pod, topology, port)

    def _to_pod(self, packet: Packet, pod: Pod, topology: Topology, port: int) -> Met:
        sent = replace(packet, target=(pod.namespace, pod.name))
        source = topology.pods["/".join(packet.source)]
        met = self._judged(sent, source, pod, topology, port)
        return self._cluster.lie.met(sent, met or self._served(sent, pod))

    # Policies.

    def _judged(
        self, packet: Packet, source: Pod, end: Pod | External, topology: Topology, port: int
    ) -> Met | None:
        """What policies do to the packet; None if they let it pass."""
        translated = packet.address in self._place.services
        if (source is end and not translated) or not self._cluster.lie.judges(packet):
            return None  # no CNI closes a pod's way to its own address
        key = (self._state(packet), str(source), str(end), packet.port, packet.protocol, translated)
        if key not in self._sides:
            flow = Flow(source, end, packet.port, Protocol(packet.protocol.upper()), translated)
            self._sides[key] = _side(self._oracle(packet, topology), flow)
        dropped = self._sides[key]
        if dropped is None:
            return None
        pod = packet.source if dropped is Direction.EGRESS else packet.target
        self._cluster.dropped(
            Drop(packet.at, pod, dropped, packet.source, packet.target, packet.protocol, port)
        )
        return Met(Phase.TIMEOUT, dropped=dropped)

    def _state(self, packet: Packet) -> tuple[Hashable, Names]:
        """All that policies judge a packet by, other than its ends."""
        names = self._learned.get(packet.source, frozenset())
        return (self._cluster.state(packet.at), family_of(packet.address)), names

    def _oracle(self, packet: Packet, topology: Topology) -> Oracle:
        key = self._state(packet)
        if key not in self._oracles:
            known = {
                f"{name} at {address}": External(name, ip_address(address))
                for name, address in sorted(key[1])
            }
            outside = {**self._outside, **known}
            whole = Topology(topology.namespaces, topology.pods, topology.services, outside)
            hairpin = self._cluster.cni.profile.hairpin_verdict
            self._oracles[key] = Oracle(whole, self._cluster.in_force(packet.at), hairpin=hairpin)
        return self._oracles[key]

    # Servers.

    def _served(self, packet: Packet, pod: Pod) -> Met:
        door = self.doors.get((packet.target, packet.protocol, packet.port))
        if packet.protocol == "icmp":
            return Met(Phase.ANSWERED)
        if door is not None:
            return self._greeted(packet, door)
        if (packet.protocol, packet.port) not in self._listening(packet.target):
            return REFUSED
        if pod.namespace == "kube-system" and packet.port == DNS_PORT:
            return self._name_server(packet, pod)
        if packet.payload.startswith(b"HEAD"):
            client = self._client(packet)
            if packet.source != packet.target:
                client = self._cluster.lie.seen_as(client)
            line = f'{client} - - [now] "HEAD / HTTP/1.0" 200'
            self._cluster.write(pod.namespace, pod.name, line)
            return Met(Phase.ANSWERED, data=_http(pod.name))
        return Met(Phase.ANSWERED if packet.protocol == "udp" else Phase.CONNECTED)

    def _listening(self, pod: PodKey) -> set[tuple[str, int]]:
        if pod not in self._servers:
            self._servers[pod] = self._cluster.listening(pod)
        return self._servers[pod]

    def _served_outside(self, packet: Packet) -> Met:
        if packet.protocol == "icmp":
            return Met(Phase.ANSWERED)
        served = packet.protocol == "tcp" and packet.port in EXTERNAL_PORTS
        if not served or self._cluster.refuses(packet.address):
            return REFUSED
        return Met(Phase.ANSWERED, data=_http("")) if packet.payload else Met(Phase.CONNECTED)

    def _greeted(self, packet: Packet, door: str) -> Met:
        nonce = nonce_of(packet.payload)
        if nonce:
            self.heard.setdefault(packet.target, {})[nonce] = 0.1
        if door and nonce:
            return Met(Phase.ANSWERED, data=reply(door, nonce))
        return SILENT if packet.protocol == "udp" else Met(Phase.CONNECTED)

    def _client(self, packet: Packet) -> str:
        return str(self._seen(packet).pods["/".join(packet.source)].ip)

    # Names.

    def _name_server(self, packet: Packet, server: Pod) -> Met:
        if not packet.payload:
            return Met(Phase.CONNECTED)
        tcp = packet.protocol == "tcp"
        wire = packet.payload[2:] if tcp else packet.payload
        answer = answered(wire, self._answer(packet, server, asked_in(wire)))
        data = len(answer).to_bytes(2, "big") + answer if tcp else answer
        return Met(Phase.ANSWERED, data=data)

    def _answer(self, packet: Packet, server: Pod, question: Question) -> Reading:
        """The name server's answer or, before it, that of Cilium's proxy."""
        topology = self._seen(packet)
        source = topology.pods["/".join(packet.source)]
        flow = Flow(source, server, DNS_PORT, Protocol(packet.protocol.upper()))
        names = self._oracle(packet, topology).askable(flow)
        if names is not None and not any(matches(name, question.qname) for name in names):
            return Reading(Outcome.DNS_REFUSED)
        reading = self._looked_up(packet.at, question)
        self._log(packet, question, reading)
        addressed = question.rdtype in ("A", "AAAA")
        if names is not None and reading.outcome is Outcome.RESOLVED and addressed:
            found = {(question.qname.rstrip("."), each) for each in reading.detail.split(", ")}
            self._learned[packet.source] = self._learned.get(packet.source, frozenset()) | found
        return reading

    def _looked_up(self, moment: float, question: Question) -> Reading:
        name = question.qname.lower().rstrip(".")
        site = self._cluster.site(name, moment)
        if site is not None and site.fault is Fault.SERVFAIL:
            return Reading(Outcome.DNS_SERVFAIL)
        key = (question, site)
        if key not in self._zone:
            family = Family.IPV6 if question.rdtype == "AAAA" else Family.IPV4
            told = self._cluster.internet.both(site.address) if site else ()
            external = {name: told[-1 if family is Family.IPV6 else 0]} if told else {}
            if family not in self._cluster.families and question.rdtype not in ("A", "AAAA"):
                family = self._cluster.families[0]
            topology = self._at().over[family]
            # What has no address of a family is known to have none.
            zone = Zone(topology, external=external, families=())
            self._zone[key] = zone.lookup(question)
        return self._zone[key]

    def _log(self, packet: Packet, question: Question, reading: Reading) -> None:
        rcode = dns.rcode.to_text(RCODES.get(reading.outcome, dns.rcode.NOERROR))
        asked = f"{question.rdtype} IN {question.qname} {packet.protocol} 50 false 512"
        line = f'[INFO] {self._client(packet)}:40000 - 1 "{asked}" {rcode} qr,aa,rd 100 0.0001s'
        self._cluster.write("kube-system", "coredns-1", line)


def _side(oracle: Oracle, flow: Flow) -> Direction | None:
    """The side whose policies drop a flow; None if it passes."""
    verdict = oracle.verdict(flow)
    if verdict is Verdict.ALLOW:
        return None
    if verdict is Verdict.UNDEFINED and isinstance(flow.source, Pod) and flow.source.host_network:
        return None  # a node reaches its pods
    # What the API leaves open (ICMP, a pod's own node), both CNIs drop where a pod is isolated.
    decision = oracle.decide(flow)
    if decision.egress.verdict is not Verdict.ALLOW:
        return Direction.EGRESS
    return Direction.INGRESS if decision.ingress.verdict is not Verdict.ALLOW else None


@cache
def asked_in(wire: bytes) -> Question:
    """The question of a DNS message."""
    asked = dns.message.from_wire(wire).question[0]
    return Question(asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype))


@cache
def answered(wire: bytes, reading: Reading) -> bytes:
    """The answer to a DNS message."""
    query, question = dns.message.from_wire(wire), asked_in(wire)
    response = dns.message.make_response(query)
    response.set_rcode(RCODES.get(reading.outcome, dns.rcode.NOERROR))
    if reading.outcome is Outcome.RESOLVED:
        texts = reading.detail.split(", " if question.rdtype in ("A", "AAAA") else "; ")
        records = dns.rrset.from_text(question.qname, TTL, "IN", question.rdtype, *texts)
        response.answer.append(records)
    return response.to_wire()


def _http(name: str) -> bytes:
    header = f"X-Policylab-Pod: {name}\r\n" if name else ""
    return f"HTTP/1.1 200 OK\r\n{header}\r\n".encode()


def _service(body: Mapping[str, Any], family: Family) -> Service:
    meta, spec = body["metadata"], body["spec"]
    headless = spec["clusterIP"] == "None"
    addresses = () if headless else spec.get("clusterIPs") or (spec["clusterIP"],)
    own = (address for address in addresses if family_of(address) is family)
    address = next(own, None)
    return Service(
        meta["namespace"],
        meta["name"],
        spec.get("selector") or {},
        tuple(
            ServicePort(
                p["port"],
                Protocol(p.get("protocol", "TCP")),
                p.get("name", ""),
                p.get("targetPort", p["port"]),
            )
            for p in spec.get("ports", [])
        ),
        headless=headless,
        cluster_ip=ip_address(address) if address else None,
    )
