"""The same behaviour written in other ways: no grader may take points for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from harness.core.grading.mutation.edits import (
    RULES,
    TYPES,
    Document,
    Reference,
    edited,
    is_deny,
    namespace_of,
    plain,
    policy,
    renamed,
    types_of,
)
from harness.core.manifests.networkpolicy import selector
from harness.core.model import NETWORK_POLICY, Pod
from harness.core.policy.selectors import NAME_LABEL, selects

Same = Callable[[Reference], Sequence[Document]]


def as_is(reference: Reference) -> Sequence[Document]:
    """The reference itself."""
    return reference.documents


def reversed_(reference: Reference) -> Sequence[Document]:
    """Policies, rules, peers, ports and policyTypes in the reverse order."""

    def edit(document: Document) -> None:
        spec = document["spec"]
        if "policyTypes" in spec:
            spec["policyTypes"].reverse()
        for field, rule in _rules(document):
            rule.get(RULES[field], []).reverse()
            rule.get("ports", []).reverse()
        for field in RULES:
            spec.get(field, []).reverse()

    return _of_plain(reference, edit)[::-1]


def other_names(reference: Reference) -> Sequence[Document]:
    """Every policy with another name."""
    found = deepcopy(list(reference.documents))
    for number, document in enumerate(found, 1):
        document["metadata"]["name"] = f"my-policy-{number}"
    return found


def with_metadata(reference: Reference) -> Sequence[Document]:
    """With labels and annotations, which decide nothing."""
    found = deepcopy(list(reference.documents))
    for document in found:
        document["metadata"]["labels"] = {"app.kubernetes.io/part-of": "my-homework"}
        document["metadata"]["annotations"] = {"example.com/note": "written by me, on a Sunday"}
    return found


def expressions(reference: Reference) -> Sequence[Document]:
    """Every label as an expression with In."""
    return edited(reference.documents, lambda d: _each_selector(d, _as_expressions))


def labels(reference: Reference) -> Sequence[Document]:
    """Every expression with In and one value as a label."""
    return edited(reference.documents, lambda d: _each_selector(d, _as_labels))


def also_exists(reference: Reference) -> Sequence[Document]:
    """Every label also asked for with Exists, which adds nothing."""
    return edited(reference.documents, lambda d: _each_selector(d, _also_exists))


def empty_words(reference: Reference) -> Sequence[Document]:
    """Empty selectors as empty matchLabels, and directions without rules as empty lists."""

    def edit(document: Document) -> None:
        spec = document["spec"]
        spec["podSelector"] = spec.get("podSelector") or {"matchLabels": {}}
        for field, kind in TYPES.items():
            if kind in types_of(spec):
                spec.setdefault("policyTypes", list(types_of(spec)))
                spec.setdefault(field, [])

    return _of_plain(reference, edit)


def merged(reference: Reference) -> Sequence[Document]:
    """One policy for all policies of a namespace with the same podSelector."""
    mine = [document for document in reference.documents if document["kind"] == NETWORK_POLICY]
    rest = [document for document in reference.documents if document["kind"] != NETWORK_POLICY]
    alike: dict[str, list[Document]] = {}
    for document in mine:
        key = f"{namespace_of(document)} {document['spec'].get('podSelector') or {}}"
        alike.setdefault(key, []).append(document)
    return [*(_merged(found) for found in alike.values()), *deepcopy(rest)]


def split(reference: Reference) -> Sequence[Document]:
    """A policy for each rule, and for each direction that has none."""
    found: list[Document] = []
    for document in reference.documents:
        if document["kind"] != NETWORK_POLICY:
            found.append(deepcopy(document))
            continue
        spec = document["spec"]
        for field, kind in TYPES.items():
            if kind not in types_of(spec):
                continue
            for rules in [[rule] for rule in spec.get(field) or []] or [[]]:
                part = {"podSelector": spec.get("podSelector") or {}, "policyTypes": [kind]}
                if rules:
                    part[field] = rules
                name = document["metadata"]["name"]
                found.append(policy(namespace_of(document), name, part))
    return renamed(found)


def rule_each(reference: Reference) -> Sequence[Document]:
    """A rule for each peer and each port."""

    def edit(document: Document) -> None:
        for field in RULES:
            if rules := document["spec"].get(field):
                document["spec"][field] = [part for rule in rules for part in _parts(rule, field)]

    return _of_plain(reference, edit)


def without_tcp(reference: Reference) -> Sequence[Document]:
    """Without the protocol where it is TCP, which is the default."""

    def edit(document: Document) -> None:
        for _, rule in _rules(document):
            for port in rule.get("ports") or []:
                if port.get("protocol") == "TCP" and len(port) > 1:
                    del port["protocol"]

    return _of_plain(reference, edit)


def with_end(reference: Reference) -> Sequence[Document]:
    """Every port as a range of one."""

    def edit(document: Document) -> None:
        for _, rule in _rules(document):
            for port in rule.get("ports") or []:
                if isinstance(port.get("port"), int):
                    port.setdefault("endPort", port["port"])

    return _of_plain(reference, edit)


def without_types(reference: Reference) -> Sequence[Document]:
    """Without policyTypes where the API server infers the same."""

    def edit(document: Document) -> None:
        spec = document["spec"]
        bare = {key: value for key, value in spec.items() if key != "policyTypes"}
        if set(types_of(bare)) == set(types_of(spec)):
            spec.pop("policyTypes", None)

    return _of_plain(reference, edit)


def with_types(reference: Reference) -> Sequence[Document]:
    """With policyTypes where the API server would infer them."""

    def edit(document: Document) -> None:
        document["spec"]["policyTypes"] = list(types_of(document["spec"]))

    return _of_plain(reference, edit)


def named_space(reference: Reference) -> Sequence[Document]:
    """Peers of the policy's own namespace with that namespace's name written out."""

    def edit(document: Document) -> None:
        home = {"matchLabels": {NAME_LABEL: namespace_of(document)}}
        for field, rule in _rules(document):
            for peer in rule.get(RULES[field]) or []:
                if peer.keys() == {"podSelector"}:
                    peer["namespaceSelector"] = deepcopy(home)

    return _of_plain(reference, edit)


def value_each(reference: Reference) -> Sequence[Document]:
    """A peer for each value of an expression with In, in place of one peer for all."""

    def edit(document: Document) -> None:
        for field, rule in _rules(document):
            if peers := rule.get(RULES[field]):
                rule[RULES[field]] = [part for peer in peers for part in _values(peer)]

    return _of_plain(reference, edit)


def policy_each(reference: Reference) -> Sequence[Document]:
    """A policy for each value of an expression with In in the podSelector."""
    found: list[Document] = []
    for document in reference.documents:
        own = (document.get("spec") or {}).get("podSelector")
        for part in _values({"podSelector": own}) if own else [{}]:
            copy = deepcopy(document)
            if part:
                copy["spec"]["podSelector"] = part["podSelector"]
            found.append(copy)
    return renamed(found)


def twice(reference: Reference) -> Sequence[Document]:
    """Every policy twice, under two names."""
    return renamed([*reference.documents, *reference.documents])


def denies_more(reference: Reference) -> Sequence[Document]:
    """A policy that denies, once more, what a policy with the same podSelector denies already."""
    found = list(reference.documents)
    for number in plain(reference.documents):
        document = reference.documents[number]
        spec = document["spec"]
        bare = {"podSelector": spec.get("podSelector") or {}, "policyTypes": list(types_of(spec))}
        name = f"{document['metadata']['name']}-deny"
        found.append(policy(namespace_of(document), name, bare))
    return renamed(found)


def denies_apart(reference: Reference) -> Sequence[Document]:
    """The policies that deny by default as one for each direction, and behind all others."""
    denies = [document for document in reference.documents if is_deny(document)]
    others = [document for document in reference.documents if not is_deny(document)]
    parts = [
        policy(
            namespace_of(document),
            f"{document['metadata']['name']}-{kind.lower()}",
            {"podSelector": document["spec"].get("podSelector") or {}, "policyTypes": [kind]},
        )
        for document in denies
        for kind in types_of(document["spec"])
    ]
    return renamed([*deepcopy(others), *parts])


def by_name(reference: Reference) -> Sequence[Document]:
    """Ports by their name, where every pod that is meant gives it the same one."""

    def edit(document: Document) -> None:
        for field, rule in _rules(document):
            meant = _meant(reference, document, field, rule)
            for port in rule.get("ports") or []:
                if name := _name(meant, port.get("port"), port.get("protocol", "TCP")):
                    port["port"] = name
                    port.pop("endPort", None)

    return _of_plain(reference, edit)


def _meant(reference: Reference, document: Document, field: str, rule: dict[str, Any]) -> list[Pod]:
    """The pods that receive by a rule; none if they cannot be told one by one."""
    home = namespace_of(document)
    if field == "ingress":
        own = selector(document["spec"].get("podSelector"))
        return [p for p in reference.pods() if p.namespace == home and selects(own, p.labels)]
    found: list[Pod] = []
    for peer in rule.get("to") or [{"ipBlock": {}}]:
        if "ipBlock" in peer:
            return []
        chosen, spaces = selector(peer.get("podSelector")), peer.get("namespaceSelector")
        for pod in reference.pods():
            space = reference.topology.namespaces.get(pod.namespace)
            labels = {NAME_LABEL: pod.namespace, **(space.labels if space else {})}
            there = pod.namespace == home if spaces is None else selects(selector(spaces), labels)
            found += [pod] if there and selects(chosen, pod.labels) else []
    return found


def _name(pods: Sequence[Pod], number: object, protocol: str) -> str:
    """The name that all these pods give a port, and no other port; empty if there is none."""
    names = {
        tuple(p.name for p in pod.ports if (p.number, p.protocol) == (number, protocol))
        for pod in pods
    }
    alike = names.pop() if len(names) == 1 else ()
    if len(alike) != 1:
        return ""
    numbers = {(p.number, p.protocol) for pod in pods for p in pod.ports if p.name == alike[0]}
    return alike[0] if len(numbers) == 1 else ""


def _merged(documents: Sequence[Document]) -> Document:
    first = documents[0]
    spec: dict[str, Any] = {"podSelector": first["spec"].get("podSelector") or {}}
    kinds = [kind for document in documents for kind in types_of(document["spec"])]
    spec["policyTypes"] = [kind for kind in TYPES.values() if kind in kinds]
    for field, kind in TYPES.items():
        rules = [
            rule
            for document in documents
            if kind in types_of(document["spec"])
            for rule in document["spec"].get(field) or []
        ]
        if rules:
            spec[field] = rules
    return policy(namespace_of(first), first["metadata"]["name"], spec)


def _parts(rule: dict[str, Any], field: str) -> Iterator[dict[str, Any]]:
    for peer in rule.get(RULES[field]) or [None]:
        for port in rule.get("ports") or [None]:
            part = {RULES[field]: [peer]} if peer is not None else {}
            yield {**part, **({"ports": [port]} if port is not None else {})}


def _values(peer: dict[str, Any]) -> list[dict[str, Any]]:
    """The peer, or a copy for each value of its first expression with In and several values."""
    for index, one in enumerate((peer.get("podSelector") or {}).get("matchExpressions") or []):
        if one["operator"] == "In" and len(one["values"]) > 1:
            copies = []
            for value in one["values"]:
                copy = deepcopy(peer)
                copy["podSelector"]["matchExpressions"][index]["values"] = [value]
                copies.append(copy)
            return copies
    return [peer]


def _of_plain(reference: Reference, edit: Callable[[Document], None]) -> list[Document]:
    return edited(reference.documents, lambda d: edit(d) if list(plain([d])) else None)


def _rules(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    for field in RULES:
        for rule in document["spec"].get(field) or []:
            yield field, rule


_SELECTORS = ("podSelector", "namespaceSelector", "endpointSelector")


def _each_selector(value: Any, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edit every selector inside of a value, in place."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key in _SELECTORS and isinstance(part, dict):
                edit(part)
            elif key in ("toEndpoints", "fromEndpoints"):
                for one in part:
                    edit(one)
            else:
                _each_selector(part, edit)
    elif isinstance(value, list):
        for part in value:
            _each_selector(part, edit)


def _as_expressions(body: dict[str, Any]) -> None:
    asked = body.pop("matchLabels", None) or {}
    more = [{"key": key, "operator": "In", "values": [asked[key]]} for key in sorted(asked)]
    if more:
        body["matchExpressions"] = [*(body.get("matchExpressions") or []), *more]


def _also_exists(body: dict[str, Any]) -> None:
    asked = body.get("matchLabels") or {}
    more = [{"key": key, "operator": "Exists"} for key in sorted(asked)]
    if more:
        body["matchExpressions"] = [*(body.get("matchExpressions") or []), *more]


def _as_labels(body: dict[str, Any]) -> None:
    asked = body.get("matchExpressions") or []
    single = [one for one in asked if one["operator"] == "In" and len(one["values"]) == 1]
    keys = {one["key"] for one in single} & (body.get("matchLabels") or {}).keys()
    for one in single:
        if one["key"] not in keys and len([o for o in single if o["key"] == one["key"]]) == 1:
            body.setdefault("matchLabels", {})[one["key"]] = one["values"][0]
            asked.remove(one)
    if not asked:
        body.pop("matchExpressions", None)
