"""Where the parts of a policy stand in its file, and where a namespace or a pod is declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.lint.finding import Spot
from harness.core.manifests.ciliumrules import EGRESS_PEERS, INGRESS_PEERS
from harness.core.manifests.reader import Resource
from harness.core.manifests.text.documents import Document, FieldPath, dotted
from harness.core.model import NETWORK_POLICY, Direction, NetworkPolicy

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A policy as its file has it. `spec` is the way to its spec: `spec`, or one of `specs`."""

    policy: NetworkPolicy
    resource: Resource
    spec: FieldPath = ("spec",)

    @property
    def body(self) -> Body:
        """The spec as it is written."""
        found: Any = self.resource.body
        for step in self.spec:
            found = found[step] or {}
        return found if isinstance(found, Mapping) else {}

    def at(self, *path: str | int) -> Spot:
        """A field below the spec."""
        return spot_of(self.resource, (*self.spec, *path))

    def selector(self) -> Spot:
        """The selector of the pods that the policy is about."""
        native = self.policy.kind == NETWORK_POLICY
        return self.at("podSelector" if native else "endpointSelector")

    def rule(self, direction: Direction, number: int, *path: str | int) -> Spot:
        """A rule, by its number from 1, or a part of it."""
        return self.at(direction.lower(), number - 1, *path)

    def peer(self, direction: Direction, number: int, count: int, *path: str | int) -> Spot:
        """A peer of a rule, by both their numbers from 1, or a part of it."""
        if self.policy.kind == NETWORK_POLICY:
            side = "to" if direction is Direction.EGRESS else "from"
            return self.rule(direction, number, side, count - 1, *path)
        fields = EGRESS_PEERS if direction is Direction.EGRESS else INGRESS_PEERS
        for name in fields:
            length = len(self._written(direction, number).get(name) or ())
            if count <= length:
                return self.rule(direction, number, name, count - 1, *path)
            count -= length
        return self.rule(direction, number)

    def port(self, direction: Direction, number: int, count: int) -> Spot:
        """An entry of a rule's ports, by both their numbers from 1."""
        if self.policy.kind == NETWORK_POLICY:
            return self.rule(direction, number, "ports", count - 1)
        for place, entry in enumerate(self._written(direction, number).get("toPorts") or ()):
            length = len(entry.get("ports") or ())
            if count <= length:
                return self.rule(direction, number, "toPorts", place, "ports", count - 1)
            count -= length
        return self.rule(direction, number)

    def _written(self, direction: Direction, number: int) -> Body:
        rules: Sequence[Body | None] = self.body.get(direction.lower()) or ()
        found = rules[number - 1] if number <= len(rules) else None
        return found or {}


def spot_of(resource: Resource, path: FieldPath = ()) -> Spot:
    """A field of an object, by its path; the line of a missing field is that of its parent."""
    file, _, line = resource.origin.rpartition(":")
    place = resource.place
    if not path or not place.parts:
        number = int(line) if line.isdigit() else 0
        return Spot(file or resource.origin, number, _object(resource), dotted(path))
    found = Document(resource.body, place).line(path)
    return Spot(file, found, _object(resource), dotted(path))


def _object(resource: Resource) -> str:
    name = f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
    return f"{resource.kind} {name}"
