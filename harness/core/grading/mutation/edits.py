"""Documents changed at one place: the ground on which the rules of variants stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from harness.core.model import NETWORK_POLICY, Pod, Topology

Document = dict[str, Any]
Path = tuple[str | int, ...]
"""Where a value stands: the number of its document, then keys and numbers."""
RULES = {"ingress": "from", "egress": "to"}
"""The fields of a NetworkPolicy that have rules, and where each has its peers."""
TYPES = {"ingress": "Ingress", "egress": "Egress"}


@dataclass(frozen=True, slots=True)
class Reference:
    """What variants are made from: the documents of the policies, and the pods they are for."""

    documents: tuple[Document, ...]
    topology: Topology

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that have a policy, in order of appearance."""
        return tuple(dict.fromkeys(namespace_of(document) for document in self.documents))

    def values(self, key: str) -> tuple[str, ...]:
        """The values that pods have for a label, sorted."""
        return tuple(sorted({p.labels[key] for p in self.pods() if key in p.labels}))

    def pods(self) -> Iterator[Pod]:
        """The pods of the workloads, in the order of their names."""
        return (pod for _, pod in sorted(self.topology.pods.items()))


@dataclass(frozen=True, slots=True)
class Case:
    """A changed set of documents: where it was changed (for a name), and what is wrong there."""

    where: str
    what: str
    documents: Sequence[Document]


Maker = Callable[[Reference], Iterator[Case]]


def namespace_of(document: Mapping[str, Any]) -> str:
    """The namespace that a document states; empty if it states none."""
    return str((document.get("metadata") or {}).get("namespace") or "")


def name_of(document: Mapping[str, Any]) -> str:
    """The document's name as NAMESPACE/NAME."""
    name = str((document.get("metadata") or {}).get("name") or "")
    return f"{namespace_of(document)}/{name}"


def at(documents: Sequence[Any], path: Path) -> Any:
    """The value at a path."""
    found: Any = documents
    for step in path:
        found = found[step]
    return found


def put(documents: Sequence[Document], path: Path, value: object) -> list[Document]:
    """A copy with another value at a path; the place before the last step must be there."""
    copy = deepcopy(list(documents))
    at(copy, path[:-1])[path[-1]] = deepcopy(value)
    return copy


def cut(documents: Sequence[Document], path: Path) -> list[Document]:
    """A copy without the value at a path."""
    copy = deepcopy(list(documents))
    del at(copy, path[:-1])[path[-1]]
    return copy


def edited(documents: Sequence[Document], edit: Callable[[Document], None]) -> list[Document]:
    """A copy of which every document was edited in place."""
    copy = deepcopy(list(documents))
    for document in copy:
        edit(document)
    return copy


def plain(documents: Sequence[Document]) -> Iterator[int]:
    """The numbers of the documents that are NetworkPolicies."""
    return (n for n, document in enumerate(documents) if document.get("kind") == NETWORK_POLICY)


def rules_of(documents: Sequence[Document]) -> Iterator[tuple[Path, str]]:
    """Each rule of the NetworkPolicies: its path, and words for it."""
    for number in plain(documents):
        spec = documents[number]["spec"]
        for field in RULES:
            for index, _ in enumerate(spec.get(field) or []):
                where = f"{name_of(documents[number])}.{field}{index + 1}"
                yield (number, "spec", field, index), where


def peers_of(documents: Sequence[Document]) -> Iterator[tuple[Path, str]]:
    """Each peer of the NetworkPolicies: its path, and words for it."""
    for path, where in rules_of(documents):
        field = RULES[str(path[2])]
        for index, _ in enumerate(at(documents, path).get(field) or []):
            yield (*path, field, index), f"{where}.{field}{index + 1}"


def ports_of(documents: Sequence[Document]) -> Iterator[tuple[Path, str]]:
    """Each entry of `ports` of the NetworkPolicies: its path, and words for it."""
    for path, where in rules_of(documents):
        for index, _ in enumerate(at(documents, path).get("ports") or []):
            yield (*path, "ports", index), f"{where}.port{index + 1}"


def selectors_of(documents: Sequence[Document]) -> Iterator[tuple[Path, str]]:
    """Each selector of the NetworkPolicies: of the policy itself and of its peers."""
    for number in plain(documents):
        if "podSelector" in documents[number]["spec"]:
            yield (number, "spec", "podSelector"), f"{name_of(documents[number])}.podSelector"
    for path, where in peers_of(documents):
        for key in ("podSelector", "namespaceSelector"):
            if key in at(documents, path):
                yield (*path, key), f"{where}.{key}"


def is_deny(document: Mapping[str, Any]) -> bool:
    """Whether a NetworkPolicy has no rule: it denies by default."""
    spec = document.get("spec") or {}
    rules = [*(spec.get("ingress") or []), *(spec.get("egress") or [])]
    return document.get("kind") == NETWORK_POLICY and not rules


def types_of(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The policyTypes of a NetworkPolicy, with the API server's default."""
    if spec.get("policyTypes"):
        return tuple(spec["policyTypes"])
    return ("Ingress", "Egress") if spec.get("egress") else ("Ingress",)


def policy(namespace: str, name: str, spec: Mapping[str, Any]) -> Document:
    """A NetworkPolicy."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": NETWORK_POLICY,
        "metadata": {"name": name, "namespace": namespace},
        "spec": deepcopy(dict(spec)),
    }


def renamed(documents: Iterable[Document]) -> list[Document]:
    """A copy in which no two documents are the same object: later ones get a number."""
    seen: dict[tuple[str, str], int] = {}
    copy = [deepcopy(document) for document in documents]  # each its own, also one that is twice
    for document in copy:
        key = (str(document.get("kind")), name_of(document))
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            document["metadata"]["name"] += f"-{seen[key]}"
    return copy
