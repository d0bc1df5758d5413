"""The same behaviour of Cilium's policies, written in other ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from harness.core.grading.mutation.edits import Document, Reference, edited, renamed
from harness.core.model import CILIUM_POLICY, CLUSTERWIDE_POLICY

PREFIX = "k8s:"
PEERS = {"ingress": "from", "egress": "to"}
TRANSPORTS = ("TCP", "UDP", "SCTP")


def prefixed(reference: Reference) -> Sequence[Document]:
    """Every label with the source `k8s:` in front."""
    return _selected(reference, lambda key: key if ":" in key else f"{PREFIX}{key}")


def bare(reference: Reference) -> Sequence[Document]:
    """Every label without its source."""
    return _selected(reference, lambda key: key.removeprefix(PREFIX))


def rule_each(reference: Reference) -> Sequence[Document]:
    """A policy for each rule."""
    found: list[Document] = []
    for document in reference.documents:
        if not _is_cilium(document) or not _simple(document["spec"]):
            found.append(deepcopy(document))
            continue
        for field in PEERS:
            for rule in document["spec"].get(field) or []:
                copy = deepcopy(document)
                kept = {k: v for k, v in copy["spec"].items() if k not in PEERS}
                copy["spec"] = {**kept, field: [deepcopy(rule)]}
                found.append(copy)
    return renamed(found)


def as_specs(reference: Reference) -> Sequence[Document]:
    """`specs`, a list with one spec, in place of `spec`."""

    def edit(document: Document) -> None:
        if _is_cilium(document) and "spec" in document:
            document["specs"] = [document.pop("spec")]

    return edited(reference.documents, edit)


def any_split(reference: Reference) -> Sequence[Document]:
    """Ports of any protocol as one port for each protocol."""

    def edit(document: Document) -> None:
        for entry in _entries(document):
            entry["ports"] = [part for port in entry["ports"] for part in _transports(port)]

    return edited(reference.documents, edit)


def entry_each(reference: Reference) -> Sequence[Document]:
    """An entry of toPorts for each port."""

    def edit(document: Document) -> None:
        for rule in _rules(document):
            if "toPorts" in rule:
                rule["toPorts"] = [
                    {**deepcopy(entry), "ports": [port]}
                    for entry in rule["toPorts"]
                    for port in entry.get("ports") or []
                ] or rule["toPorts"]

    return edited(reference.documents, edit)


def as_patterns(reference: Reference) -> Sequence[Document]:
    """Every name as a pattern without a star."""

    def edit(document: Document) -> None:
        for rule in _rules(document):
            for name in rule.get("toFQDNs") or []:
                if "matchName" in name:
                    name["matchPattern"] = name.pop("matchName")

    return edited(reference.documents, edit)


def dotted(reference: Reference) -> Sequence[Document]:
    """Every name with the dot at its end, and in capitals: names know neither."""

    def edit(document: Document) -> None:
        for rule in _rules(document):
            for name in rule.get("toFQDNs") or []:
                if "matchName" in name:
                    name["matchName"] = f"{name['matchName'].rstrip('.').upper()}."

    return edited(reference.documents, edit)


def said_denying(reference: Reference) -> Sequence[Document]:
    """With enableDefaultDeny true for the directions that have rules, as it is anyway."""

    def edit(document: Document) -> None:
        if _is_cilium(document) and "spec" in document:
            spec = document["spec"]
            said = {field: True for field in PEERS if spec.get(field)}
            spec.setdefault("enableDefaultDeny", said)

    return edited(reference.documents, edit)


def reversed_(reference: Reference) -> Sequence[Document]:
    """Policies, rules, peers and ports in the reverse order."""

    def edit(document: Document) -> None:
        for rule in _rules(document):
            for part in rule.values():
                if isinstance(part, list):
                    part.reverse()
        for entry in _entries(document):
            entry.get("ports", []).reverse()
        for field in PEERS if _is_cilium(document) and "spec" in document else ():
            document["spec"].get(field, []).reverse()

    return edited(reference.documents, edit)[::-1]


def described(reference: Reference) -> Sequence[Document]:
    """With a description in the spec, which decides nothing."""

    def edit(document: Document) -> None:
        if _is_cilium(document) and "spec" in document:
            document["spec"]["description"] = "names first, then the one site"

    return edited(reference.documents, edit)


def _transports(port: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if port.get("protocol", "ANY") != "ANY":
        yield port
        return
    for protocol in TRANSPORTS:
        yield {**port, "protocol": protocol}


def _selected(reference: Reference, key_of: Callable[[str], str]) -> list[Document]:
    def selector(body: dict[str, Any]) -> None:
        if asked := body.get("matchLabels"):
            body["matchLabels"] = {key_of(key): value for key, value in asked.items()}
        for one in body.get("matchExpressions") or []:
            one["key"] = key_of(one["key"])

    def edit(document: Document) -> None:
        if _is_cilium(document) and "spec" in document:
            selector(document["spec"].get("endpointSelector") or {})
            for rule in _rules(document):
                for field in ("toEndpoints", "fromEndpoints"):
                    for peer in rule.get(field) or []:
                        selector(peer)

    return edited(reference.documents, edit)


def _is_cilium(document: Document) -> bool:
    return document.get("kind") in (CILIUM_POLICY, CLUSTERWIDE_POLICY)


def _simple(spec: dict[str, Any]) -> bool:
    return not {"ingressDeny", "egressDeny", "enableDefaultDeny"} & spec.keys()


def _rules(document: Document) -> Iterator[dict[str, Any]]:
    for field in PEERS if _is_cilium(document) and "spec" in document else ():
        yield from document["spec"].get(field) or []


def _entries(document: Document) -> Iterator[dict[str, Any]]:
    for rule in _rules(document):
        yield from rule.get("toPorts") or []
