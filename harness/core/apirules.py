"""What the API server refuses beyond the shape of a manifest: every fault, each with its path.

Source: the validation of networking/v1, core/v1, apps/v1 and of label selectors in Kubernetes 1.34.
In two points we are stricter, because what is refused would mislead a reader: a selector that is
written but null, and a CIDR with bits behind its mask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from harness.core.model import Direction, Operator, Protocol
from harness.core.yamltree import Path

Fault = tuple[Path, str]

MAX_PORT = 65535
MAX_NAME, MAX_LABEL, MAX_PORT_NAME = 253, 63, 15
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_PROTOCOLS = [p.value for p in Protocol if p is not Protocol.ICMP]
_ONE_LABEL = frozenset({"Namespace", "Service"})
"""Kinds whose name is one DNS label; other names may have dots."""


def refusals(body: Mapping[str, Any]) -> Iterator[Fault]:
    """Every reason why the API server would not take an object whose shape is right."""
    meta = body.get("metadata") or {}
    yield from _name(body["kind"], meta)
    yield from _labels(meta.get("labels"), ("metadata", "labels"))
    spec = body.get("spec") or {}
    match body["kind"]:
        case "Pod":
            yield from _pod_spec(spec, ("spec",))
        case "Deployment":
            yield from _deployment(spec)
        case "Service":
            yield from _service(spec)
        case "NetworkPolicy":
            yield from _network_policy(spec)


def _name(kind: str, meta: Mapping[str, Any]) -> Iterator[Fault]:
    name, namespace = meta.get("name"), meta.get("namespace")
    if name:
        parts = [name] if kind in _ONE_LABEL else name.split(".")
        longest = MAX_LABEL if kind in _ONE_LABEL else MAX_NAME
        if len(name) > longest or not all(map(_DNS_LABEL.fullmatch, parts)):
            yield ("metadata", "name"), f"`{name}` must be lower case letters, digits and -"
    if namespace and (len(namespace) > MAX_LABEL or not _DNS_LABEL.fullmatch(namespace)):
        yield ("metadata", "namespace"), f"`{namespace}` must be lower case letters, digits and -"


def _labels(labels: Mapping[str, str] | None, path: Path) -> Iterator[Fault]:
    for key, value in (labels or {}).items():
        yield from _label_key(key, (*path, key))
        yield from _label_value(value, (*path, key))


def _label_key(key: str, path: Path) -> Iterator[Fault]:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > MAX_NAME or not all(map(_DNS_LABEL.fullmatch, prefix.split(".")))):
        yield path, f"the label key `{key}` needs a DNS name before its slash"
    if len(name) > MAX_LABEL or not _LABEL.fullmatch(name):
        yield path, f"`{key}` is no label key: letters, digits, - _ . and at most {MAX_LABEL}"


def _label_value(value: str, path: Path) -> Iterator[Fault]:
    if value and (len(value) > MAX_LABEL or not _LABEL.fullmatch(value)):
        yield path, f"`{value}` is no label value: letters, digits, - _ . and at most {MAX_LABEL}"


def _selector(body: Mapping[str, Any] | None, path: Path) -> Iterator[Fault]:
    body = body or {}
    yield from _labels(body.get("matchLabels"), (*path, "matchLabels"))
    for number, entry in enumerate(body.get("matchExpressions") or []):
        yield from _requirement(entry or {}, (*path, "matchExpressions", number))


def _requirement(entry: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    if not entry.get("key"):
        yield path, "has no key"
    else:
        yield from _label_key(entry["key"], (*path, "key"))
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


def _network_policy(spec: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _selector(spec.get("podSelector"), ("spec", "podSelector"))
    types = spec.get("policyTypes") or []
    for number, word in enumerate(types):
        if word not in list(Direction):
            yield ("spec", "policyTypes", number), f"is `{word}`, and must be Ingress or Egress"
    if len(types) > len(Direction):
        yield ("spec", "policyTypes"), "has more than two entries"
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(direction) or []):
            path: Path = ("spec", direction, number)
            for n, peer in enumerate((rule or {}).get(side) or []):
                yield from _peer(peer or {}, (*path, side, n))
            for n, port in enumerate((rule or {}).get("ports") or []):
                yield from _port(port or {}, (*path, "ports", n))


def _peer(body: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    if not body:
        yield path, "must have a podSelector, a namespaceSelector or an ipBlock"
    if "ipBlock" in body and len(body) > 1:
        yield path, "may not have an ipBlock and a selector at once"
    for field in ("podSelector", "namespaceSelector"):
        if field in body and body[field] is None:
            # The API server takes null for "not written", and a reader takes it for "all".
            yield (*path, field), "is null: write {} to select all, or leave it out"
        yield from _selector(body.get(field), (*path, field))
    if "ipBlock" in body:
        yield from _ip_block(body["ipBlock"] or {}, (*path, "ipBlock"))


def _ip_block(body: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    cidr, wrong = _cidr(body.get("cidr") or "")
    if wrong:
        yield (*path, "cidr"), wrong
    for number, text in enumerate(body.get("except") or []):
        cut, wrong = _cidr(text)
        if wrong:
            yield (*path, "except", number), wrong
        elif cidr and cut and not _strictly_inside(cut, cidr):
            yield (*path, "except", number), f"{cut} is not a part of {cidr}"


def _strictly_inside(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen > outer.prefixlen
        and inner.network_address in outer
    )


def _cidr(text: str) -> tuple[IPv4Network | IPv6Network | None, str]:
    try:
        # ipaddress reads an address alone as a network of one; the API server does not.
        return (ip_network(text), "") if "/" in text else (None, f"`{text}` is no CIDR: no /length")
    except ValueError as error:
        return None, f"is no CIDR: {error}"


def _port(body: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    yield from _protocol(body, path)
    port, end = body.get("port"), body.get("endPort")
    match port:
        case int():
            yield from _number(port, (*path, "port"))
        case str():
            yield from _port_name(port, (*path, "port"))
    if "endPort" in body and not isinstance(port, int):
        yield (*path, "endPort"), "needs a numeric port beside it"
    elif end is not None:
        yield from _number(end, (*path, "endPort"))
        if end < port:
            yield (*path, "endPort"), f"{end} is below the port, {port}"


def _protocol(body: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    if "protocol" in body and body["protocol"] not in _PROTOCOLS:
        yield (*path, "protocol"), f"is `{body['protocol']}`, and must be {', '.join(_PROTOCOLS)}"


def _number(port: int, path: Path) -> Iterator[Fault]:
    if not 1 <= port <= MAX_PORT:
        yield path, f"{port} is not between 1 and {MAX_PORT}"


def _port_name(name: str, path: Path) -> Iterator[Fault]:
    if len(name) > MAX_PORT_NAME or not _PORT_NAME.fullmatch(name):
        hint = "; a number is written without quotes" if name.isdigit() else ""
        yield path, f"`{name}` is no port name: a-z, 0-9, -, at most {MAX_PORT_NAME}{hint}"


def _service(spec: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _labels(spec.get("selector"), ("spec", "selector"))
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None":
        yield ("spec",), "has no ports"
    for number, port in enumerate(ports):
        path: Path = ("spec", "ports", number)
        yield from _needs(port or {}, ("port",), path)
        yield from _protocol(port or {}, path)
        for field in ("port", "targetPort"):
            if isinstance((port or {}).get(field), int):
                yield from _number(port[field], (*path, field))
        if len(ports) > 1:
            yield from _needs(port or {}, ("name",), path)


def _deployment(spec: Mapping[str, Any]) -> Iterator[Fault]:
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    yield from _needs(spec, ("selector", "template"), ("spec",))
    yield from _selector(spec.get("selector"), ("spec", "selector"))
    yield from _labels(labels, ("spec", "template", "metadata", "labels"))
    if not wanted.items() <= labels.items():
        yield ("spec", "selector"), "does not select its own template's labels"
    if (spec.get("replicas") or 0) < 0:
        yield ("spec", "replicas"), "is negative"
    yield from _pod_spec(template.get("spec") or {}, ("spec", "template", "spec"))


def _pod_spec(spec: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    containers: Sequence[Any] = spec.get("containers") or []
    if not containers:
        yield path, "has no containers"
    for number, container in enumerate(containers):
        place = (*path, "containers", number)
        yield from _needs(container or {}, ("name", "image"), place)
        for n, port in enumerate((container or {}).get("ports") or []):
            here = (*place, "ports", n)
            yield from _needs(port or {}, ("containerPort",), here)
            yield from _protocol(port or {}, here)
            if isinstance((port or {}).get("containerPort"), int):
                yield from _number(port["containerPort"], (*here, "containerPort"))
            if (port or {}).get("name"):
                yield from _port_name(port["name"], (*here, "name"))


def _needs(body: Mapping[str, Any], fields: Sequence[str], path: Path) -> Iterator[Fault]:
    for field in fields:
        if body.get(field) in (None, ""):
            yield path, f"has no {field}"
