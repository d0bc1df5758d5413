"""Mistakes about the ports of a NetworkPolicy's rules."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.grading.mutation.edits import (
    Case,
    Reference,
    at,
    cut,
    ports_of,
    put,
    rules_of,
)

LAST = 65_535
SPAN = 10
OTHER = {"TCP": "UDP", "UDP": "TCP", "SCTP": "TCP"}
EXTRA = 8443


def left_out(reference: Reference) -> Iterator[Case]:
    """A rule without `ports`: every port."""
    for path, where in rules_of(reference.documents):
        if at(reference.documents, path).get("ports"):
            found = cut(reference.documents, (*path, "ports"))
            yield Case(where, f"The rule {where} has no ports, so it means every port.", found)


def dropped(reference: Reference) -> Iterator[Case]:
    """Without one port of several: UDP only, TCP only."""
    for path, where in ports_of(reference.documents):
        if len(at(reference.documents, path[:-1])) > 1:
            yield Case(where, f"The entry {where} is missing.", cut(reference.documents, path))


def protocol_wrong(reference: Reference) -> Iterator[Case]:
    """A port over the other protocol."""
    for path, where in ports_of(reference.documents):
        protocol = at(reference.documents, path).get("protocol", "TCP")
        found = put(reference.documents, (*path, "protocol"), OTHER[protocol])
        yield Case(where, f"The entry {where} says {OTHER[protocol]} for {protocol}.", found)


def protocol_left_out(reference: Reference) -> Iterator[Case]:
    """A port without its protocol, where that is not TCP."""
    for path, where in ports_of(reference.documents):
        if at(reference.documents, path).get("protocol", "TCP") != "TCP":
            found = cut(reference.documents, (*path, "protocol"))
            yield Case(where, f"The entry {where} has no protocol, so it means TCP.", found)


def number_left_out(reference: Reference) -> Iterator[Case]:
    """A protocol without its port: every port of it."""
    for path, where in ports_of(reference.documents):
        entry = at(reference.documents, path)
        if "port" in entry:
            bare = {"protocol": entry.get("protocol", "TCP")}
            what = f"The entry {where} has no port, so it means every port of its protocol."
            yield Case(where, what, put(reference.documents, path, bare))


def number_wrong(reference: Reference) -> Iterator[Case]:
    """A port that is off by one."""
    for path, where in ports_of(reference.documents):
        number = at(reference.documents, path).get("port")
        for wrong in (number - 1, number + 1) if isinstance(number, int) else ():
            if 1 <= wrong <= LAST:
                found = put(reference.documents, (*path, "port"), wrong)
                what = f"The port of {where} is {wrong}, and {number} is meant."
                yield Case(f"{where}.{wrong}", what, found)


def of_service(reference: Reference) -> Iterator[Case]:
    """The port of a Service, where its pods listen on another one: policies see the pods' port."""
    pairs = {
        (port.target, port.port)
        for service in reference.topology.services.values()
        for port in service.ports
        if isinstance(port.target, int) and port.target not in (0, port.port)
    }
    for path, where in ports_of(reference.documents):
        number = at(reference.documents, path).get("port")
        for target, port in sorted(pairs):
            if target == number:
                found = put(reference.documents, (*path, "port"), port)
                yield Case(f"{where}.{port}", f"{where} names the Service's port {port}.", found)


def too_many(reference: Reference) -> Iterator[Case]:
    """A range that is too wide: a few ports more, and all ports from there."""
    for path, where in ports_of(reference.documents):
        entry = at(reference.documents, path)
        number = entry.get("port")
        if not isinstance(number, int):
            continue
        for end in (min(number + SPAN, LAST), LAST):
            if end > entry.get("endPort", number):
                found = put(reference.documents, (*path, "endPort"), end)
                yield Case(f"{where}.{end}", f"The range of {where} ends at {end}.", found)
        found = put(reference.documents, path, {**entry, "port": 1, "endPort": LAST})
        yield Case(f"{where}.all", f"The range of {where} is all ports.", found)


def one_more(reference: Reference) -> Iterator[Case]:
    """One more port, which nobody asked for."""
    for path, where in rules_of(reference.documents):
        if ports := at(reference.documents, path).get("ports"):
            more = {"protocol": "TCP", "port": EXTRA}
            found = put(reference.documents, (*path, "ports"), [*ports, more])
            yield Case(where, f"The rule {where} also lets TCP {EXTRA} pass.", found)


def name_wrong(reference: Reference) -> Iterator[Case]:
    """A port by a name that no container gives it."""
    for path, where in ports_of(reference.documents):
        if "endPort" not in at(reference.documents, path):
            found = put(reference.documents, (*path, "port"), "no-such-port")
            what = f"{where} names its port no-such-port, which no container has."
            yield Case(where, what, found)
