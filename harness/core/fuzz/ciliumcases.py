"""Random CiliumNetworkPolicies with parts that `harness.core.manifests.ciliumpolicy` reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

from harness.core.fuzz.drawing import (
    APPS,
    SPACE_LABELS,
    VALUES,
    draw_ports,
    draw_requirement,
    draw_selector,
    some,
)
from harness.core.manifests.ciliumrules import NAMESPACE, NAMESPACE_LABELS

SHARE = 0.35
"""The share of CiliumNetworkPolicies among the policies that are drawn for Cilium."""

_ENTITIES = ("world", "cluster", "host", "all")


def draw_policy(draw: Random, meta: Mapping[str, str], spaces: list[str]) -> dict[str, Any]:
    """One policy with at least one rule."""
    spec: dict[str, Any] = {"endpointSelector": draw_selector(draw, APPS)}
    for direction in draw.choice((["ingress"], ["egress"], ["ingress", "egress"])):
        spec[direction] = some(draw, (0, 3, 1), partial(_rule, draw, direction, spaces))
        if draw.random() < 0.2:  # noqa: PLR2004
            spec.setdefault("enableDefaultDeny", {})[direction] = draw.random() < 0.3  # noqa: PLR2004
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": dict(meta),
        "spec": spec,
    }


def _rule(draw: Random, direction: str, spaces: list[str]) -> dict[str, Any]:
    side = "from" if direction == "ingress" else "to"
    found: dict[str, Any] = {}
    match draw.choices(("Endpoints", "Entities", "CIDRSet", "nobody"), (6, 3, 1, 2))[0]:
        case "Endpoints":
            found[f"{side}Endpoints"] = some(draw, (0, 3, 1), lambda: _endpoint(draw, spaces))
        case "Entities":
            found[f"{side}Entities"] = [draw.choice(_ENTITIES)]
        case "CIDRSet":
            found[f"{side}CIDRSet"] = [{"cidr": draw.choice(("0.0.0.0/0", "10.0.0.0/8"))}]
    if draw.random() < 0.6:  # noqa: PLR2004
        found["toPorts"] = [{"ports": some(draw, (0, 3, 1), lambda: _port(draw))}]
    return found


def _endpoint(draw: Random, spaces: list[str]) -> dict[str, Any]:
    """Pods by their labels, in the policy's own namespace or in the namespaces that are given."""
    found = draw_selector(draw, APPS)
    match draw.choices(("own", "named", "labelled", "any"), (4, 3, 2, 2))[0]:
        case "named":
            found.setdefault("matchLabels", {})[NAMESPACE] = draw.choice(spaces)
        case "labelled":
            key = f"{NAMESPACE_LABELS}{draw.choice(SPACE_LABELS)}"
            found.setdefault("matchLabels", {})[key] = draw.choice(VALUES)
        case "any":
            exists = {"key": NAMESPACE, "operator": "Exists"}
            found["matchExpressions"] = [*found.get("matchExpressions", []), exists]
    if draw.random() < 0.2:  # noqa: PLR2004
        found.setdefault("matchExpressions", []).append(draw_requirement(draw, APPS))
    return found


def _port(draw: Random) -> dict[str, Any]:
    """A port as in a NetworkPolicy, but numbers are texts; port 0 and protocol ANY mean all."""
    found = draw_ports(draw)
    if "protocol" not in found and draw.random() < 0.5:  # noqa: PLR2004
        found["protocol"] = "ANY"
    return {**found, "port": str(found.get("port", 0))}
