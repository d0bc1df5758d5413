"""Mistakes about a solution as a whole: a kind of policy that is missing, or too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from harness.core.grading.mutation.edits import (
    RULES,
    TYPES,
    Case,
    Document,
    Reference,
    edited,
    is_deny,
    plain,
    policy,
    renamed,
    types_of,
)

DNS_PORT = 53


def nothing(reference: Reference) -> Iterator[Case]:
    """No policy at all."""
    if reference.documents:
        yield Case("all", "There is no policy at all.", [])


def only_denies(reference: Reference) -> Iterator[Case]:
    """Only the policies that deny by default."""
    yield from _kept(reference, is_deny, "Only the default deny is there, and nothing is allowed.")


def no_denies(reference: Reference) -> Iterator[Case]:
    """Everything but the policies that deny by default."""
    what = "No namespace denies by default."
    yield from _kept(reference, lambda document: not is_deny(document), what)


def one_direction(reference: Reference) -> Iterator[Case]:
    """Every policy for one direction only: a student forgot the other one altogether."""
    for field, kind in TYPES.items():
        found = [
            document
            for document in edited(reference.documents, _only(field))
            if (document.get("spec") or {}).get("policyTypes") != []
        ]
        what = f"Only {field} is thought of: there is no policy for the other direction."
        yield Case(f"{kind}-only", what, found)


def half_paths(reference: Reference) -> Iterator[Case]:
    """No rule of one direction, with both denied: every path is open at one end only."""
    for field in RULES:

        def shut(document: Document, field: str = field) -> None:
            if TYPES[field] in types_of(document.get("spec") or {}):
                document["spec"].pop(field, None)

        if any((d.get("spec") or {}).get(field) for d in reference.documents):
            found = _of_plain(reference, shut)
            yield Case(field, f"No policy has a rule for {field}, and {field} is denied.", found)


def one_protocol(reference: Reference) -> Iterator[Case]:
    """Every rule for name servers over one protocol of two."""
    for gone in ("UDP", "TCP"):

        def less(document: Document, gone: str = gone) -> None:
            for rule in (document.get("spec") or {}).get("egress") or []:
                ports = rule.get("ports") or []
                left = [port for port in ports if not _asks_names(port, gone)]
                if left:
                    rule["ports"] = left

        yield Case(
            f"no-{gone}",
            f"No policy lets pods ask name servers over {gone}.",
            _of_plain(reference, less),
        )


def no_names(reference: Reference) -> Iterator[Case]:
    """No rule for name servers."""

    def without(document: Document) -> None:
        rules = (document.get("spec") or {}).get("egress")
        if rules:
            document["spec"]["egress"] = [rule for rule in rules if not _for_names(rule)]

    yield Case("all", "No pod may ask the name servers.", _of_plain(reference, without))


def no_ports(reference: Reference) -> Iterator[Case]:
    """No rule names a port: right pods, any port."""

    def without(document: Document) -> None:
        for _, rule in _rules(document):
            rule.pop("ports", None)

    yield Case("all", "No rule names its ports.", _of_plain(reference, without))


def no_peers(reference: Reference) -> Iterator[Case]:
    """No rule names its peers: right ports, anybody."""

    def without(document: Document) -> None:
        for field, rule in _rules(document):
            rule.pop(RULES[field], None)

    yield Case("all", "No rule names its peers.", _of_plain(reference, without))


def also_open(reference: Reference) -> Iterator[Case]:
    """One more policy that opens a namespace, as people add it in order to debug."""
    for space in reference.namespaces:
        for field, kind in TYPES.items():
            spec: dict[str, Any] = {"podSelector": {}, "policyTypes": [kind], field: [{}]}
            extra = policy(space, "allow-all", spec)
            what = f"One more policy opens all {field} of {space}."
            yield Case(f"{space}.{field}", what, renamed([*reference.documents, extra]))


def also_inside(reference: Reference) -> Iterator[Case]:
    """One more policy that lets all pods of a namespace talk to each other."""
    for space in reference.namespaces:
        spec = {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}]}],
            "egress": [{"to": [{"podSelector": {}}]}],
        }
        extra = policy(space, "allow-same-namespace", spec)
        what = f"One more policy lets all pods of {space} talk to each other."
        yield Case(space, what, renamed([*reference.documents, extra]))


def also_shut(reference: Reference) -> Iterator[Case]:
    """One more policy that isolates a namespace in one direction, where it may have been open."""
    for space in reference.namespaces:
        for field, kind in TYPES.items():
            extra = policy(space, "deny-more", {"podSelector": {}, "policyTypes": [kind]})
            what = f"One more policy denies {field} to all pods of {space} by default."
            yield Case(f"{space}.{field}", what, renamed([*reference.documents, extra]))


def _kept(reference: Reference, keep: Callable[[Document], bool], what: str) -> Iterator[Case]:
    left = [document for document in reference.documents if keep(document)]
    if left:
        yield Case("all", what, left)


def _only(field: str) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        if not list(plain([document])):
            return
        spec = document["spec"]
        spec["policyTypes"] = [kind for kind in types_of(spec) if kind == TYPES[field]]
        for other in RULES.keys() - {field}:
            spec.pop(other, None)

    return edit


def _of_plain(reference: Reference, edit: Callable[[Document], None]) -> list[Document]:
    return edited(reference.documents, lambda d: edit(d) if list(plain([d])) else None)


def _rules(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    for field in RULES:
        for rule in document["spec"].get(field) or []:
            yield field, rule


def _asks_names(port: dict[str, Any], protocol: str) -> bool:
    return port.get("port") == DNS_PORT and port.get("protocol", "TCP") == protocol


def _for_names(rule: dict[str, Any]) -> bool:
    return any(port.get("port") == DNS_PORT for port in rule.get("ports") or [])
