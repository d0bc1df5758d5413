"""A NetworkPolicy's spec as the oracle takes it, with policyTypes defaulted as the API server does.

`harness.core.manifests.apirules` has checked the spec before; nothing is checked twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.manifests.fieldrules import cidr
from harness.core.model import (
    Direction,
    IPBlock,
    Network,
    NetworkPolicy,
    Operator,
    Peer,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
)

Body = Mapping[str, Any]


def network_policy(body: Body, origin: str) -> NetworkPolicy:
    """The policy that a checked object describes; `origin` is its file and line."""
    meta, spec = body["metadata"], body.get("spec") or {}
    egress = _rules(spec.get("egress"), "to")
    return NetworkPolicy(
        meta["namespace"],
        meta["name"],
        selector(spec.get("podSelector")),
        _policy_types(spec, has_egress=bool(egress)),
        _rules(spec.get("ingress"), "from"),
        egress,
        origin=origin,
    )


def _policy_types(spec: Body, *, has_egress: bool) -> frozenset[Direction]:
    """Left out, they are Ingress, and Egress as well if there is an egress rule (API reference)."""
    if spec.get("policyTypes"):
        return frozenset(Direction(written) for written in spec["policyTypes"])
    return frozenset({Direction.INGRESS} | ({Direction.EGRESS} if has_egress else set()))


def with_types(body: dict[str, Any]) -> dict[str, Any]:
    """A NetworkPolicy, changed in place, with the policyTypes that the API server would add.

    It adds them only to a new object: one that is applied over an older one of its name, and
    leaves policyTypes out, keeps the older one's, for nobody owns that field (KEP-555).
    """
    spec = body.setdefault("spec", {})
    found = _policy_types(spec, has_egress=bool(spec.get("egress")))
    spec["policyTypes"] = [str(direction) for direction in Direction if direction in found]
    return body


def selector(body: Body | None) -> Selector:
    """A label selector from its written form; matchLabels become In of one value each."""
    body = body or {}
    labels = sorted((body.get("matchLabels") or {}).items())
    return Selector(
        (
            *(Requirement(key, Operator.IN, frozenset({value})) for key, value in labels),
            *(
                Requirement(e["key"], Operator(e["operator"]), frozenset(e.get("values") or ()))
                for e in body.get("matchExpressions") or []
            ),
        )
    )


def _rules(rules: Sequence[Body | None] | None, side: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            tuple(_peer(peer) for peer in (rule or {}).get(side) or []),
            tuple(_port(port or {}) for port in (rule or {}).get("ports") or []),
        )
        for rule in rules or []
    )


def _peer(body: Body) -> Peer:
    if block := body.get("ipBlock"):
        cut = tuple(network(text) for text in block.get("except") or ())
        return Peer(ip_block=IPBlock(network(block["cidr"]), cut))
    pods, spaces = (
        selector(body[key]) if key in body else None for key in ("podSelector", "namespaceSelector")
    )
    return Peer(pods, spaces)


def network(text: str) -> Network:
    """The network that a checked CIDR writes."""
    found, wrong = cidr(text)
    if found is None:
        raise ValueError(wrong)
    return found


def _port(body: Body) -> PortRule:
    return PortRule(Protocol(body.get("protocol", "TCP")), body.get("port"), body.get("endPort"))
