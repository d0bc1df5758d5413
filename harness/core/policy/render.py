"""NetworkPolicies written as YAML, so that a person can paste and apply what a diagnosis suggests.

Only Kubernetes' own kind is written: a diagnosis never suggests a CiliumNetworkPolicy.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from harness.core.model import (
    Direction,
    NetworkPolicy,
    Operator,
    Peer,
    PortRule,
    Requirement,
    Rule,
    Selector,
)

_NOT_TEXT = re.compile(r"[yYnN]|[-+]?[.0-9][0-9a-fA-FoOxX_.+-]*")
"""Texts that PyYAML writes without quotes, and kubectl does not read as texts: y, 8e1, 0o17."""


class _Dumper(yaml.SafeDumper):
    """Writes a text so that kubectl, too, reads it as a text."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if _NOT_TEXT.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)

API_VERSION = "networking.k8s.io/v1"


def to_yaml(policy: NetworkPolicy) -> str:
    """The policy as a manifest; `harness.core.manifests.reader` reads the same policy from it."""
    return yaml.dump(to_body(policy), Dumper=_Dumper, sort_keys=False, default_flow_style=False)


def to_body(policy: NetworkPolicy) -> dict[str, Any]:
    """The policy as the API's object."""
    spec: dict[str, Any] = {
        "podSelector": _selector(policy.pod_selector),
        "policyTypes": [str(d) for d in Direction if d in policy.policy_types],
    }
    if policy.ingress:
        spec["ingress"] = [_rule(rule, "from") for rule in policy.ingress]
    if policy.egress:
        spec["egress"] = [_rule(rule, "to") for rule in policy.egress]
    return {
        "apiVersion": API_VERSION,
        "kind": "NetworkPolicy",
        "metadata": {"name": policy.name, "namespace": policy.namespace},
        "spec": spec,
    }


def _rule(rule: Rule, side: str) -> dict[str, Any]:
    parts = {side: [_peer(p) for p in rule.peers], "ports": [_port(p) for p in rule.ports]}
    return {key: part for key, part in parts.items() if part}


def _peer(peer: Peer) -> dict[str, Any]:
    if peer.ip_block is not None:
        cut = [str(part) for part in peer.ip_block.except_]
        return {"ipBlock": {"cidr": str(peer.ip_block.cidr)} | ({"except": cut} if cut else {})}
    parts = {"namespaceSelector": peer.namespace_selector, "podSelector": peer.pod_selector}
    return {key: _selector(part) for key, part in parts.items() if part is not None}


def _port(port: PortRule) -> dict[str, Any]:
    found: dict[str, Any] = {"protocol": port.protocol.value} if port.protocol else {}
    if port.port is not None:
        found["port"] = port.port
    return found | ({"endPort": port.end_port} if port.end_port is not None else {})


def _selector(selector: Selector) -> dict[str, Any]:
    """A requirement of one value becomes a matchLabels entry, unless its key is there already."""
    labels: dict[str, str] = {}
    expressions = []
    for requirement in selector.requirements:
        if _is_label(requirement) and requirement.key not in labels:
            labels[requirement.key] = next(iter(requirement.values))
        else:
            expressions.append(_expression(requirement))
    found: dict[str, Any] = {"matchLabels": labels} if labels else {}
    return found | ({"matchExpressions": expressions} if expressions else {})


def _is_label(requirement: Requirement) -> bool:
    return requirement.operator is Operator.IN and len(requirement.values) == 1


def _expression(requirement: Requirement) -> dict[str, Any]:
    found: dict[str, Any] = {"key": requirement.key, "operator": requirement.operator.value}
    return found | ({"values": sorted(requirement.values)} if requirement.values else {})
