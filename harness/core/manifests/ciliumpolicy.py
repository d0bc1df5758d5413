"""A CiliumNetworkPolicy's spec in the oracle's one form: rules, peers and ports, and a little more.

`harness.core.manifests.ciliumrules` has checked the spec before; nothing is checked twice.
Sources, all of Cilium 1.20.2: pkg/policy/utils/parserules.go, pkg/policy/rule.go,
pkg/policy/repository.go and pkg/k8s/apis/cilium.io/utils/utils.go:

- a direction isolates if it has a rule, unless enableDefaultDeny says false; true without a rule
  isolates nobody, for only rules carry it;
- a rule without peers and without ports allows nobody, and one with ports alone allows anyone;
- a peer's selector means the policy's own namespace unless it tells the namespace;
- protocol ANY, and none, is TCP, UDP and SCTP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core import fqdn
from harness.core.manifests.ciliumrules import (
    ANY,
    EGRESS_PEERS,
    INGRESS_PEERS,
    NAMESPACE,
    NAMESPACE_LABELS,
    bare,
    of_namespace,
)
from harness.core.manifests.networkpolicy import network, selector
from harness.core.model import (
    CILIUM_POLICY,
    Direction,
    Entity,
    IPBlock,
    NetworkPolicy,
    Peer,
    PortRule,
    Protocol,
    Rule,
    Selector,
)
from harness.core.policy.selectors import NAME_LABEL

Body = Mapping[str, Any]


def cilium_policy(body: Body, origin: str) -> NetworkPolicy:
    """The policy that a checked object describes; `origin` is its file and line."""
    meta, spec = body["metadata"], body["spec"]
    rules = {
        Direction.INGRESS: _rules(spec.get("ingress"), INGRESS_PEERS),
        Direction.EGRESS: _rules(spec.get("egress"), EGRESS_PEERS),
    }
    default_deny = spec.get("enableDefaultDeny") or {}
    types = frozenset(direction for direction, found in rules.items() if found)
    return NetworkPolicy(
        meta["namespace"],
        meta["name"],
        _pods(selector(spec["endpointSelector"])),
        types,
        rules[Direction.INGRESS],
        rules[Direction.EGRESS],
        origin=origin,
        kind=CILIUM_POLICY,
        adds_only=frozenset(d for d in types if default_deny.get(d.lower()) is False),
    )


def _rules(rules: Sequence[Body | None] | None, peers: Sequence[str]) -> tuple[Rule, ...]:
    return tuple(_rule(rule or {}, peers) for rule in rules or [])


def _rule(rule: Body, fields: Sequence[str]) -> Rule:
    peers = tuple(_peer(field, item) for field in fields for item in rule.get(field) or [])
    ports = tuple(port for entry in rule.get("toPorts") or [] for port in _ports(entry))
    return Rule(peers if peers or ports else (Peer(entity=Entity.NONE),), ports)


def _peer(field: str, item: Any) -> Peer:
    match field.removeprefix("to").removeprefix("from"):
        case "Entities":
            return Peer(entity=Entity(item))
        case "CIDR":
            return Peer(ip_block=IPBlock(network(item), outside_only=True))
        case "CIDRSet":
            cut = tuple(network(text) for text in item.get("except") or ())
            return Peer(ip_block=IPBlock(network(item["cidr"]), cut, outside_only=True))
        case "FQDNs":
            return Peer(fqdn=_name(item))
    whole = selector(item)
    return Peer(_pods(whole), _spaces(whole))


def _name(item: Body) -> str:
    return fqdn.canonical(item.get("matchName") or item["matchPattern"])


def _pods(whole: Selector) -> Selector:
    """The part of a selector that speaks of pods, without the labels' sources."""
    return Selector(
        tuple(replace(r, key=bare(r.key)) for r in whole.requirements if not of_namespace(r.key))
    )


def _spaces(whole: Selector) -> Selector | None:
    """The part of a selector that speaks of the namespace, in the namespace's own labels."""
    found = tuple(
        replace(r, key=_namespace_key(bare(r.key)))
        for r in whole.requirements
        if of_namespace(r.key)
    )
    return Selector(found) if found else None


def _namespace_key(key: str) -> str:
    return NAME_LABEL if key == NAMESPACE else key.removeprefix(NAMESPACE_LABELS)


def _ports(entry: Body) -> Iterator[PortRule]:
    names = tuple(_name(item) for item in (entry.get("rules") or {}).get("dns") or ())
    for port in entry["ports"]:
        word = port.get("protocol", ANY)
        protocol = None if word == ANY else Protocol(word)
        yield PortRule(protocol, _number(port["port"]), port.get("endPort"), names)


def _number(text: str) -> int | str | None:
    """Cilium takes port 0 for every port, and names in lower case."""
    return (int(text) or None) if text.isdigit() else text.lower()
