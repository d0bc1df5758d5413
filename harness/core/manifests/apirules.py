"""What the API server refuses beyond the shape of a manifest: every fault, each with its path.

Source: the validation of networking/v1, core/v1, apps/v1 and of label selectors in Kubernetes 1.34.
In two points we are stricter, because what is refused would mislead a reader: a selector that is
written but null, and a CIDR with bits behind its mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.core.manifests import ciliumrules
from harness.core.manifests.fieldrules import (
    DNS_LABEL,
    MAX_LABEL,
    MAX_NAME,
    Fault,
    cidr_block,
    labels,
    needs,
    port_name,
    port_number,
    protocol,
    selector,
)
from harness.core.manifests.yamltree import Path
from harness.core.model import Direction

_ONE_LABEL = frozenset({"Namespace", "Service"})
"""Kinds whose name is one DNS label; other names may have dots."""


def refusals(body: Mapping[str, Any]) -> Iterator[Fault]:
    """Every reason why the API server would not take an object whose shape is right."""
    meta = body.get("metadata") or {}
    yield from _name(body["kind"], meta)
    yield from labels(meta.get("labels"), ("metadata", "labels"))
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
        case "CiliumNetworkPolicy":
            yield from ciliumrules.refusals(spec)


def _name(kind: str, meta: Mapping[str, Any]) -> Iterator[Fault]:
    name, namespace = meta.get("name"), meta.get("namespace")
    if name:
        parts = [name] if kind in _ONE_LABEL else name.split(".")
        longest = MAX_LABEL if kind in _ONE_LABEL else MAX_NAME
        if len(name) > longest or not all(map(DNS_LABEL.fullmatch, parts)):
            yield ("metadata", "name"), f"`{name}` must be lower case letters, digits and -"
    if namespace and (len(namespace) > MAX_LABEL or not DNS_LABEL.fullmatch(namespace)):
        yield ("metadata", "namespace"), f"`{namespace}` must be lower case letters, digits and -"


def _network_policy(spec: Mapping[str, Any]) -> Iterator[Fault]:
    yield from selector(spec.get("podSelector"), ("spec", "podSelector"))
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
        yield from selector(body.get(field), (*path, field))
    if "ipBlock" in body:
        yield from cidr_block(body["ipBlock"] or {}, (*path, "ipBlock"))


def _port(body: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    yield from protocol(body, path)
    port, end = body.get("port"), body.get("endPort")
    match port:
        case int():
            yield from port_number(port, (*path, "port"))
        case str():
            yield from port_name(port, (*path, "port"))
    if "endPort" in body and not isinstance(port, int):
        yield (*path, "endPort"), "needs a numeric port beside it"
    elif end is not None:
        yield from port_number(end, (*path, "endPort"))
        if end < port:
            yield (*path, "endPort"), f"{end} is below the port, {port}"


def _service(spec: Mapping[str, Any]) -> Iterator[Fault]:
    yield from labels(spec.get("selector"), ("spec", "selector"))
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None":
        yield ("spec",), "has no ports"
    for number, port in enumerate(ports):
        path: Path = ("spec", "ports", number)
        yield from needs(port or {}, ("port",), path)
        yield from protocol(port or {}, path)
        for field in ("port", "targetPort"):
            if isinstance((port or {}).get(field), int):
                yield from port_number(port[field], (*path, field))
        if len(ports) > 1:
            yield from needs(port or {}, ("name",), path)


def _deployment(spec: Mapping[str, Any]) -> Iterator[Fault]:
    template = spec.get("template") or {}
    given = (template.get("metadata") or {}).get("labels") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    yield from needs(spec, ("selector", "template"), ("spec",))
    yield from selector(spec.get("selector"), ("spec", "selector"))
    yield from labels(given, ("spec", "template", "metadata", "labels"))
    if not wanted.items() <= given.items():
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
        yield from needs(container or {}, ("name", "image"), place)
        for n, port in enumerate((container or {}).get("ports") or []):
            here = (*place, "ports", n)
            yield from needs(port or {}, ("containerPort",), here)
            yield from protocol(port or {}, here)
            if isinstance((port or {}).get("containerPort"), int):
                yield from port_number(port["containerPort"], (*here, "containerPort"))
            if (port or {}).get("name"):
                yield from port_name(port["name"], (*here, "name"))
