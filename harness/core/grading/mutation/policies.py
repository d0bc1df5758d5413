"""Mistakes about a whole NetworkPolicy: its place, its pods, its directions."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from harness.core.grading.mutation.edits import (
    RULES,
    TYPES,
    Case,
    Reference,
    at,
    cut,
    is_deny,
    name_of,
    namespace_of,
    plain,
    put,
    renamed,
    types_of,
)

ELSEWHERE = "default"
BOTH = ("Ingress", "Egress")


def dropped(reference: Reference) -> Iterator[Case]:
    """Without one policy, of any kind."""
    for number, document in enumerate(reference.documents):
        name = name_of(document)
        what = "A default deny is missing" if is_deny(document) else "A policy is missing"
        yield Case(name, f"{what}: {name}.", cut(reference.documents, (number,)))


def moved(reference: Reference) -> Iterator[Case]:
    """In another namespace: the next one that has policies, else `default`."""
    spaces = reference.namespaces
    for number, document in enumerate(reference.documents):
        here = namespace_of(document)
        others = [space for space in spaces if space != here] or [ELSEWHERE]
        found = put(reference.documents, (number, "metadata", "namespace"), others[0])
        what = f"{name_of(document)} was written into the namespace {others[0]}."
        yield Case(name_of(document), what, renamed(found))


def selects_all(reference: Reference) -> Iterator[Case]:
    """With an empty podSelector: every pod of the namespace gets the rules."""
    documents = reference.documents
    for number in plain(documents):
        if _chooses(documents[number]["spec"].get("podSelector")):
            name = name_of(documents[number])
            what = f"The podSelector of {name} is empty, so that every pod gets its rules."
            yield Case(name, what, put(documents, (number, "spec", "podSelector"), {}))


def selects_peer(reference: Reference) -> Iterator[Case]:
    """On the wrong end: the policy selects its peer, and its peer is who it should select."""
    documents = reference.documents
    for number in plain(documents):
        spec = documents[number]["spec"]
        for field, peers in RULES.items():
            for index, rule in enumerate(spec.get(field) or []):
                for place, peer in enumerate(rule.get(peers) or []):
                    if not (peer.get("podSelector") and spec.get("podSelector")):
                        continue
                    path = (number, "spec", field, index, peers, place, "podSelector")
                    found = put(documents, path, spec["podSelector"])
                    found = put(found, (number, "spec", "podSelector"), peer["podSelector"])
                    name = name_of(documents[number])
                    what = f"{name} selects the pods that should be its peers, and the reverse."
                    yield Case(f"{name}.{field}{index + 1}", what, found)


def type_missing(reference: Reference) -> Iterator[Case]:
    """With policyTypes shortened by one direction of two."""
    documents = reference.documents
    for number in plain(documents):
        types = types_of(documents[number]["spec"])
        for gone in types if len(types) > 1 else ():
            left = [one for one in types if one != gone]
            name = name_of(documents[number])
            found = put(documents, (number, "spec", "policyTypes"), left)
            yield Case(f"{name}.{gone}", f"The policyTypes of {name} leave out {gone}.", found)


def type_wrong(reference: Reference) -> Iterator[Case]:
    """With the other direction in policyTypes; its rules stay and do nothing."""
    documents = reference.documents
    for number in plain(documents):
        types = types_of(documents[number]["spec"])
        if len(types) == 1:
            other = next(one for one in BOTH if one not in types)
            name = name_of(documents[number])
            found = put(documents, (number, "spec", "policyTypes"), [other])
            yield Case(
                name, f"The policyTypes of {name} say {other} in place of {types[0]}.", found
            )


def type_extra(reference: Reference) -> Iterator[Case]:
    """With both directions in policyTypes, where one has rules: the other one is shut."""
    documents = reference.documents
    for number in plain(documents):
        if len(types_of(documents[number]["spec"])) == 1:
            name = name_of(documents[number])
            found = put(documents, (number, "spec", "policyTypes"), list(BOTH))
            yield Case(name, f"The policyTypes of {name} say both directions.", found)


def types_left_out(reference: Reference) -> Iterator[Case]:
    """Without policyTypes, where the API server infers others than were meant."""
    documents = reference.documents
    for number in plain(documents):
        spec = documents[number]["spec"]
        bare = {key: value for key, value in spec.items() if key != "policyTypes"}
        if "policyTypes" in spec and set(types_of(bare)) != set(types_of(spec)):
            name = name_of(documents[number])
            what = f"{name} has no policyTypes, and the API server infers {types_of(bare)}."
            yield Case(name, what.replace("'", ""), put(documents, (number, "spec"), bare))


def opened(reference: Reference) -> Iterator[Case]:
    """With an empty rule, which lets everything pass, in place of the rules of a direction."""
    documents = reference.documents
    for number in plain(documents):
        for field, kind in TYPES.items():
            if kind in types_of(documents[number]["spec"]):
                name = name_of(documents[number])
                found = put(documents, (number, "spec", field), [{}])
                yield Case(f"{name}.{field}", f"{name} has an empty rule for {field}.", found)


def turned(reference: Reference) -> Iterator[Case]:
    """With the rules of the wrong direction: `ingress` with `from` for `egress` with `to`."""
    documents = reference.documents
    for number in plain(documents):
        spec = deepcopy(documents[number]["spec"])
        types = types_of(spec)
        if len(types) != 1 or is_deny(documents[number]):
            continue
        here, there = ("ingress", "egress") if "Ingress" in types else ("egress", "ingress")
        rules = spec.pop(here, None) or []
        for rule in rules:
            if RULES[here] in rule:
                rule[RULES[there]] = rule.pop(RULES[here])
        spec |= {there: rules, "policyTypes": [TYPES[there]]}
        name = name_of(documents[number])
        what = f"The {here} rules of {name} were written as {there}."
        yield Case(name, what, put(documents, (number, "spec"), spec))


def same_name(reference: Reference) -> Iterator[Case]:
    """Two policies of one namespace with one name: the later one replaces the earlier one."""
    documents = reference.documents
    for number in range(1, len(documents)):
        for before in range(number):
            first, second = documents[before], documents[number]
            alike = first.get("kind") == second.get("kind")
            if alike and namespace_of(first) == namespace_of(second):
                name = at(documents, (before, "metadata", "name"))
                found = put(documents, (number, "metadata", "name"), name)
                what = f"{name_of(second)} has the name of {name_of(first)}, and replaces it."
                yield Case(name_of(second), what, found)
                break


def _chooses(selector: object) -> bool:
    return isinstance(selector, dict) and any(selector.values())
