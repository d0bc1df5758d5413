"""What the API server refuses of single fields: labels, selectors, CIDRs, ports and names.

Values come here without null fields, as `schema.shapes.check` gives them.
Source: apimachinery's validation of labels, selectors, names and addresses, and that of core/v1 and
networking/v1, in Kubernetes 1.37.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    NetmaskValueError,
)
from typing import Any

from harness.core.manifests.schema.shapes import Fault
from harness.core.manifests.text.documents import FieldPath
from harness.core.model import Operator, Protocol

MAX_PORT = 65535
MAX_NAME, MAX_LABEL, MAX_PORT_NAME = 253, 63, 15
PROTOCOLS = tuple(p.value for p in Protocol if p is not Protocol.ICMP)
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")

_SUBDOMAIN = re.compile(rf"{DNS_LABEL.pattern[:-2]}(\.{DNS_LABEL.pattern[:-2]})*\Z")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")
_LENGTH = re.compile(r"[0-9]{1,6}\Z")
_MAPPED_BITS = 96
"""The length of the prefix under which IPv6 holds all of IPv4 (RFC 4291, 2.5.5.2)."""

KeyRule = Callable[[str, FieldPath], Iterator[Fault]]


def labels(
    found: Mapping[str, str] | None, path: FieldPath, key_rule: KeyRule | None = None
) -> Iterator[Fault]:
    """Faults of labels; `key_rule` says which keys may be, where they are no plain label keys."""
    for key, value in (found or {}).items():
        yield from (key_rule or label_key)(key, (*path, key))
        yield from _label_value(value, (*path, key))


def label_key(key: str, path: FieldPath) -> Iterator[Fault]:
    """Faults of a label key: a name and, before a slash, a DNS name."""
    prefix, slash, name = key.rpartition("/")
    if slash and not is_subdomain(prefix):
        yield Fault(path, f"the label key `{key}` needs a DNS name before its slash")
    if len(name) > MAX_LABEL or not _LABEL.match(name):
        wanted = f"letters, digits, - _ . and at most {MAX_LABEL}"
        yield Fault(path, f"`{key}` is not a valid label key: {wanted}")


def _label_value(value: str, path: FieldPath) -> Iterator[Fault]:
    if value and (len(value) > MAX_LABEL or not _LABEL.match(value)):
        wanted = f"letters, digits, - _ . and at most {MAX_LABEL}"
        yield Fault(path, f"`{value}` is not a valid label value: {wanted}")


def is_subdomain(text: str) -> bool:
    """Whether a text is a DNS name as the API takes it: RFC 1123, lower case."""
    return len(text) <= MAX_NAME and bool(_SUBDOMAIN.match(text))


def is_dns_label(text: str) -> bool:
    """Whether a text is one label of a DNS name as the API takes it."""
    return len(text) <= MAX_LABEL and bool(DNS_LABEL.match(text))


def selector(
    body: Mapping[str, Any] | None, path: FieldPath, key_rule: KeyRule | None = None
) -> Iterator[Fault]:
    """Faults of a label selector; `key_rule` as in `labels`."""
    body = body or {}
    yield from labels(body.get("matchLabels"), (*path, "matchLabels"), key_rule)
    for number, entry in enumerate(body.get("matchExpressions") or []):
        here = (*path, "matchExpressions", number)
        yield from _requirement(entry, here, key_rule or label_key)


def _requirement(entry: Mapping[str, Any], path: FieldPath, key_rule: KeyRule) -> Iterator[Fault]:
    if not entry.get("key"):
        yield Fault(path, "has no key")
    else:
        yield from key_rule(entry["key"], (*path, "key"))
    operator, values = entry.get("operator"), entry.get("values") or []
    match operator:
        case Operator.IN | Operator.NOT_IN if not values:
            yield Fault((*path, "values"), f"are missing: {operator} needs at least one")
        case Operator.EXISTS | Operator.DOES_NOT_EXIST if values:
            yield Fault((*path, "values"), f"must be left out: {operator} takes none")
        case Operator.IN | Operator.NOT_IN | Operator.EXISTS | Operator.DOES_NOT_EXIST:
            pass
        case _:
            known = ", ".join(Operator)
            yield Fault((*path, "operator"), f"is `{operator}`, and must be one of {known}")
    for number, value in enumerate(values):
        yield from _label_value(value, (*path, "values", number))


def cidr_block(body: Mapping[str, Any], path: FieldPath) -> Iterator[Fault]:
    """Faults of a `cidr` and of what its `except` cuts out."""
    whole, wrong = cidr(body.get("cidr") or "")
    if wrong:
        yield Fault((*path, "cidr"), wrong)
    for number, text in enumerate(body.get("except") or []):
        part, wrong = cidr(text)
        if wrong:
            yield Fault((*path, "except", number), wrong)
        elif whole and part and not _strictly_inside(part, whole):
            yield Fault((*path, "except", number), f"{part} is not a part of {whole}")


def _strictly_inside(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen > outer.prefixlen
        and inner.network_address in outer
    )


def cidr(text: str) -> tuple[IPv4Network | IPv6Network | None, str]:
    """The network that a CIDR writes, or why it writes none.

    Bits behind the length and zeros before a number may be: a server before Kubernetes 1.36 took
    them (`apirules.unclear`). An address without a length may not be, nor a mask in its place.
    """
    address, slash, length = text.partition("/")
    if not slash:
        return None, f"`{text}` is not a valid CIDR: it has no /LENGTH"
    wrong = f"`{text}` is not a valid CIDR, such as 10.0.0.0/8 or 2001:db8::/32"
    found = address_of(address)
    if found is None or not _LENGTH.match(length) or int(length) > found.max_prefixlen:
        return None, wrong
    if isinstance(found, IPv4Address):
        return IPv4Network((int(found), int(length)), strict=False), ""
    if found.ipv4_mapped and int(length) >= _MAPPED_BITS:
        inner = (int(found.ipv4_mapped), int(length) - _MAPPED_BITS)
        return IPv4Network(inner, strict=False), ""
    return IPv6Network((int(found), int(length)), strict=False), ""


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An address as Go's older parser reads it: numbers of IPv4 may begin with zeros."""
    numbers = text.split(".")
    try:
        if ":" not in text:
            return IPv4Address(".".join(number.lstrip("0") or number[:1] for number in numbers))
        return None if "%" in text else IPv6Address(text)
    except (AddressValueError, NetmaskValueError):
        return None


def is_address(text: str) -> bool:
    """Whether a text is an address as the API server takes it."""
    return address_of(text) is not None


def protocol(
    body: Mapping[str, Any], path: FieldPath, known: Sequence[str] = PROTOCOLS
) -> Iterator[Fault]:
    """Faults of a `protocol`, if there is one."""
    if "protocol" in body and body["protocol"] not in known:
        text = f"is `{body['protocol']}`, and must be {', '.join(known)}"
        yield Fault((*path, "protocol"), text)


def port_number(port: int, path: FieldPath) -> Iterator[Fault]:
    """Faults of a port's number."""
    if not 1 <= port <= MAX_PORT:
        yield Fault(path, f"{port} is not between 1 and {MAX_PORT}")


def port_name(name: str, path: FieldPath) -> Iterator[Fault]:
    """Faults of a port's name (RFC 6335, 5.1)."""
    if len(name) > MAX_PORT_NAME or not _PORT_NAME.match(name):
        hint = "; a number is written without quotes" if name.isdigit() else ""
        wanted = f"a-z, 0-9, -, at most {MAX_PORT_NAME}, and a letter among them"
        yield Fault(path, f"`{name}` is not a valid port name: {wanted}{hint}")


def number_or_name(port: int | str, path: FieldPath) -> Iterator[Fault]:
    """Faults of a port that is written as a number or as the name of a container's port."""
    yield from port_number(port, path) if isinstance(port, int) else port_name(port, path)


def needs(body: Mapping[str, Any], fields: Sequence[str], path: FieldPath) -> Iterator[Fault]:
    """A fault for each of the fields that is missing or empty."""
    for field in fields:
        if body.get(field) in (None, ""):
            yield Fault(path, f"has no {field}")
