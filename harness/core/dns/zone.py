"""What the cluster's name server must answer, computed without asking it.

Sources: the Kubernetes DNS specification 1.1.0 (kubernetes/dns, docs/specification.md) and, where
it is silent, CoreDNS's kubernetes plugin (coredns/coredns, plugin/kubernetes: parse.go and
kubernetes.go) as kubeadm configures it (`pods insecure`):

- a name of the wrong shape, or in a namespace or of a Service that is not there, is NXDOMAIN;
- the domain itself, `svc`, `pod` and an existing namespace have no records: NODATA;
- SRV is asked for as `_PORT._PROTOCOL.SERVICE...`; an unnamed port has none (specification 2.3.2),
  and CoreDNS says NXDOMAIN then;
- CoreDNS also answers A for such a name, and SRV for the Service's own name with all its ports;
- CoreDNS says NODATA to TXT only for a name that has records of some type, else NXDOMAIN;
- an ExternalName Service is an alias, with its target's addresses beside it, and has no SRV;
- a pod with a host name and the Service as its subdomain has a name of its own (2.4.1);
- it reads a pod's address off the name, with or without labels in front, and its SRV names port 0.

All of this was compared with CoreDNS 1.15.0 and a real API server, name by name and type by type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import dns.exception
import dns.name
import dns.reversename

from harness.core.dns.question import FULL_WEIGHT, Question, SrvRecord, absolute, joined, query_plan
from harness.core.dns.resolver import NODATA, NXDOMAIN, walk
from harness.core.model import Address, Pod, Service, ServicePort, Topology
from harness.core.outcome import Outcome, Reading
from harness.core.target.family import IPV4, Families, Family, family_of

SCHEMA_VERSION = "1.1.0"
PRIORITY = 0

MAX_ALIASES = 8
"""Aliases in a row that CoreDNS follows (plugin/backend_lookup.go)."""

_PORT_AND_PROTOCOL = 2
_DASHES = 3
"""In a pod's name that spells an IPv4 address; CoreDNS takes any other number for IPv6."""


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One record behind a name: the owner's name, the address if it is known, and a port."""

    owner: str
    address: Address | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Zone:
    """The names of a topology, and names outside of the cluster with their addresses.

    An external name with an empty address has one of each family, which are not predicted.
    `families` are those of the cluster: what has an address that is not known has one of each.
    """

    topology: Topology
    cluster_domain: str = "cluster.local"
    external: Mapping[str, str] = field(default_factory=dict)
    families: Families = IPV4

    @property
    def _domain(self) -> str:
        return self.cluster_domain.lower().rstrip(".")

    def lookup(self, question: Question) -> Reading:
        """The answer to one question; RESOLVED without a detail where an address is not known."""
        name = question.qname.lower().rstrip(".")
        domain = self._domain
        if question.rdtype == "PTR" and name.endswith((".in-addr.arpa", ".ip6.arpa")):
            return self._pointer(name)
        if name == domain or name.endswith(f".{domain}"):
            inner = name.removesuffix(domain).rstrip(".")
            text = question.rdtype == "TXT"
            return self._text(inner) if text else self._internal(inner, question.rdtype)
        outside = {key.lower().rstrip("."): address for key, address in self.external.items()}
        if name not in outside:
            return NXDOMAIN
        return _external(outside[name], question.rdtype)

    def _internal(self, name: str, rdtype: str) -> Reading:
        labels = name.split(".") if name else []
        match labels[::-1]:
            case [] | ["svc"] | ["pod"]:
                return NODATA
            case ["svc" | "pod", namespace, *_] if not self.has_namespace(namespace):
                return NXDOMAIN
            case ["svc" | "pod", _]:
                return NODATA
            case ["pod", namespace, pod, *front] if len(front) <= _PORT_AND_PROTOCOL:
                return _pod(pod, f"{pod}.{namespace}.pod.{self._domain}.", rdtype)
            case ["svc", namespace, service, *front]:
                return self._service(f"{namespace}/{service}", front[::-1], rdtype)
        return NXDOMAIN

    def has_namespace(self, name: str) -> bool:
        """Whether a namespace is there: declared, or at least the home of something."""
        known = self.topology
        homes = {s.namespace for s in known.services.values()}
        return name in {*known.namespaces, *homes, *(p.namespace for p in known.pods.values())}

    def _text(self, name: str) -> Reading:
        if name == "dns-version":
            return Reading(Outcome.RESOLVED, f'"{SCHEMA_VERSION}"')
        known = [self._internal(name, rdtype).outcome for rdtype in ("A", "AAAA")]
        return NODATA if Outcome.RESOLVED in known else NXDOMAIN

    def _service(self, key: str, front: Sequence[str], rdtype: str) -> Reading:
        service = self.topology.services.get(key)
        if service is None:
            return NXDOMAIN
        if service.external_name:
            return NXDOMAIN if front else self._alias(service, rdtype)
        match front:
            case []:
                found = self._records(service, "", "")
            case [endpoint]:
                behind = self._endpoints(service)
                found = [e for e in behind if e.owner.partition(".")[0] == endpoint]
            case [port, protocol]:
                found = self._records(service, port.removeprefix("_"), protocol.removeprefix("_"))
            case _:
                found = []
        return _answer(found, rdtype, self.families) if found else NXDOMAIN

    def _alias(self, service: Service, rdtype: str) -> Reading:
        """The answer for an ExternalName Service: an alias (CNAME), which CoreDNS follows."""
        target = service.external_name.lower()
        match rdtype:
            case "CNAME":
                return Reading(Outcome.RESOLVED, f"{target}.")
            case "A" | "AAAA":
                pass
            case _:
                return NODATA
        for _ in range(MAX_ALIASES):
            after = self._alias_at(target)
            if after is None:
                found = self.lookup(Question(f"{target}.", rdtype))
                # The alias itself is an answer, so a name that leads nowhere is there.
                return found if found.outcome is Outcome.RESOLVED else NODATA
            target = after.external_name.lower()
        return NODATA

    def _alias_at(self, name: str) -> Service | None:
        names = (s for s in self.topology.services.values() if s.external_name)
        return next((s for s in names if self._name_of(s) == f"{name}."), None)

    def _records(self, service: Service, port: str, protocol: str) -> list[_Endpoint]:
        """CoreDNS takes an empty port or protocol for "any"."""
        ports = tuple(p for p in service.ports if _asked(p, port, protocol))
        if service.headless and not (port or protocol):
            return self._endpoints(service)
        if service.headless:
            return [e for e in self._endpoints(service, ports) if e.port is not None]
        owner = self._name_of(service)
        return [_Endpoint(owner, service.cluster_ip, p.port) for p in ports]

    def _endpoints(
        self, service: Service, ports: Sequence[ServicePort] | None = None
    ) -> list[_Endpoint]:
        """One record for each pod and port, of all ports of the Service if none are given.

        The port is the pod's, as in EndpointSlices. A pod that has none of the ports still has an
        address. Addresses that no selector picked have the ports that their object gives them.
        """
        chosen = service.ports if ports is None else ports
        own = self._name_of(service)
        found = [
            _Endpoint(f"{endpoint_label(pod, service)}.{own}", pod.ip, number)
            for pod in self.topology.behind(service)
            for number in _numbers(pod, chosen) or [None]
        ]
        return found + [
            _Endpoint(f"{end.hostname.lower() or _dashed(end.ip)}.{own}", end.ip, end.port)
            for end in service.endpoints
            if ports is None or any((p.name, p.protocol) == (end.name, end.protocol) for p in ports)
        ]

    def _name_of(self, service: Service) -> str:
        return f"{service.name}.{service.namespace}.svc.{self._domain}."

    def _pointer(self, name: str) -> Reading:
        try:
            address = ip_address(dns.reversename.to_address(dns.name.from_text(name)))
        except (dns.exception.DNSException, ValueError):
            return NXDOMAIN
        services = self.topology.services.values()
        names = [self._name_of(s) for s in services if s.cluster_ip == address and not s.headless]
        for service in services:
            behind = self._endpoints(service)
            names += [endpoint.owner for endpoint in behind if endpoint.address == address]
        return Reading(Outcome.RESOLVED, joined("PTR", names)) if names else NXDOMAIN


def resolve(
    name: str,
    lookup: Callable[[Question], Reading],
    *,
    search: Sequence[str],
    ndots: int,
    rdtype: str = "A",
) -> tuple[Reading, tuple[Question, ...]]:
    """The result of a lookup of `name`, and its questions of one type up to the one that ends it.

    Raises:
        OutcomeTableError: `name` is not a valid DNS name.
    """
    plan = query_plan(name, search=search, ndots=ndots, rdtypes=(rdtype,))
    return walk(plan, absolute(name), lookup)


def _asked(port: ServicePort, name: str, protocol: str) -> bool:
    return name in ("", port.name.lower()) and protocol in ("", port.protocol.lower())


def _answer(found: Sequence[_Endpoint], rdtype: str, families: Families = IPV4) -> Reading:
    match rdtype:
        case "SRV":
            return _srv_answer(found)
        case "A" | "AAAA":
            return _address_answer(found, Family.IPV4 if rdtype == "A" else Family.IPV6, families)
    return NODATA


def _srv_answer(found: Sequence[_Endpoint]) -> Reading:
    # A Service without ports has addresses but nowhere to connect to.
    ported = [endpoint for endpoint in found if endpoint.port is not None]
    if not ported:
        return NODATA
    if any(not endpoint.owner.partition(".")[0] for endpoint in ported):
        return Reading(Outcome.RESOLVED)
    different = {(endpoint.owner, endpoint.port) for endpoint in ported}
    weight = max(1, FULL_WEIGHT // len(different))
    records = [str(SrvRecord(PRIORITY, weight, e.port or 0, e.owner)) for e in ported]
    return Reading(Outcome.RESOLVED, joined("SRV", records))


def _address_answer(found: Sequence[_Endpoint], family: Family, families: Families) -> Reading:
    if any(endpoint.address is None for endpoint in found):
        return Reading(Outcome.RESOLVED) if family in families else NODATA
    texts = [str(e.address) for e in found if e.address and e.address.version == family.version]
    return Reading(Outcome.RESOLVED, joined(family.rdtype, texts)) if texts else NODATA


def _external(address: str, rdtype: str) -> Reading:
    if rdtype not in ("A", "AAAA"):
        return NODATA
    if not address:
        return Reading(Outcome.RESOLVED)
    fits = family_of(address).rdtype == rdtype
    return Reading(Outcome.RESOLVED, address) if fits else NODATA


def _pod(label: str, name: str, rdtype: str) -> Reading:
    address = spelled(label)
    return _answer([_Endpoint(name, address, 0)], rdtype) if address else NXDOMAIN


def spelled(label: str) -> Address | None:
    """The address in a name like `10-244-0-5.NAMESPACE.pod` (specification 2.6), if any."""
    dotted = label.count("-") == _DASHES and "--" not in label
    try:
        return ip_address(label.replace("-", "." if dotted else ":"))
    except ValueError:
        return None


def endpoint_label(pod: Pod, service: Service) -> str:
    """An endpoint's label: its address with dashes, or the pod's own host name.

    A pod's host name counts for the Service that its subdomain names (kubernetes,
    staging/src/k8s.io/endpointslice: shouldSetHostname). Empty while the address is not known.
    """
    if pod.hostname and pod.subdomain == service.name:
        return pod.hostname.lower()
    return _dashed(pod.ip) if pod.ip else ""


def _dashed(address: Address) -> str:
    return str(address).replace(".", "-").replace(":", "-")


def _numbers(pod: Pod, ports: Sequence[ServicePort]) -> Sequence[int | None]:
    """The pod's ports to which these ports of a Service lead, without those that lead nowhere."""
    return [number for port in ports if (number := port.at(pod)) is not None]
