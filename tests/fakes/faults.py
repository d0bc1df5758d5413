"""Faults of a CNI, each planted between the API and the agent: what the agent gets is not what was
applied.

`Planted` is the API of a cluster, in memory or live: it rewrites NetworkPolicies on their way, and
policylab predicts from the originals. So one list of faults serves both kinds of cluster. What
cannot be written as another policy is planted in the cluster in memory alone (`tests.fakes.lies`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.model import NETWORK_POLICY
from harness.edge.api.kube import Kube, Object
from harness.edge.probe.doors import Doors
from tests.fakes.kube import Key, key_of
from tests.fakes.lies import FirstPacket, Late, Lie

Spec = dict[str, Any]
Objects = Mapping[Key, Object]
Rewrite = Callable[[Spec, Object, Objects], Spec | None]
"""The spec that the agent gets in place of a policy's own spec; None: it gets no policy.

The arguments are a copy of the spec, the policy itself, and all objects that stand at the API.
"""

NAME_LABEL = "kubernetes.io/metadata.name"
SIDES = (("ingress", "from", "Ingress"), ("egress", "to", "Egress"))


def honest(spec: Spec, policy: Object, there: Objects) -> Spec | None:
    """The policy as it is."""
    return spec


@dataclass(frozen=True, slots=True)
class Fault:
    """One departure from the API.

    Attributes:
        name: the fault, as a test names it.
        rewrite: what becomes of a policy between the API and the agent.
        keeps: whether the agent keeps a policy that was deleted.
        lie: what the network of a cluster in memory does beside that.
    """

    name: str
    rewrite: Rewrite = honest
    keeps: bool = False
    lie: Lie = field(default_factory=Lie)

    @property
    def live(self) -> bool:
        """Whether the fault can be planted on a live cluster."""
        return self.lie == Lie()

    def __str__(self) -> str:
        return self.name


class Planted:
    """The API of a cluster whose agent has a fault; all else goes to the true API."""

    def __init__(self, kube: Kube, fault: Fault) -> None:
        self._kube = kube
        self._fault = fault
        self._there: dict[Key, Object] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kube, name)

    def apply(self, body: Object) -> dict[str, Any]:
        if body["kind"] != NETWORK_POLICY:
            self._there[key_of(body)] = body
            return self._kube.apply(body)
        spec = self._fault.rewrite(copy.deepcopy(dict(body["spec"])), body, dict(self._there))
        self._there[key_of(body)] = body
        if spec is None:
            self._kube.delete(body)
            return dict(body)
        return self._kube.apply({**body, "spec": spec})

    def delete(self, body: Object, *, grace: int | None = None) -> None:
        gone = key_of(body)
        if body["kind"] == NETWORK_POLICY and self._fault.keeps:
            return
        self._there = {
            key: kept
            for key, kept in self._there.items()
            if key != gone and not (gone[0] == "Namespace" and key[1] == gone[2])
        }
        self._kube.delete(body, grace=grace)


class PlantedDoors:
    """The doors to a cluster whose agent has a fault."""

    def __init__(self, doors: Doors, fault: Fault) -> None:
        self._doors = doors
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._doors, name)

    def kube(self) -> Kube:
        planted: Kube = Planted(self._doors.kube(), self._fault)
        return planted


# The parts of a spec.


def _rules(spec: Spec) -> Iterator[tuple[Spec, str]]:
    """Each rule, with the name of its list of peers."""
    for side, peers, _ in SIDES:
        for rule in spec.get(side) or []:
            yield rule, peers


def _peers(spec: Spec) -> Iterator[Spec]:
    for rule, peers in _rules(spec):
        yield from rule.get(peers) or []


def _ports(spec: Spec) -> Iterator[Spec]:
    for rule, _ in _rules(spec):
        yield from rule.get("ports") or []


def _types(spec: Spec) -> list[str]:
    return spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _selectors(value: Any) -> Iterator[Spec]:
    """Every label selector of a spec."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("Selector"):
                yield inner
            yield from _selectors(inner)
    if isinstance(value, list):
        for inner in value:
            yield from _selectors(inner)


def _each(change: Callable[[Spec], None], parts: Callable[[Spec], Iterator[Spec]]) -> Rewrite:
    """The rewrite that changes each of these parts."""

    def rewrite(spec: Spec, policy: Object, there: Objects) -> Spec:
        for part in list(parts(spec)):
            change(part)
        return spec

    return rewrite


# The faults, one function each.


def _no_except(peer: Spec) -> None:
    if "ipBlock" in peer:
        peer["ipBlock"].pop("except", None)


def _end_as_port(port: Spec) -> None:
    if "endPort" in port:
        port["port"] = port.pop("endPort")


def _start_alone(port: Spec) -> None:
    port.pop("endPort", None)


def _no_protocol(port: Spec) -> None:
    port["protocol"] = "TCP"


def _needs_key(selector: Spec) -> None:
    entries = selector.get("matchExpressions") or []
    selector["matchExpressions"] = entries + [
        {"key": entry["key"], "operator": "Exists"}
        for entry in entries
        if entry["operator"] == "NotIn"
    ]


def _absent_is_present(selector: Spec) -> None:
    for entry in selector.get("matchExpressions") or []:
        if entry["operator"] == "DoesNotExist":
            entry["operator"] = "Exists"


def _labels_alone(selector: Spec) -> None:
    selector.pop("matchExpressions", None)


def _forgets_udp(spec: Spec, policy: Object, there: Objects) -> Spec:
    for side, _, kind in SIDES:
        if kind in _types(spec):
            spec[side] = [*(spec.get(side) or []), {"ports": [{"protocol": "UDP"}]}]
    return spec


def _without(kind: str) -> Rewrite:
    """One direction is not enforced."""

    def rewrite(spec: Spec, policy: Object, there: Objects) -> Spec | None:
        spec["policyTypes"] = [one for one in _types(spec) if one != kind]
        spec.pop(kind.lower(), None)
        return spec if spec["policyTypes"] else None

    return rewrite


def _no_peers_no_flow(spec: Spec, policy: Object, there: Objects) -> Spec:
    for side, peers, _ in SIDES:
        if side in spec:
            spec[side] = [rule for rule in spec[side] or [] if rule.get(peers)]
    return spec


def _first(part: str) -> Rewrite:
    """Of a list in a rule, only the first entry counts."""

    def rewrite(spec: Spec, policy: Object, there: Objects) -> Spec:
        for rule, peers in _rules(spec):
            name = part or peers
            if rule.get(name):
                rule[name] = rule[name][:1]
        return spec

    return rewrite


def _first_rule(spec: Spec, policy: Object, there: Objects) -> Spec:
    for side, _, _ in SIDES:
        if spec.get(side):
            spec[side] = spec[side][:1]
    return spec


def _no_ports(spec: Spec, policy: Object, there: Objects) -> Spec:
    for rule, _ in _rules(spec):
        rule.pop("ports", None)
    return spec


def _names_match_nothing(spec: Spec, policy: Object, there: Objects) -> Spec:
    for side, _, _ in SIDES:
        kept = []
        for rule in spec.get(side) or []:
            ports = [p for p in rule.get("ports") or [] if not isinstance(p.get("port"), str)]
            if ports or not rule.get("ports"):
                kept.append({**rule, "ports": ports} if ports else rule)
        if side in spec:
            spec[side] = kept
    return spec


def _one_number_a_name(spec: Spec, policy: Object, there: Objects) -> Spec:
    """A port's name means the number that the first pod gave it, for all pods."""
    numbers: dict[str, int] = {}
    for key in sorted(key for key in there if key[0] == "Pod"):
        for container in there[key]["spec"]["containers"]:
            for port in container.get("ports", []):
                if port.get("name"):
                    numbers.setdefault(port["name"], port["containerPort"])
    for port in _ports(spec):
        if port.get("port") in numbers:
            port["port"] = numbers[port["port"]]
    return spec


def _either_selector(spec: Spec, policy: Object, there: Objects) -> Spec:
    """A peer with both selectors means either of them."""
    for rule, peers in _rules(spec):
        found = []
        for peer in rule.get(peers) or []:
            both = "podSelector" in peer and "namespaceSelector" in peer
            found += [{key: value} for key, value in peer.items()] if both else [peer]
        if found:
            rule[peers] = found
    return spec


def _own_namespace(peer: Spec) -> None:
    """Peers of other namespaces are looked for at home."""
    if "namespaceSelector" in peer:
        del peer["namespaceSelector"]
        peer.setdefault("podSelector", {})


def _equal_labels(spec: Spec, policy: Object, there: Objects) -> Spec:
    """Namespaces are told apart by their own labels alone."""
    home = there["Namespace", "", policy["metadata"]["namespace"]]
    labels = {
        key: value
        for key, value in (home["metadata"].get("labels") or {}).items()
        if not key.startswith(("app.kubernetes.io/", "policylab")) and key != NAME_LABEL
    }
    for peer in _peers(spec):
        if "ipBlock" not in peer and "namespaceSelector" not in peer:
            peer["namespaceSelector"] = {"matchLabels": labels}
    return spec


def _no_updates(spec: Spec, policy: Object, there: Objects) -> Spec:
    """Of a policy that is changed in place, the first version stays."""
    old = there.get(key_of(policy))
    return copy.deepcopy(dict(old["spec"])) if old else spec


def _one_policy(spec: Spec, policy: Object, there: Objects) -> Spec | None:
    """Of a namespace's policies only one counts."""
    home, own = policy["metadata"]["namespace"], key_of(policy)
    others = [key for key in there if key[:2] == (NETWORK_POLICY, home) and key != own]
    return None if others else spec


def _empty_selects_nobody(spec: Spec, policy: Object, there: Objects) -> Spec | None:
    return spec if any(spec["podSelector"].values()) else None


def _ingress_by_default(spec: Spec, policy: Object, there: Objects) -> Spec:
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress"]
    return spec


FAULTS = (
    Fault("ignores except", _each(_no_except, _peers)),
    Fault("takes endPort for port", _each(_end_as_port, _ports)),
    Fault("ignores endPort", _each(_start_alone, _ports)),
    Fault("forgets UDP", _forgets_udp),
    Fault("takes every port for TCP", _each(_no_protocol, _ports)),
    Fault("lets the first packet pass", lie=FirstPacket()),
    Fault("applies egress only", _without("Ingress")),
    Fault("applies ingress only", _without("Egress")),
    Fault("keeps a deleted policy", keeps=True),
    Fault("confuses namespaces of equal labels", _equal_labels),
    Fault("is 5 s late", lie=Late(5.0)),
    Fault("drops all where a rule has no peers", _no_peers_no_flow),
    Fault("ignores ports", _no_ports),
    Fault("takes only the first rule", _first_rule),
    Fault("takes only the first peer", _first("")),
    Fault("takes only the first port", _first("ports")),
    Fault("knows no names of ports", _names_match_nothing),
    Fault("has one number for a name of ports", _one_number_a_name),
    Fault("needs the key for NotIn", _each(_needs_key, _selectors)),
    Fault("takes DoesNotExist for Exists", _each(_absent_is_present, _selectors)),
    Fault("ignores matchExpressions", _each(_labels_alone, _selectors)),
    Fault("takes both selectors for either", _either_selector),
    Fault("looks for peers at home only", _each(_own_namespace, _peers)),
    Fault("ignores an update", _no_updates),
    Fault("lets one policy of a namespace count", _one_policy),
    Fault("lets an empty podSelector select nobody", _empty_selects_nobody),
    Fault("takes Ingress for the default policyTypes", _ingress_by_default),
)
