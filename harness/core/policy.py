"""A NetworkPolicy's spec as the API server takes it: validated, with policyTypes defaulted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from harness.core.model import (
    Direction,
    IPBlock,
    NetworkPolicy,
    Operator,
    Peer,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from harness.core.yamltree import Document, Path
from harness.errors import ManifestError

MAX_PORT = 65535


class _Fault(Exception):  # noqa: N818 - carries a place, and never leaves this module
    def __init__(self, path: Path, what: str) -> None:
        super().__init__(what)
        self.path = path
        self.what = what


def network_policy(namespace: str, name: str, document: Document, origin: str) -> NetworkPolicy:
    """The policy that a checked document describes.

    Raises:
        ManifestError: the API server would refuse it; the message has the place.
    """
    spec = document.value.get("spec") or {}
    try:
        ingress = _rules(spec.get("ingress"), "from", ("spec", "ingress"))
        egress = _rules(spec.get("egress"), "to", ("spec", "egress"))
        return NetworkPolicy(
            namespace,
            name,
            selector(spec.get("podSelector"), ("spec", "podSelector")),
            _policy_types(spec, bool(egress)),
            ingress,
            egress,
            origin=f"{origin}:{document.line(())}",
        )
    except _Fault as fault:
        place = ".".join(str(part) for part in fault.path)
        raise ManifestError(
            f"{origin}:{document.line(fault.path)}: {place} {fault.what}"
        ) from fault


def _policy_types(spec: Mapping[str, Any], has_egress: bool) -> frozenset[Direction]:
    """Left out, they are Ingress, and Egress as well if there is an egress rule (API reference)."""
    if spec.get("policyTypes"):
        try:
            return frozenset(Direction(t) for t in spec["policyTypes"])
        except ValueError as error:
            raise _Fault(("spec", "policyTypes"), "may hold Ingress and Egress only") from error
    return frozenset({Direction.INGRESS} | ({Direction.EGRESS} if has_egress else set()))


def selector(body: Mapping[str, Any] | None, path: Path) -> Selector:
    """A label selector; matchLabels become In of one value each."""
    body = body or {}
    found = [
        Requirement(key, Operator.IN, frozenset({value}))
        for key, value in sorted((body.get("matchLabels") or {}).items())
    ]
    for number, entry in enumerate(body.get("matchExpressions") or []):
        found.append(_requirement(entry, (*path, "matchExpressions", number)))
    return Selector(tuple(found))


def _requirement(entry: Mapping[str, Any], path: Path) -> Requirement:
    if "key" not in entry:
        raise _Fault(path, "has no key")
    try:
        operator = Operator(entry.get("operator", ""))
    except ValueError as error:
        raise _Fault(
            path, f"has the operator {entry.get('operator')}: one of {', '.join(Operator)}"
        ) from error
    values = frozenset(entry.get("values") or ())
    needs = operator in (Operator.IN, Operator.NOT_IN)
    if needs != bool(values):
        raise _Fault(path, f"{operator} {'needs values' if needs else 'takes no values'}")
    return Requirement(entry["key"], operator, values)


def _rules(
    rules: Sequence[Mapping[str, Any] | None] | None, side: str, path: Path
) -> tuple[Rule, ...]:
    found = []
    for number, rule in enumerate(rules or []):
        place = (*path, number)
        body = rule or {}
        peers = [_peer(p or {}, (*place, side, n)) for n, p in enumerate(body.get(side) or [])]
        ports = [
            _port(p or {}, (*place, "ports", n)) for n, p in enumerate(body.get("ports") or [])
        ]
        found.append(Rule(tuple(peers), tuple(ports)))
    return tuple(found)


def _peer(body: Mapping[str, Any], path: Path) -> Peer:
    if not body:
        raise _Fault(path, "must name a podSelector, a namespaceSelector or an ipBlock")
    if "ipBlock" in body:
        if len(body) > 1:
            raise _Fault(path, "may not have an ipBlock and a selector at once")
        return Peer(ip_block=_ip_block(body["ipBlock"] or {}, path))
    pods = selector(body["podSelector"], path) if "podSelector" in body else None
    spaces = selector(body["namespaceSelector"], path) if "namespaceSelector" in body else None
    return Peer(pods, spaces)


def _ip_block(body: Mapping[str, Any], path: Path) -> IPBlock:
    try:
        cidr = ip_network(body.get("cidr", ""))
        cut = tuple(ip_network(text) for text in body.get("except") or ())
    except ValueError as error:
        raise _Fault(path, f"has no valid CIDR: {error}") from error
    for inner in cut:
        if inner.version != cidr.version or inner == cidr or not inner.subnet_of(cidr):  # type: ignore[arg-type]
            raise _Fault(path, f"except {inner} is not inside of {cidr}")
    return IPBlock(cidr, cut)


def _port(body: Mapping[str, Any], path: Path) -> PortRule:
    try:
        protocol = Protocol(body.get("protocol", "TCP"))
    except ValueError as error:
        raise _Fault(path, "protocol is TCP, UDP or SCTP") from error
    if protocol is Protocol.ICMP:
        raise _Fault(path, "protocol is TCP, UDP or SCTP")
    port, end = body.get("port"), body.get("endPort")
    if isinstance(port, int) and not 1 <= port <= MAX_PORT:
        raise _Fault(path, f"port {port} is not between 1 and {MAX_PORT}")
    if end is not None and (not isinstance(port, int) or not port <= end <= MAX_PORT):
        raise _Fault(path, "endPort needs a numeric port, not above it")
    return PortRule(protocol, port, end)
