"""Mistakes that the API server refuses: nothing is applied, so that nothing can be right."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.grading.mutation.edits import (
    Case,
    Reference,
    at,
    cut,
    name_of,
    plain,
    ports_of,
    put,
    rules_of,
)
from harness.core.grading.mutation.labels import misspelt


def field_misspelt(reference: Reference) -> Iterator[Case]:
    """A field of the first policy's spec with two letters exchanged."""
    for number, document in list(enumerate(reference.documents))[:1]:
        for field in sorted(document.get("spec") or {}):
            found = cut(reference.documents, (number, "spec", field))
            found = put(found, (number, "spec", misspelt(field)), document["spec"][field])
            where = f"{name_of(document)}.{field}"
            yield Case(where, f"The field {where} is written {misspelt(field)}.", found)


def port_quoted(reference: Reference) -> Iterator[Case]:
    """A number in quotes is a name for the API, and names have a letter."""
    for path, where in list(ports_of(reference.documents))[:1]:
        entry = at(reference.documents, path)
        if isinstance(entry.get("port"), int) and "endPort" not in entry:
            found = put(reference.documents, (*path, "port"), str(entry["port"]))
            yield Case(where, f"The port of {where} is in quotes, so it is a name.", found)


def protocol_small(reference: Reference) -> Iterator[Case]:
    """A protocol in small letters."""
    for path, where in list(ports_of(reference.documents))[:1]:
        found = put(reference.documents, (*path, "protocol"), "tcp")
        yield Case(where, f"The protocol of {where} is in small letters.", found)


def peer_empty(reference: Reference) -> Iterator[Case]:
    """A peer with nothing in it, which the API refuses in a NetworkPolicy."""
    for path, where in list(rules_of(reference.documents))[:1]:
        field = "from" if path[2] == "ingress" else "to"
        found = put(reference.documents, (*path, field), [{}])
        yield Case(where, f"The rule {where} has a peer with nothing in it.", found)


def version_old(reference: Reference) -> Iterator[Case]:
    """An apiVersion that is served no more."""
    for number in list(plain(reference.documents))[:1]:
        found = put(reference.documents, (number, "apiVersion"), "extensions/v1beta1")
        name = name_of(reference.documents[number])
        yield Case(name, f"{name} has an apiVersion that is served no more.", found)


def type_misspelt(reference: Reference) -> Iterator[Case]:
    """A policyType in small letters."""
    for number in list(plain(reference.documents))[:1]:
        found = put(reference.documents, (number, "spec", "policyTypes"), ["ingress"])
        name = name_of(reference.documents[number])
        yield Case(name, f"A policyType of {name} is in small letters.", found)
