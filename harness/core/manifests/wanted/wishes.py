"""An entry of a list of flows, as a person writes it down; one entry may mean many flows.

    from: NAMESPACE/POD, NAMESPACE/*, */*, net/ADDRESS, net/NETWORK, net/*
    to:   pod/NAMESPACE/POD:PORT[/udp|/sctp], net/HOST:PORT, dns; a NAMESPACE, POD, HOST or PORT may
          be `*`, PORT a range such as 8000-9000, and HOST a network such as 198.51.100.0/24
          ([2001:db8::/32] in brackets)

Both may be lists. `*` for a port without a protocol means every port of every protocol.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any

from harness.core.model import Network, Protocol, Topology
from harness.core.target import ExternalPort, PodPort, parse_source, parse_target
from harness.errors import ManifestError, OutcomeTableError

EVERY = "*"
DNS = "dns"
DNS_PORT = 53
NAME_SERVERS = "kube-system/kube-dns"
"""The Service of the name servers, as kubeadm calls it."""
FORMS = "pod/NAMESPACE/NAME:PORT[/udp], net/HOST:PORT[/udp] or dns"
MAX_PORT = 65_535
_LABEL = r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"
_POD = re.compile(rf"({_LABEL}|\*)/({_LABEL}|\*)\Z")
_TO = re.compile(r"(pod|net)/(.+):([1-9][0-9]{0,4}(?:-[1-9][0-9]{0,4})?|\*)(?:/(tcp|udp|sctp))?\Z")


@dataclass(frozen=True, slots=True)
class PodsOf:
    """Pods by namespace and name; `*` is every one."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Outside:
    """Somebody outside of the cluster: by name, by network, or everybody if both are empty."""

    name: str = ""
    networks: tuple[Network, ...] = ()


Who = PodsOf | Outside


@dataclass(frozen=True, slots=True)
class PortWish:
    """Ports from `number` to `last`; no number: every port; no protocol: of every protocol."""

    number: int | None = None
    protocol: Protocol | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """One entry: every sender to every receiver on its port; `where` is its file and line."""

    sources: tuple[Who, ...]
    targets: tuple[tuple[Who, PortWish], ...]
    where: str = ""


def wish_of(
    entry: Mapping[str, Any], topology: Topology, where: str, names: Collection[str] = ()
) -> Wish:
    """Read an entry; the pods that it names must be there. `names` outside may be named as well.

    Raises:
        ManifestError: it has an end of no form that is known, or one that is not there.
    """
    sources = tuple(_source(text, topology, where, names) for text in _texts(entry["from"]))
    targets = [
        pair for text in _texts(entry["to"]) for pair in _target(text, topology, where, names)
    ]
    return Wish(sources, tuple(targets), where)


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _source(text: str, topology: Topology, where: str, names: Collection[str]) -> Who:
    if text.startswith("net/"):
        return _outside(text.removeprefix("net/"), topology, where, names)
    return _pods(text, topology, where)


def _pods(text: str, topology: Topology, where: str) -> PodsOf:
    match = _POD.match(text)
    if match is None or not _there(PodsOf(match[1], match[2]), topology):
        known = [*topology.pods, *(f"{name}/{EVERY}" for name in topology.namespaces)]
        near = get_close_matches(text, known, n=1)
        forms = "NAMESPACE/POD, NAMESPACE/* for all of a namespace, or */* for all"
        raise ManifestError(
            f"`{text}` is not a pod that is there",
            where=where,
            seen=f"pods: {', '.join(sorted(topology.pods))}"[:400],
            try_=f"did you mean `{near[0]}`? {forms}" if near else forms,
        )
    return PodsOf(match[1], match[2])


def _there(pods: PodsOf, topology: Topology) -> bool:
    if pods.name != EVERY:
        return f"{pods.namespace}/{pods.name}" in topology.pods
    return pods.namespace == EVERY or any(
        pod.namespace == pods.namespace for pod in topology.pods.values()
    )


def _outside(text: str, topology: Topology, where: str, names: Collection[str]) -> Outside:
    if text == EVERY:
        return Outside()
    if text in topology.external or text in names:
        return Outside(text)
    try:
        return Outside(networks=(ip_network(text.strip("[]")),))
    except ValueError:
        pass
    try:
        parse_source(f"net/{text}", where=where)
    except OutcomeTableError as error:
        raise ManifestError(error.what, where=where, seen=error.seen, try_=error.try_) from error
    raise ManifestError(
        f"`{text}` is neither an address, a network nor a name of the simulated internet",
        where=where,
        seen=f"known: {', '.join(sorted(topology.external)) or 'none'}"[:400],
        try_="write an address, a network such as 198.51.100.0/24, or * for everywhere",
    )


def _target(
    text: str, topology: Topology, where: str, names: Collection[str]
) -> Iterator[tuple[Who, PortWish]]:
    if text == DNS:
        servers = name_servers(topology)
        if not servers:
            what = f"no pod is known behind the Service {NAME_SERVERS}, which `dns` means"
            raise ManifestError(what, where=where, try_="name the pods: pod/NAMESPACE/POD:53/udp")
        for name in servers:
            for protocol in (Protocol.UDP, Protocol.TCP):
                namespace, _, pod = name.partition("/")
                yield PodsOf(namespace, pod), PortWish(DNS_PORT, protocol, DNS_PORT)
        return
    match = _TO.match(text)
    if match is None or ("*" not in text and "-" not in match[3] and match[1] == "pod"):
        yield _plain(text, topology, where, names)
        return
    first, _, last = match[3].partition("-")
    numbers = () if match[3] == EVERY else (int(first), int(last or first))
    if numbers and not numbers[0] <= numbers[1] <= MAX_PORT:
        raise ManifestError(f"`{text}` has no valid port", where=where, try_=f"1 to {MAX_PORT}")
    if match[1] == "pod":
        who: Who = _pods(match[2], topology, where)
    else:
        who = _outside(match[2], topology, where, names)
    if not numbers:
        yield who, PortWish(None, Protocol(match[4].upper()) if match[4] else None)
    else:
        yield who, PortWish(numbers[0], Protocol((match[4] or "tcp").upper()), numbers[1])


def _plain(
    text: str, topology: Topology, where: str, names: Collection[str]
) -> tuple[Who, PortWish]:
    """A receiver as tables write it."""
    try:
        target = parse_target(text, where=where)
    except OutcomeTableError as error:
        raise ManifestError(
            error.what,
            where=where,
            seen=error.seen,
            try_=f"{error.try_} A list of wanted flows may have: {FORMS}",
        ) from error
    match target:
        case PodPort(pod, port, protocol):
            return _pods(str(pod), topology, where), PortWish(port, protocol, port)
        case ExternalPort(name, port, protocol):
            return _outside(name, topology, where, names), PortWish(port, protocol, port)
    raise ManifestError(
        f"`{text}` is not valid in a list of wanted flows", where=where, try_=f"write {FORMS}"
    )


def name_servers(topology: Topology) -> list[str]:
    """The pods that answer for the cluster's DNS: the ones behind its Service."""
    service = topology.services.get(NAME_SERVERS)
    return [str(pod) for pod in topology.behind(service)] if service else []
