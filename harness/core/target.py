"""What a row points at: the `from` and `to` cells of an outcome table.

Grammar of `to` (one cell, no blanks except in `fact/`):

    pod/NAMESPACE/NAME:PORT[/udp]     a pod's own address
    svc/NAMESPACE/NAME:PORT[/udp]     a Service's cluster IP
    net/NAME:PORT[/udp]               the address of something outside, without asking DNS
    name/NAME:PORT                    as a client does with a URL: resolve in the pod, then connect
    ping/pod/NAMESPACE/NAME | ping/net/NAME      one ICMP echo
    dns/TYPE/QNAME[/tcp]              one question, as `dig` asks it: QNAME is absolute
    lookup/NAME                       an address lookup through the pod's search list
    questions/NAME                    how many questions the name server receives for that lookup
    option/NAME                       the named option of the pod's /etc/resolv.conf
    blocked/pod/NAMESPACE/NAME:PORT[/udp]   which end's policies drop that flow
    rollout/MANIFEST                  that manifest over the row's state, watched, and back again
    fact/NAME                         something only its lab can measure

A Deployment's pods are NAME-1, NAME-2 and so on. Where a pod's name stands, `deploy/NAME` may too,
as `kubectl exec` takes it: any pod of that Deployment, which is NAME-1 here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.core.model import Protocol
from harness.errors import OutcomeTableError


@dataclass(frozen=True, slots=True)
class PodRef:
    """A pod by namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class PodPort:
    """A port at a pod's own address."""

    pod: PodRef
    port: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """A port at a Service's cluster IP."""

    namespace: str
    name: str
    port: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class ExternalPort:
    """A port of something outside of the cluster, reached by address."""

    name: str
    port: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class NamePort:
    """A name that the pod resolves, and the TCP port it then connects to."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class Ping:
    """One ICMP echo to a pod or to something outside."""

    target: PodRef | str


@dataclass(frozen=True, slots=True)
class DnsQuery:
    """One question with an absolute name."""

    rdtype: str
    qname: str
    tcp: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """An address lookup through the search list (RFC 1123 6.1.4.3; resolv.conf(5))."""

    name: str


@dataclass(frozen=True, slots=True)
class Questions:
    """The number of A questions that a lookup of the name costs the name server."""

    name: str


@dataclass(frozen=True, slots=True)
class ResolverOption:
    """An option of the pod's resolv.conf, such as ndots."""

    name: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The ends at which a flow to this port is dropped, and the policies that drop it there."""

    port: PodPort


@dataclass(frozen=True, slots=True)
class Rollout:
    """A manifest that goes out over the row's state, and back again if the watch finds trouble."""

    manifest: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that only its lab can measure; the observer of that name does it."""

    name: str


Target = (
    PodPort
    | ServiceAddress
    | ExternalPort
    | NamePort
    | Ping
    | DnsQuery
    | Lookup
    | Questions
    | ResolverOption
    | Blocked
    | Rollout
    | Fact
)

MAX_PORT = 65_535

_NAME = r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"
_DNS_NAME = r"[_A-Za-z0-9](?:[-_A-Za-z0-9.]*)"
_POD = re.compile(rf"^({_NAME})/(deploy/)?({_NAME})\Z")
_NAMESPACED_PORT = re.compile(rf"^({_NAME})/((?:deploy/)?{_NAME}):(\d+)(/udp)?\Z")
_PLAIN_PORT = re.compile(rf"^({_DNS_NAME}):(\d+)(/udp)?\Z")
_DNS = re.compile(rf"^(A|AAAA|SRV|TXT|PTR|CNAME)/({_DNS_NAME})(/tcp)?\Z")


def parse_pod(text: str, *, where: str) -> PodRef:
    """Read a `from` cell: `NAMESPACE/NAME`.

    Raises:
        OutcomeTableError: the cell is not of that form.
    """
    if pod := _pod(text):
        return pod
    raise OutcomeTableError(
        f"`{text}` names no pod",
        where=where,
        try_="write NAMESPACE/NAME, e.g. secure-zone/payment-api",
    )


def parse_target(text: str, *, where: str) -> Target:
    """Read a `to` cell.

    Raises:
        OutcomeTableError: the cell follows none of the forms in this module's docstring.
    """
    kind, _, rest = text.partition("/")
    target = _parse(kind, rest)
    end = target.port if isinstance(target, Blocked) else target
    if target is None or not 0 < getattr(end, "port", MAX_PORT) <= MAX_PORT:
        raise OutcomeTableError(
            f"`{text}` is no target",
            where=where,
            try_="pod/NS/NAME:PORT, svc/NS/NAME:PORT, net/NAME:PORT, name/NAME:PORT, ping/..., "
            "dns/TYPE/QNAME[/tcp], lookup/NAME, questions/NAME, option/NAME, "
            "blocked/pod/NS/NAME:PORT, rollout/MANIFEST or fact/NAME",
        )
    return target


def _parse(kind: str, rest: str) -> Target | None:
    match kind:
        case "pod" | "svc":
            return _namespaced(kind, rest)
        case "net" | "name":
            return _plain(kind, rest)
        case "ping":
            return _ping(rest)
        case "dns":
            found = _DNS.match(rest)
            return DnsQuery(found[1], _absolute(found[2]), bool(found[3])) if found else None
        case "lookup" if re.fullmatch(_DNS_NAME, rest):
            return Lookup(rest)
    return _measured(kind, rest)


def _measured(kind: str, rest: str) -> Target | None:
    """What no client sees: a count, an option, a cause, a change that goes out."""
    match kind:
        case "questions" if re.fullmatch(_DNS_NAME, rest):
            return Questions(rest)
        case "option" if re.fullmatch(r"[a-z0-9-]+", rest):
            return ResolverOption(rest)
        case "blocked" if rest.startswith("pod/"):
            end = _namespaced("pod", rest.removeprefix("pod/"))
            return Blocked(end) if isinstance(end, PodPort) else None
        case "rollout" if re.fullmatch(r"[a-z0-9-]+", rest):
            return Rollout(rest)
        case "fact" if re.fullmatch(r"[a-z0-9-]+", rest):
            return Fact(rest)
    return None


def _namespaced(kind: str, rest: str) -> Target | None:
    found = _NAMESPACED_PORT.match(rest)
    if not found:
        return None
    protocol = Protocol.UDP if found[4] else Protocol.TCP
    if kind == "pod":
        pod = _pod(f"{found[1]}/{found[2]}")
        return PodPort(pod, int(found[3]), protocol) if pod else None
    if "/" in found[2]:
        return None
    return ServiceAddress(found[1], found[2], int(found[3]), protocol)


def _plain(kind: str, rest: str) -> Target | None:
    found = _PLAIN_PORT.match(rest)
    if not found:
        return None
    if kind == "name":
        return None if found[3] else NamePort(found[1], int(found[2]))
    return ExternalPort(found[1], int(found[2]), Protocol.UDP if found[3] else Protocol.TCP)


def _ping(rest: str) -> Ping | None:
    kind, _, name = rest.partition("/")
    if kind == "pod" and (pod := _pod(name)):
        return Ping(pod)
    if kind == "net" and re.fullmatch(_DNS_NAME, name):
        return Ping(name)
    return None


def _pod(text: str) -> PodRef | None:
    found = _POD.match(text)
    return PodRef(found[1], f"{found[3]}-1" if found[2] else found[3]) if found else None


def _absolute(name: str) -> str:
    return name if name.endswith(".") else name + "."
