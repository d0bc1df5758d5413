"""What the API server refuses of single fields: labels, selectors, CIDRs and ports.

Source: apimachinery's validation of labels and selectors, and that of core/v1 and networking/v1,
in Kubernetes 1.34.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from harness.core.manifests.yamltree import Path
from harness.core.model import Operator, Protocol

Fault = tuple[Path, str]

MAX_PORT = 65535
MAX_NAME, MAX_LABEL, MAX_PORT_NAME = 253, 63, 15
PROTOCOLS = tuple(p.value for p in Protocol if p is not Protocol.ICMP)
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def labels(
    found: Mapping[str, str] | None,
    path: Path,
    key_rule: Callable[[str, Path], Iterator[Fault]] | None = None,
) -> Iterator[Fault]:
    """Faults of labels; `key_rule` says which keys may be, where they are no plain label keys."""
    for key, value in (found or {}).items():
        yield from (key_rule or label_key)(key, (*path, key))
        yield from _label_value(value, (*path, key))


def label_key(key: str, path: Path) -> Iterator[Fault]:
    """Faults of a label key: a name and, before a slash, a DNS name."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > MAX_NAME or not all(map(DNS_LABEL.fullmatch, prefix.split(".")))):
        yield path, f"the label key `{key}` needs a DNS name before its slash"
    if len(name) > MAX_LABEL or not _LABEL.fullmatch(name):
        yield path, f"`{key}` is no label key: letters, digits, - _ . and at most {MAX_LABEL}"


def _label_value(value: str, path: Path) -> Iterator[Fault]:
    if value and (len(value) > MAX_LABEL or not _LABEL.fullmatch(value)):
        yield path, f"`{value}` is no label value: letters, digits, - _ . and at most {MAX_LABEL}"


def selector(
    body: Mapping[str, Any] | None,
    path: Path,
    key_rule: Callable[[str, Path], Iterator[Fault]] | None = None,
) -> Iterator[Fault]:
    """Faults of a label selector; `key_rule` as in `labels`."""
    body = body or {}
    yield from labels(body.get("matchLabels"), (*path, "matchLabels"), key_rule)
    for number, entry in enumerate(body.get("matchExpressions") or []):
        here = (*path, "matchExpressions", number)
        yield from _requirement(entry or {}, here, key_rule or label_key)


def _requirement(
    entry: Mapping[str, Any], path: Path, key_rule: Callable[[str, Path], Iterator[Fault]]
) -> Iterator[Fault]:
    if not entry.get("key"):
        yield path, "has no key"
    else:
        yield from key_rule(entry["key"], (*path, "key"))
    operator, values = entry.get("operator"), entry.get("values") or []
    match operator:
        case Operator.IN | Operator.NOT_IN if not values:
            yield (*path, "values"), f"are missing: {operator} needs at least one"
        case Operator.EXISTS | Operator.DOES_NOT_EXIST if values:
            yield (*path, "values"), f"must be left out: {operator} takes none"
        case Operator.IN | Operator.NOT_IN | Operator.EXISTS | Operator.DOES_NOT_EXIST:
            pass
        case _:
            known = ", ".join(Operator)
            yield (*path, "operator"), f"is `{operator}`, and must be one of {known}"
    for number, value in enumerate(values):
        yield from _label_value(value, (*path, "values", number))


def cidr_block(body: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """Faults of a `cidr` and of what its `except` cuts out."""
    whole, wrong = cidr(body.get("cidr") or "")
    if wrong:
        yield (*path, "cidr"), wrong
    for number, text in enumerate(body.get("except") or []):
        part, wrong = cidr(text)
        if wrong:
            yield (*path, "except", number), wrong
        elif whole and part and not _strictly_inside(part, whole):
            yield (*path, "except", number), f"{part} is not a part of {whole}"


def _strictly_inside(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen > outer.prefixlen
        and inner.network_address in outer
    )


def cidr(text: str) -> tuple[IPv4Network | IPv6Network | None, str]:
    """The network that a CIDR writes, or why it writes none."""
    try:
        # ipaddress reads an address alone as a network of one; the API server does not.
        return (ip_network(text), "") if "/" in text else (None, f"`{text}` is no CIDR: no /length")
    except ValueError as error:
        return None, f"is no CIDR: {error}"


def protocol(
    body: Mapping[str, Any], path: Path, known: Sequence[str] = PROTOCOLS
) -> Iterator[Fault]:
    """Faults of a `protocol`, if there is one."""
    if "protocol" in body and body["protocol"] not in known:
        yield (*path, "protocol"), f"is `{body['protocol']}`, and must be {', '.join(known)}"


def port_number(port: int, path: Path) -> Iterator[Fault]:
    """Faults of a port's number."""
    if not 1 <= port <= MAX_PORT:
        yield path, f"{port} is not between 1 and {MAX_PORT}"


def port_name(name: str, path: Path) -> Iterator[Fault]:
    """Faults of a port's name (RFC 6335, 5.1)."""
    if len(name) > MAX_PORT_NAME or not _PORT_NAME.fullmatch(name):
        hint = "; a number is written without quotes" if name.isdigit() else ""
        yield path, f"`{name}` is no port name: a-z, 0-9, -, at most {MAX_PORT_NAME}{hint}"


def needs(body: Mapping[str, Any], fields: Sequence[str], path: Path) -> Iterator[Fault]:
    """A fault for each of the fields that is missing or empty."""
    for field in fields:
        if body.get(field) in (None, ""):
            yield path, f"has no {field}"
