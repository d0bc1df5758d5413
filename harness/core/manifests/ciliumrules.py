"""What is refused of a CiliumNetworkPolicy beyond its shape: every fault, each with its path.

Sources, all of Cilium 1.20.2: pkg/policy/api/rule_validation.go, pkg/labels/validation.go,
pkg/labelsfilter/filter.go and the CRD's own schema. We are stricter where what Cilium takes would
mislead a reader, or where its effect is not known here:

- an empty list of peers, ports or names, and rules.dns on another port than 53;
- an entity or a label source of which the model has no ends;
- a label that Cilium keeps out of identities by default, so that no selector ever matches it;
- a namespace told by NotIn or DoesNotExist alone, which also fits all that has no namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core import fqdn
from harness.core.manifests.fieldrules import (
    MAX_PORT,
    PROTOCOLS,
    cidr,
    cidr_block,
    label_key,
    port_name,
    port_number,
    protocol,
    selector,
)
from harness.core.manifests.schema.shapes import Fault
from harness.core.manifests.text.documents import FieldPath
from harness.core.model import Entity, Operator

ANY = "ANY"
DNS_PORT = "53"
NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
SOURCES = frozenset({"k8s", "any"})
ENTITIES = tuple(e.value for e in Entity if e is not Entity.NONE)
MAX_PORTS = 40

EGRESS_PEERS = ("toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toFQDNs")
INGRESS_PEERS = ("fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet")

_NUMBER = re.compile(r"0|[1-9][0-9]*")
_NO_IDENTITY = re.compile(
    r"io\.kubernetes|kubernetes\.io|.*beta\.kubernetes\.io|k8s\.io|topology\.kubernetes\.io"
    r"|statefulset\.kubernetes\.io/pod-name|apps\.kubernetes\.io/pod-index"
    r"|batch\.kubernetes\.io/(?:job-completion-index|controller-uid)"
    r"|pod-template-(?:generation|hash)|controller-(?:revision-hash|uid)|annotation|etcd_node"
)


def bare(key: str) -> str:
    """A label key without its source (`k8s:app` is `app`)."""
    return key.rpartition(":")[2]


def of_namespace(key: str) -> bool:
    """Whether a label key speaks of a pod's namespace, not of the pod."""
    return bare(key) == NAMESPACE or bare(key).startswith(NAMESPACE_LABELS)


def refusals(spec: Mapping[str, Any]) -> Iterator[Fault]:
    """Every reason not to take a spec whose shape is right."""
    if spec.get("endpointSelector") is None:
        yield Fault(
            ("spec",), "has no endpointSelector: write {} to select all pods of the namespace"
        )
    yield from selector(spec.get("endpointSelector"), ("spec", "endpointSelector"), _own_key)
    if not spec.get("ingress") and not spec.get("egress"):
        yield Fault(("spec",), "has no ingress and no egress rule: one that lets nobody pass is {}")
    for direction, peers in (("ingress", INGRESS_PEERS), ("egress", EGRESS_PEERS)):
        for number, rule in enumerate(spec.get(direction) or []):
            path: FieldPath = ("spec", direction, number)
            yield from _rule(rule or {}, peers, path)
            for n, entry in enumerate((rule or {}).get("toPorts") or []):
                yield from _ports(entry or {}, (*path, "toPorts", n))
                if direction == "ingress" and (entry or {}).get("rules"):
                    yield Fault((*path, "toPorts", n, "rules"), "of DNS are for egress only")


def _own_key(key: str, path: FieldPath) -> Iterator[Fault]:
    yield from _key(key, path)
    if of_namespace(key):
        yield Fault(path, "names a namespace: endpointSelector always means the policy's own")


def _key(key: str, path: FieldPath) -> Iterator[Fault]:
    source, colon, name = key.rpartition(":")
    if colon and source not in SOURCES:
        yield Fault(path, f"the label source `{source}:` is not known here; known: any: and k8s:")
        return
    # The part of a namespace's label that is the label's own key.
    yield from label_key(name.removeprefix(NAMESPACE_LABELS), path)
    if of_namespace(name):
        return
    if name.startswith("io.cilium."):
        yield Fault(path, f"`{name}` is a label of Cilium's own, and not known here")
    elif _NO_IDENTITY.match(name):
        yield Fault(
            path, f"`{name}` never matches: Cilium keeps this label out of a pod's identity"
        )


def _rule(rule: Mapping[str, Any], peers: tuple[str, ...], path: FieldPath) -> Iterator[Fault]:
    written = [field for field in peers if field in rule]
    for field in written:
        if not rule[field]:
            yield Fault((*path, field), "is empty and selects nobody: leave it out, or name a peer")
    if len(written) > 1:
        yield Fault(
            (*path, written[1]), f"may not be combined with {written[0]}: make it two rules"
        )
    for field in written:
        for number, item in enumerate(rule[field] or []):
            yield from _peer(field, item, (*path, field, number))


def _peer(field: str, item: Any, path: FieldPath) -> Iterator[Fault]:
    match field.removeprefix("to").removeprefix("from"):
        case "Endpoints":
            yield from _endpoint(item, path)
        case "Entities":
            if item not in ENTITIES:
                yield Fault(
                    path, f"the entity `{item}` is not known here; known: {', '.join(ENTITIES)}"
                )
        case "CIDR":
            _, wrong = cidr(item)
            if wrong:
                yield Fault(path, wrong)
        case "CIDRSet":
            yield from cidr_block(item or {}, path)
        case "FQDNs":
            yield from _name(item or {}, path)


def _endpoint(body: Mapping[str, Any] | None, path: FieldPath) -> Iterator[Fault]:
    if body is None:
        yield Fault(path, "is null: write {} to select all pods of the policy's namespace")
        return
    yield from selector(body, path, _key)
    written = [e or {} for e in body.get("matchExpressions") or []]
    operators = [e.get("operator") for e in written if of_namespace(e.get("key") or "")]
    sure = any(map(of_namespace, body.get("matchLabels") or {})) or (
        Operator.IN in operators or Operator.EXISTS in operators
    )
    if operators and not sure:
        what = "which also fits what has no namespace"
        yield Fault(path, f"tells the namespace by {operators[0]} alone, {what}")


def _name(body: Mapping[str, Any], path: FieldPath) -> Iterator[Fault]:
    written = [(field, body[field]) for field in ("matchName", "matchPattern") if field in body]
    if len(written) != 1:
        yield Fault(path, "must have a matchName or a matchPattern, and not both")
    for field, text in written:
        if wrong := fqdn.fault(text, pattern=field == "matchPattern"):
            yield Fault((*path, field), wrong)


def _ports(entry: Mapping[str, Any], path: FieldPath) -> Iterator[Fault]:
    ports = entry.get("ports") or []
    if not ports:
        yield Fault(path, "has no ports, which allows none: list them, or leave toPorts out")
    if len(ports) > MAX_PORTS:
        yield Fault((*path, "ports"), f"has {len(ports)} entries, and may have {MAX_PORTS}")
    for number, port in enumerate(ports):
        yield from _port(port or {}, (*path, "ports", number))
    if "rules" in entry:
        yield from _dns(entry["rules"] or {}, ports, path)


def _dns(rules: Mapping[str, Any], ports: list[Any], path: FieldPath) -> Iterator[Fault]:
    if not rules.get("dns"):
        yield Fault((*path, "rules"), "has no names under dns: leave it out, or name some")
    for number, name in enumerate(rules.get("dns") or []):
        yield from _name(name or {}, (*path, "rules", "dns", number))
    for number, port in enumerate(ports):
        if (port or {}).get("port") != DNS_PORT or "endPort" in port:
            yield Fault((*path, "ports", number), f'with rules.dns must be port "{DNS_PORT}" alone')
        if (port or {}).get("protocol") == "SCTP":
            yield Fault((*path, "ports", number, "protocol"), "of rules.dns is TCP, UDP or ANY")


def _port(body: Mapping[str, Any], path: FieldPath) -> Iterator[Fault]:
    yield from protocol(body, path, (*PROTOCOLS, ANY))
    text, end = body.get("port") or "", body.get("endPort")
    if not text:
        yield Fault(path, "has no port")
    elif text.isdigit():
        if not _NUMBER.fullmatch(text) or int(text) > MAX_PORT:
            yield Fault(
                (*path, "port"), f'"{text}" is not a number from 0 (every port) to {MAX_PORT}'
            )
    else:
        yield from port_name(text.lower(), (*path, "port"))
    if end is None:
        return
    if not text.isdigit() or not int(text):
        yield Fault((*path, "endPort"), "needs a numeric port beside it")
        return
    yield from port_number(end, (*path, "endPort"))
    if end < int(text):
        yield Fault((*path, "endPort"), f"{end} is below the port, {text}")
