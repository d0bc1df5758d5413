"""Mistakes in Cilium's policies: names, DNS rules, entities, ports, and what isolates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from harness.core.grading.mutation.edits import (
    Case,
    Document,
    Path,
    Reference,
    at,
    cut,
    name_of,
    put,
)
from harness.core.grading.mutation.labels import misspelt
from harness.core.model import CILIUM_POLICY, CLUSTERWIDE_POLICY

PEERS = {"ingress": "from", "egress": "to"}
ENTITIES = ("world", "all", "cluster")
LAST = 65_535
EXTRA = "8443"
OTHERS = {"TCP": "UDP", "UDP": "TCP", "ANY": "SCTP", "SCTP": "TCP"}


def rule_dropped(reference: Reference) -> Iterator[Case]:
    """Without one rule."""
    for path, where in _rules(reference.documents):
        yield Case(where, f"The rule {where} is missing.", cut(reference.documents, path))


def direction_dropped(reference: Reference) -> Iterator[Case]:
    """Without the rules of one direction: it does not isolate any more."""
    for number, document in _policies(reference.documents):
        for field in PEERS:
            if all(document["spec"].get(one) for one in PEERS):
                found = cut(reference.documents, (number, "spec", field))
                name = f"{name_of(document)}.{field}"
                yield Case(name, f"{name_of(document)} has no {field}.", found)


def selects_all(reference: Reference) -> Iterator[Case]:
    """With an empty endpointSelector: all pods of the namespace."""
    for number, document in _policies(reference.documents):
        if any((document["spec"].get("endpointSelector") or {}).values()):
            found = put(reference.documents, (number, "spec", "endpointSelector"), {})
            what = f"The endpointSelector of {name_of(document)} is empty: it means all pods."
            yield Case(name_of(document), what, found)


def entity(reference: Reference) -> Iterator[Case]:
    """An entity in place of the peers, or a rule for it beside the others."""
    for path, where in _rules(reference.documents):
        rule = at(reference.documents, path)
        field = f"{PEERS[str(path[2])]}Entities"
        rest = {key: value for key, value in rule.items() if not _is_peer(key)}
        for name in ENTITIES:
            bare = _without_look(rest) | {field: [name]}
            what = f"The peers of {where} are the entity {name}."
            yield Case(f"{where}.{name}", what, put(reference.documents, path, bare))
    for number, document in _policies(reference.documents):
        for direction, prefix in PEERS.items():
            rules = document["spec"].get(direction)
            for name in ENTITIES if rules else ():
                more = [*rules, {f"{prefix}Entities": [name]}]
                found = put(reference.documents, (number, "spec", direction), more)
                what = f"{name_of(document)} has one more rule, for the entity {name}."
                yield Case(f"{name_of(document)}.{direction}.{name}", what, found)


def network(reference: Reference) -> Iterator[Case]:
    """One more rule, for a network that is far too wide."""
    for number, document in _policies(reference.documents):
        for direction, prefix in PEERS.items():
            rules = document["spec"].get(direction)
            for cidr in ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1") if rules else ():
                more = [*rules, {f"{prefix}CIDR": [cidr]}]
                found = put(reference.documents, (number, "spec", direction), more)
                what = f"{name_of(document)} has one more rule, for the network {cidr}."
                yield Case(f"{name_of(document)}.{direction}.{cidr}", what, found)


def ports_left_out(reference: Reference) -> Iterator[Case]:
    """A rule without toPorts: every port, and no look at names."""
    for path, where in _rules(reference.documents):
        if "toPorts" in at(reference.documents, path):
            found = cut(reference.documents, (*path, "toPorts"))
            yield Case(where, f"The rule {where} has no toPorts: it means every port.", found)


def peers_left_out(reference: Reference) -> Iterator[Case]:
    """A rule with ports and without peers: anybody."""
    for path, where in _rules(reference.documents):
        rule = at(reference.documents, path)
        rest = {key: value for key, value in rule.items() if not _is_peer(key)}
        if rest and rest != rule:
            found = put(reference.documents, path, _without_look(rest))
            yield Case(where, f"The rule {where} has no peers: it means anybody.", found)


def rule_emptied(reference: Reference) -> Iterator[Case]:
    """A rule with nothing in it, which lets nobody pass."""
    for path, where in _rules(reference.documents):
        what = f"The rule {where} is empty: for Cilium it means nobody."
        yield Case(where, what, put(reference.documents, path, {}))


def peer_widened(reference: Reference) -> Iterator[Case]:
    """A peer without one of its labels, and without any."""
    for path, where in _rules(reference.documents):
        rule = at(reference.documents, path)
        for field in ("toEndpoints", "fromEndpoints"):
            for index, peer in enumerate(rule.get(field) or []):
                place = (*path, field, index)
                labels = peer.get("matchLabels") or {}
                for key in labels:
                    left = {k: v for k, v in labels.items() if k != key}
                    found = put(reference.documents, place, {"matchLabels": left} if left else {})
                    what = f"The peer {where}.{field}{index + 1} does not ask for {key}."
                    yield Case(f"{where}.{field}{index + 1}.{key}", what, found)
                name = f"{where}.{field}{index + 1}"
                found = put(reference.documents, place, {})
                yield Case(f"{name}.all", f"The peer {name} is empty: all pods.", found)


def names_wrong(reference: Reference) -> Iterator[Case]:
    """Names and patterns that are too wide, misspelt, or another."""
    for path, where in _rules(reference.documents):
        for index, item in enumerate(at(reference.documents, path).get("toFQDNs") or []):
            place, name = (*path, "toFQDNs", index), f"{where}.toFQDNs{index + 1}"
            for wrong in _names(item):
                text = next(iter(wrong.values()))
                what = f"{name} says {text} for {next(iter(item.values()))}."
                yield Case(f"{name}.{text}", what, put(reference.documents, place, wrong))
            more = [*at(reference.documents, (*path, "toFQDNs")), {"matchPattern": "*"}]
            found = put(reference.documents, (*path, "toFQDNs"), more)
            yield Case(f"{name}.every", f"{where} also lets every name pass.", found)


def look_left_out(reference: Reference) -> Iterator[Case]:
    """An entry without rules.dns: Cilium sees no lookups, so that allowed names open nothing."""
    for path, where in _entries(reference.documents):
        if (at(reference.documents, path).get("rules") or {}).get("dns"):
            found = cut(reference.documents, (*path, "rules"))
            what = f"{where} has no rules.dns: Cilium sees no lookup, so names open nothing."
            yield Case(where, what, found)


def look_elsewhere(reference: Reference) -> Iterator[Case]:
    """rules.dns with other names than the allowed ones: the lookups are refused."""
    for path, where in _entries(reference.documents):
        if (at(reference.documents, path).get("rules") or {}).get("dns"):
            for wrong in ("example.com", "*.cluster.local"):
                field = "matchPattern" if "*" in wrong else "matchName"
                found = put(reference.documents, (*path, "rules", "dns"), [{field: wrong}])
                what = f"The rules.dns of {where} pass on questions for {wrong} only."
                yield Case(f"{where}.{wrong}", what, found)


def ports_wrong(reference: Reference) -> Iterator[Case]:
    """Ports that are off by one, over one protocol, over another, too many, or one more."""
    for path, where in _entries(reference.documents):
        ports = at(reference.documents, path).get("ports") or []
        for index, port in enumerate(ports):
            name, place = f"{where}.{index + 1}", (*path, "ports", index)
            for slip, text, wrong in _ports(port):
                found = _at_ports(reference.documents, path, place, wrong)
                yield Case(f"{name}.{slip}", f"The port {name} {text}.", found)
            if len(ports) > 1:
                yield Case(
                    f"{name}.gone", f"The port {name} is missing.", cut(reference.documents, place)
                )
        more = [*ports, {"port": EXTRA, "protocol": "TCP"}]
        found = put(_unlooked(reference.documents, path), (*path, "ports"), more)
        yield Case(f"{where}.more", f"{where} also has TCP {EXTRA}, and no look at names.", found)


def no_isolation(reference: Reference) -> Iterator[Case]:
    """With enableDefaultDeny false: the rules only add, and everything stays open."""
    for number, document in _policies(reference.documents):
        for direction in PEERS:
            if document["spec"].get(direction):
                path = (number, "spec", "enableDefaultDeny")
                found = put(reference.documents, path, {direction: False})
                what = f"{name_of(document)} does not isolate for {direction}."
                yield Case(f"{name_of(document)}.{direction}", what, found)


def other_direction(reference: Reference) -> Iterator[Case]:
    """With a rule for the direction that nobody spoke of: it isolates there too."""
    for number, document in _policies(reference.documents):
        for direction in PEERS:
            if not document["spec"].get(direction):
                found = put(reference.documents, (number, "spec", direction), [{}])
                what = f"{name_of(document)} has an empty rule for {direction}, which isolates."
                yield Case(f"{name_of(document)}.{direction}", what, found)


def denied(reference: Reference) -> Iterator[Case]:
    """With a rule that denies what the others allow."""
    for path, where in _rules(reference.documents):
        rule = at(reference.documents, path)
        peers = {key: value for key, value in rule.items() if _is_peer(key) and "FQDN" not in key}
        if peers:
            field = (path[0], "spec", f"{path[2]}Deny")
            found = put(reference.documents, field, [peers])
            yield Case(where, f"A rule denies the peers that {where} allows.", found)


def _names(item: dict[str, Any]) -> Iterator[dict[str, str]]:
    name = str(next(iter(item.values())))
    rest = name.removeprefix("*.")
    yield {"matchPattern": "*"}
    yield {"matchPattern": f"*.{rest}"}
    yield {"matchPattern": f"*{rest}"}
    yield {"matchPattern": f"**.{rest}"}
    yield {"matchPattern": f"*.{rest.rpartition('.')[2]}"}
    yield {"matchName": misspelt(rest)}
    yield {"matchName": f"www.{rest}"}
    yield {"matchName": "example.com"}


def _ports(port: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    protocol, number = port.get("protocol", "ANY"), str(port["port"])
    if number.isdigit():
        for wrong in (int(number) - 1, int(number) + 1):
            yield f"{wrong}", f"is {wrong}, and {number} is meant", [{**port, "port": str(wrong)}]
        end = {**port, "endPort": min(int(number) + 10, LAST)}
        yield "wide", "has a range that is too wide", [end]
        yield "rest", "has a range to the last port", [{**port, "endPort": LAST}]
    other = OTHERS[protocol]
    yield other, f"says {other} for {protocol}", [{**port, "protocol": other}]
    for only in ("UDP", "TCP") if protocol == "ANY" else ():
        yield only, f"is for {only} only", [{**port, "protocol": only}]
    if protocol != "ANY":
        yield "any", "has no protocol, so it means all", [{"port": number}]
    yield "443-only", "is 443 over TCP", [{"port": "443", "protocol": "TCP"}]


def _at_ports(
    documents: Sequence[Document], path: Path, place: Path, wrong: list[dict[str, Any]]
) -> list[Document]:
    """The entry with another port; rules.dns may stand beside a port of names only."""
    found = put(documents, place, wrong[0])
    rules = at(found, path).get("rules") or {}
    if "dns" in rules and not _may_look(wrong[0]):
        return _unlooked(found, path)
    return found


def _may_look(port: dict[str, Any]) -> bool:
    return bool(port.get("protocol", "ANY") != "SCTP" and "endPort" not in port)


def _unlooked(documents: Sequence[Document], path: Path) -> list[Document]:
    return cut(documents, (*path, "rules")) if "rules" in at(documents, path) else list(documents)


def _without_look(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule whose toPorts do not look into the traffic."""
    copy = deepcopy(rule)
    for entry in copy.get("toPorts") or []:
        entry.pop("rules", None)
    return copy


def _is_peer(key: str) -> bool:
    return key.startswith(("to", "from")) and key != "toPorts"


def _policies(documents: Sequence[Document]) -> Iterator[tuple[int, Document]]:
    for number, document in enumerate(documents):
        if document.get("kind") in (CILIUM_POLICY, CLUSTERWIDE_POLICY) and "spec" in document:
            yield number, document


def _rules(documents: Sequence[Document]) -> Iterator[tuple[Path, str]]:
    for number, document in _policies(documents):
        for field in PEERS:
            for index, _ in enumerate(document["spec"].get(field) or []):
                where = f"{name_of(document)}.{field}{index + 1}"
                yield (number, "spec", field, index), where


def _entries(documents: Sequence[Document]) -> Iterator[tuple[Path, str]]:
    for path, where in _rules(documents):
        for index, _ in enumerate(at(documents, path).get("toPorts") or []):
            yield (*path, "toPorts", index), f"{where}.toPorts{index + 1}"
