"""A Cilium policy's specs in the oracle's one form: rules, peers and ports, and a little more.

`harness.core.manifests.ciliumrules` has checked the specs before; nothing is checked twice.
Sources, all of Cilium 1.20.2: pkg/policy/utils/parserules.go, pkg/policy/rule.go,
pkg/policy/repository.go and pkg/k8s/apis/cilium.io/utils/utils.go:

- a direction isolates if it has a rule, one that denies as well, unless enableDefaultDeny says
  false; true without a rule isolates nobody, for only rules carry it;
- a rule without peers and without ports allows nobody, and one with ports alone allows anyone; a
  list of peers that is written and empty means nobody, and so does a list of ports;
- a peer's selector means the policy's own namespace unless it tells the namespace; one that tells
  it only by what it is not also fits what has no namespace; in a clusterwide policy a selector
  means the pods of all namespaces;
- protocol ANY, and none, is TCP, UDP and SCTP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core.manifests.ciliumrules import (
    ANY,
    EGRESS_PEERS,
    INGRESS_PEERS,
    NAMESPACE,
    NAMESPACE_LABELS,
    RESERVED,
    WITHOUT_PORTS,
    bare,
    icmp_type,
    in_no_identity,
    keys_of,
    of_namespace,
)
from harness.core.manifests.networkpolicy import network, selector
from harness.core.model import (
    CILIUM_POLICY,
    CLUSTERWIDE_POLICY,
    ECHO,
    ECHO_V6,
    Direction,
    Entity,
    IPBlock,
    NetworkPolicy,
    Operator,
    Peer,
    PortRule,
    Protocol,
    Rule,
    Selector,
    ServiceRef,
)
from harness.core.policy import fqdn
from harness.core.policy.selectors import NAME_LABEL

Body = Mapping[str, Any]

NOBODY = Peer(entity=Entity.NONE)
NO_IDENTITY = "kept out of identities: "
"""Before the key of a label that no pod has for Cilium: so it matches as a missing label does."""
_EMPTY_IS_NOBODY = ("Endpoints", "Entities", "CIDR", "CIDRSet")
_OUT_OF_PODS = (Entity.WORLD, Entity.HOST, Entity.REMOTE_NODE)
_NEGATIVE = (Operator.NOT_IN, Operator.DOES_NOT_EXIST)
_PROVISO = "the two ends have proved to Cilium who they are (authentication)"


def cilium_policies(body: Body, origin: str) -> tuple[NetworkPolicy, ...]:
    """The policies that a checked object describes, one a spec; `origin` is its file and line.

    A spec that is about nodes describes none: it decides about nodes only.
    """
    specs = [body["spec"]] if "spec" in body else []
    specs += body.get("specs") or []
    return tuple(
        cilium_policy({**body, "spec": spec}, origin)
        for spec in specs
        if "nodeSelector" not in spec
    )


def notes_of(body: Body) -> Iterator[str]:
    """What a reader of an answer should know of a policy, as ends of sentences about it."""
    specs = [body["spec"]] if "spec" in body else []
    for spec in (*specs, *(body.get("specs") or [])):
        if "nodeSelector" in spec:
            yield "has a spec about nodes, which is not read: it decides flows of nodes only"
        for selected in _selectors(spec):
            for key in filter(in_no_identity, keys_of(selected)):
                yield f"asks for the label {bare(key)}, which Cilium never sees on a pod"


def _selectors(spec: Body) -> Iterator[Body]:
    if "endpointSelector" in spec:
        yield spec["endpointSelector"]
    for direction in ("ingress", "ingressDeny", "egress", "egressDeny"):
        for rule in spec.get(direction) or []:
            yield from rule.get("fromEndpoints") or []
            yield from rule.get("toEndpoints") or []


def cilium_policy(body: Body, origin: str) -> NetworkPolicy:
    """The policy that a checked object with one spec describes; `origin` is its file and line."""
    meta, spec = body["metadata"], body["spec"]
    home = meta.get("namespace") or ""
    default_deny = spec.get("enableDefaultDeny") or {}
    rules = {
        key: tuple(_rule(rule, peers, home) for rule in spec.get(key) or [])
        for key, peers in (
            ("ingress", INGRESS_PEERS),
            ("ingressDeny", INGRESS_PEERS),
            ("egress", EGRESS_PEERS),
            ("egressDeny", EGRESS_PEERS),
        )
    }
    types = frozenset(
        direction
        for direction in Direction
        if rules[direction.lower()] or rules[f"{direction.lower()}Deny"]
    )
    whole = selector(spec["endpointSelector"])
    return NetworkPolicy(
        home,
        meta["name"],
        _pods(whole),
        types,
        rules["ingress"],
        rules["egress"],
        origin=origin,
        kind=CILIUM_POLICY if home else CLUSTERWIDE_POLICY,
        adds_only=frozenset(d for d in types if default_deny.get(d.lower()) is False),
        ingress_deny=rules["ingressDeny"],
        egress_deny=rules["egressDeny"],
        namespace_selector=None if home else _spaces(whole),
    )


def _rule(rule: Body, fields: Sequence[str], home: str) -> Rule:
    peers = tuple(
        p for field in fields for item in rule.get(field) or [] for p in _peers(field, item, home)
    )
    entries, messages = rule.get("toPorts") or [], rule.get("icmps") or []
    ports = tuple(port for entry in entries for port in _ports(entry))
    ports += tuple(_message(field) for m in messages for field in m.get("fields") or [])
    emptied = any(rule.get(field) == [] for field in fields if _kind(field) in _EMPTY_IS_NOBODY)
    no_ports = (entries or messages) and not ports
    if emptied or no_ports or not (peers or ports):
        return Rule((NOBODY,), ports)
    mode = (rule.get("authentication") or {}).get("mode", "disabled")
    return Rule(peers, ports, "" if mode == "disabled" else _PROVISO)


def _kind(field: str) -> str:
    return field.removeprefix("to").removeprefix("from")


def _peers(field: str, item: Any, home: str) -> Iterator[Peer]:
    match _kind(field):
        case "Entities":
            yield Peer(entity=Entity(item))
        case "CIDR":
            yield Peer(ip_block=IPBlock(network(item), outside_only=True))
        case "CIDRSet" if "cidr" in item:
            cut = tuple(network(text) for text in item.get("except") or ())
            yield Peer(ip_block=IPBlock(network(item["cidr"]), cut, outside_only=True))
        case "CIDRSet":
            name = item.get("cidrGroupRef") or "that its selector picks"
            yield Peer(unread=f"the addresses of the CiliumCIDRGroup {name}")
        case "FQDNs":
            yield Peer(fqdn=_name(item))
        case "Services":
            yield Peer(service=_service(item))
        case "Groups":
            yield Peer(unread="the addresses of groups of a cloud")
        case _:
            yield from _endpoints(item, home)


def _endpoints(item: Body, home: str) -> Iterator[Peer]:
    whole = selector(item)
    if any(r.key.startswith(f"{RESERVED}:") for r in whole.requirements):
        yield from (Peer(entity=Entity(bare(r.key))) for r in whole.requirements)
        return
    spaces = _spaces(whole)
    if not home:
        yield Peer(_pods(whole), spaces or Selector())
        return
    yield Peer(_pods(whole), spaces)
    if spaces and all(r.operator in _NEGATIVE for r in whole.requirements):
        yield from (Peer(entity=entity) for entity in _OUT_OF_PODS)


def _service(item: Body) -> ServiceRef:
    if found := item.get("k8sServiceSelector"):
        return ServiceRef(found.get("namespace") or "", "", selector(found["selector"]))
    found = item["k8sService"]
    return ServiceRef(found.get("namespace") or "", found["serviceName"])


def _name(item: Body) -> str:
    return fqdn.canonical(item.get("matchName") or item["matchPattern"])


def _pods(whole: Selector) -> Selector:
    """The part of a selector that speaks of pods, without the labels' sources."""
    return Selector(
        tuple(
            replace(r, key=f"{NO_IDENTITY if in_no_identity(r.key) else ''}{bare(r.key)}")
            for r in whole.requirements
            if not of_namespace(r.key)
        )
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
    rules = entry.get("rules") or {}
    names = tuple(_name(item) for item in rules.get("dns") or ())
    requests = tuple(_requests(entry))
    for port in entry.get("ports") or ():
        word = port.get("protocol") or ANY
        if word in WITHOUT_PORTS:
            continue
        protocol = None if word == ANY else Protocol(word)
        end = port.get("endPort") or None
        yield PortRule(protocol, _number(port["port"]), end, names, requests)


def _requests(entry: Body) -> Iterator[str]:
    """Which requests or connections pass on a port that is looked into, in words."""
    for rule in (entry.get("rules") or {}).get("http") or ():
        method, path, host = rule.get("method"), rule.get("path"), rule.get("host")
        words = ["HTTP", method or "of any method", path or "", f"to {host}" if host else ""]
        words += ["with headers"] if rule.get("headers") or rule.get("headerMatches") else []
        yield " ".join(filter(None, words))
    if names := entry.get("serverNames"):
        yield f"TLS to {' or '.join(names)}"
    if listener := entry.get("listener"):
        yield f"what the listener {listener['name']} takes"


def _message(field: Body) -> PortRule:
    """A ping is told by its number alone, so the same number of the other family is a text."""
    number, six = icmp_type(field), field.get("family") == "IPv6"
    other = number == (ECHO if six else ECHO_V6)
    return PortRule(Protocol.ICMP, f"{number} of {'IPv6' if six else 'IPv4'}" if other else number)


def _number(text: str) -> int | str | None:
    """Cilium takes port 0 for every port, and names in lower case."""
    return (int(text) or None) if text.isdigit() else text.lower()
