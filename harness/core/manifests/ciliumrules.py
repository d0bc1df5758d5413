"""What is refused of a Cilium policy beyond its shape: every fault, each with its path.

Sources, all of Cilium 1.20.2: the CRDs, pkg/policy/api/rule_validation.go, pkg/labels/validation.go
and pkg/policy/k8s. The API server takes some policies that Cilium's agent then refuses, so that
they are never in force: they are refused here. We are stricter where the effect of what Cilium
takes is not known here, or would mislead a reader: a range that ends below its port, a port that is
written as an octal number, and an endpointSelector that names another namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.core.manifests.fieldrules import (
    MAX_PORT,
    PROTOCOLS,
    cidr,
    label_key,
    port_name,
    port_number,
    protocol,
    selector,
)
from harness.core.manifests.schema.shapes import Fault
from harness.core.manifests.text.documents import FieldPath
from harness.core.model import Entity
from harness.core.policy import fqdn

ANY = "ANY"
NAMESPACE = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
RESERVED = "reserved"
SOURCES = frozenset({"k8s", "any"})
RESERVED_LABELS = frozenset(Entity) - {Entity.ALL, Entity.CLUSTER, Entity.CLUSTER_MESH}
"""The entities that are a label of the source `reserved`, too."""
WITHOUT_PORTS = ("VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH")
DIRECTIONS = ("ingress", "ingressDeny", "egress", "egressDeny")
MODES = ("disabled", "required", "test-always-fail")
MAX_PORTS = 40

EGRESS_PEERS = (
    "toEndpoints",
    "toEntities",
    "toCIDR",
    "toCIDRSet",
    "toFQDNs",
    "toServices",
    "toGroups",
)
INGRESS_PEERS = ("fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromGroups")

_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)\Z")
_NO_IDENTITY = re.compile(
    r"io\.kubernetes|kubernetes\.io|.*beta\.kubernetes\.io|k8s\.io|topology\.kubernetes\.io"
    r"|statefulset\.kubernetes\.io/pod-name|apps\.kubernetes\.io/pod-index"
    r"|batch\.kubernetes\.io/(?:job-completion-index|controller-uid)"
    r"|pod-template-(?:generation|hash)|controller-(?:revision-hash|uid)|annotation|etcd_node"
)
_ZEROS = re.compile(r"(?:^|[./])0[0-9]")
ICMP_TYPES = {
    "IPv4": {
        "EchoReply": 0,
        "DestinationUnreachable": 3,
        "Redirect": 5,
        "Echo": 8,
        "EchoRequest": 8,
        "RouterAdvertisement": 9,
        "RouterSelection": 10,
        "TimeExceeded": 11,
        "ParameterProblem": 12,
        "Timestamp": 13,
        "TimestampReply": 14,
        "Photuris": 40,
        "ExtendedEchoRequest": 42,
    },
    "IPv6": {
        "DestinationUnreachable": 1,
        "PacketTooBig": 2,
        "TimeExceeded": 3,
        "ParameterProblem": 4,
        "EchoRequest": 128,
        "EchoReply": 129,
        "MulticastListenerQuery": 130,
        "MulticastListenerReport": 131,
        "MulticastListenerDone": 132,
        "RouterSolicitation": 133,
        "RouterAdvertisement": 134,
        "NeighborSolicitation": 135,
        "NeighborAdvertisement": 136,
        "RedirectMessage": 137,
        "RouterRenumbering": 138,
        "ICMPNodeInformationQuery": 139,
        "ICMPNodeInformationResponse": 140,
        "InverseNeighborDiscoverySolicitation": 141,
        "InverseNeighborDiscoveryAdvertisement": 142,
        "HomeAgentAddressDiscoveryRequest": 144,
        "HomeAgentAddressDiscoveryReply": 145,
        "MobilePrefixSolicitation": 146,
        "MobilePrefixAdvertisement": 147,
        "DuplicateAddressRequestCodeSuffix": 157,
        "DuplicateAddressConfirmationCodeSuffix": 158,
        "ExtendedEchoRequest": 160,
    },
}
"""The types of ICMP messages by name (IANA), as far as the CRD takes the name."""
MAX_TYPE = 255

Body = Mapping[str, Any]


def bare(key: str) -> str:
    """A label key without its source (`k8s:app` is `app`)."""
    return key.rpartition(":")[2]


def of_namespace(key: str) -> bool:
    """Whether a label key speaks of a pod's namespace, not of the pod."""
    return bare(key) == NAMESPACE or bare(key).startswith(NAMESPACE_LABELS)


def in_no_identity(key: str) -> bool:
    """Whether Cilium keeps a label out of a pod's identity, so that no selector ever sees it."""
    return not of_namespace(key) and bool(_NO_IDENTITY.match(bare(key)))


def keys_of(body: Body) -> Iterator[str]:
    """The label keys of a selector."""
    yield from body.get("matchLabels") or {}
    yield from (entry.get("key") or "" for entry in body.get("matchExpressions") or [])


def refusals(body: Body, *, clusterwide: bool) -> Iterator[Fault]:
    """Every reason not to take a policy whose shape is right."""
    home = body["metadata"].get("namespace") or ""
    if "spec" not in body and "specs" not in body:
        yield Fault((), "has no spec")
    if "spec" in body:
        yield from _spec(body["spec"], ("spec",), home, clusterwide=clusterwide)
    for number, spec in enumerate(body.get("specs") or []):
        yield from _spec(spec, ("specs", number), home, clusterwide=clusterwide)


def _spec(spec: Body, path: FieldPath, home: str, *, clusterwide: bool) -> Iterator[Fault]:
    yield from _subject(spec, path, home, clusterwide=clusterwide)
    if not any(spec.get(direction) for direction in DIRECTIONS):
        yield Fault(path, "has no ingress and no egress rule: one that lets nobody pass is {}")
    for direction in DIRECTIONS:
        peers = INGRESS_PEERS if direction.startswith("ingress") else EGRESS_PEERS
        for number, rule in enumerate(spec.get(direction) or []):
            here = (*path, direction, number)
            yield from _rule(rule, peers, here)
            for n, entry in enumerate(rule.get("toPorts") or []):
                yield from _ports(entry, (*here, "toPorts", n))
                if direction == "ingress" and (entry.get("rules") or {}).get("dns"):
                    yield Fault((*here, "toPorts", n, "rules"), "of DNS are for egress only")


def _subject(spec: Body, path: FieldPath, home: str, *, clusterwide: bool) -> Iterator[Fault]:
    if "nodeSelector" in spec:
        if not clusterwide:
            why = "is for a CiliumClusterwideNetworkPolicy only"
            yield Fault((*path, "nodeSelector"), why)
        if "endpointSelector" in spec:
            yield Fault((*path, "nodeSelector"), "may not stand beside an endpointSelector")
        yield from selector(spec["nodeSelector"], (*path, "nodeSelector"), _key)
    elif "endpointSelector" not in spec:
        yield Fault(path, "has no endpointSelector: write {} to select all pods of the namespace")
    rule = _key if clusterwide else _own_key
    chosen = _own_named(spec.get("endpointSelector") or {}, home)
    yield from selector(chosen, (*path, "endpointSelector"), rule)


def _own_key(key: str, path: FieldPath) -> Iterator[Fault]:
    yield from _key(key, path)
    if of_namespace(key):
        why = "names a namespace: endpointSelector always means the policy's own"
        yield Fault(path, why)


def _own_named(chosen: Body, home: str) -> Body:
    """A selector without the name of the policy's own namespace, which Cilium puts there anyway."""
    labels = chosen.get("matchLabels") or {}
    rest = {k: v for k, v in labels.items() if bare(k) != NAMESPACE or not home or v != home}
    return {**chosen, "matchLabels": rest} if len(rest) < len(labels) else chosen


def _key(key: str, path: FieldPath) -> Iterator[Fault]:
    source, colon, name = key.rpartition(":")
    if source == RESERVED:
        if name not in RESERVED_LABELS:
            known = ", ".join(sorted(RESERVED_LABELS))
            yield Fault(path, f"`{key}` is not known here; known of that source: {known}")
        return
    if colon and source not in SOURCES:
        why = f"the label source `{source}:` is not known here; known: any:, k8s: and reserved:"
        yield Fault(path, why)
        return
    # The part of a namespace's label that is the label's own key.
    yield from label_key(name.removeprefix(NAMESPACE_LABELS), path)


def _rule(rule: Body, peers: Sequence[str], path: FieldPath) -> Iterator[Fault]:
    written = [field for field in peers if rule.get(field)]
    if len(written) > 1:
        why = f"may not be combined with {written[0]}: make it two rules"
        yield Fault((*path, written[1]), why)
    for field in written:
        for number, item in enumerate(rule[field]):
            yield from _peer(field, item, (*path, field, number))
    if "authentication" in rule and rule["authentication"].get("mode") not in MODES:
        yield Fault((*path, "authentication"), f"has no mode, which is {' or '.join(MODES)}")
    if rule.get("icmps") and rule.get("toPorts"):
        yield Fault((*path, "icmps"), "may not be combined with toPorts: make it two rules")
    for number, entry in enumerate(rule.get("icmps") or []):
        yield from _icmp(entry, (*path, "icmps", number))


def _icmp(entry: Body, path: FieldPath) -> Iterator[Fault]:
    fields = entry.get("fields") or []
    if len(fields) > MAX_PORTS:
        yield Fault((*path, "fields"), f"has {len(fields)} entries, and may have {MAX_PORTS}")
    for number, field in enumerate(fields):
        here = (*path, "fields", number)
        family = field.get("family", "IPv4")
        if family not in ICMP_TYPES:
            yield Fault((*here, "family"), f"is `{family}`, and must be IPv4 or IPv6")
        elif "type" not in field:
            yield Fault(here, "has no type")
        elif icmp_type(field) is None:
            yield Fault((*here, "type"), f"`{field['type']}` is not a type of ICMP for {family}")


def icmp_type(field: Body) -> int | None:
    """The number of a type of ICMP messages, or None if there is no such type."""
    kind = field["type"]
    if isinstance(kind, str) and not kind.isdigit():
        return ICMP_TYPES[field.get("family", "IPv4")].get(kind)
    return int(kind) if 0 <= int(kind) <= MAX_TYPE else None


def _peer(field: str, item: Any, path: FieldPath) -> Iterator[Fault]:
    match field.removeprefix("to").removeprefix("from"):
        case "Endpoints":
            yield from selector(item, path, _key)
            if wrong := _mixed(item):
                yield Fault(path, wrong)
        case "Entities":
            if item not in list(Entity):
                yield Fault(path, f"the entity `{item}` is not known; known: {', '.join(Entity)}")
        case "CIDR":
            if wrong := _cidr(item):
                yield Fault(path, wrong)
        case "CIDRSet":
            yield from _block(item, path)
        case "FQDNs":
            yield from _name(item, path)
        case "Services":
            yield from _service(item, path)


def _mixed(body: Body) -> str:
    """Why a selector with a label of the source `reserved` cannot be read; empty if it can."""
    keys = list(keys_of(body))
    reserved = [key for key in keys if key.startswith(f"{RESERVED}:")]
    if reserved and (len(keys) > 1 or body.get("matchExpressions")):
        return f"`{reserved[0]}` stands beside other labels, and what that means is not known here"
    return ""


def _cidr(text: str) -> str:
    """Why a CIDR cannot be taken: unlike the API server, Cilium takes no zeros before a number."""
    if wrong := cidr(text)[1]:
        return wrong
    return f"`{text}` has a zero before a number" if _ZEROS.search(text) else ""


def _block(body: Body, path: FieldPath) -> Iterator[Fault]:
    written = [f for f in ("cidr", "cidrGroupRef", "cidrGroupSelector") if f in body]
    if len(written) != 1:
        yield Fault(path, "must have a cidr, a cidrGroupRef or a cidrGroupSelector, and only one")
    yield from selector(body.get("cidrGroupSelector"), (*path, "cidrGroupSelector"))
    if "cidr" not in body:
        return
    if wrong := _cidr(body["cidr"]):
        yield Fault((*path, "cidr"), wrong)
    whole = cidr(body["cidr"])[0]
    for number, text in enumerate(body.get("except") or []):
        part = cidr(text)[0]
        if wrong := _cidr(text):
            yield Fault((*path, "except", number), wrong)
        elif whole and part and not _inside(part, whole):
            yield Fault((*path, "except", number), f"{part} is not a part of {whole}")


def _inside(inner: Any, outer: Any) -> bool:
    return inner.version == outer.version and bool(inner.subnet_of(outer))


def _service(body: Body, path: FieldPath) -> Iterator[Fault]:
    if "k8sServiceSelector" in body:
        found = body["k8sServiceSelector"]
        if "selector" not in found:
            yield Fault((*path, "k8sServiceSelector"), "has no selector")
        yield from selector(found.get("selector"), (*path, "k8sServiceSelector", "selector"))
    elif not (body.get("k8sService") or {}).get("serviceName"):
        yield Fault(path, "has no k8sService with a serviceName, and no k8sServiceSelector")


def _name(body: Body, path: FieldPath) -> Iterator[Fault]:
    written = [(field, body[field]) for field in ("matchName", "matchPattern") if field in body]
    if len(written) != 1:
        yield Fault(path, "must have a matchName or a matchPattern, and not both")
    for field, text in written:
        if wrong := fqdn.fault(text, pattern=field == "matchPattern"):
            yield Fault((*path, field), wrong)


def _ports(entry: Body, path: FieldPath) -> Iterator[Fault]:
    ports = entry.get("ports") or []
    if len(ports) > MAX_PORTS:
        yield Fault((*path, "ports"), f"has {len(ports)} entries, and may have {MAX_PORTS}")
    for number, port in enumerate(ports):
        yield from _port(port, (*path, "ports", number))
    if "rules" in entry:
        yield from _looked_into(entry["rules"], ports, path)
    if entry.get("rules") and (entry.get("serverNames") or entry.get("listener")):
        yield Fault((*path, "rules"), "may not stand beside serverNames or a listener")
    if "listener" in entry:
        config = entry["listener"].get("envoyConfig") or {}
        if not entry["listener"].get("name") or not config.get("name"):
            yield Fault((*path, "listener"), "has no name, or no envoyConfig with a name")
    for number, name in enumerate(entry.get("serverNames") or []):
        if wrong := fqdn.fault(name, pattern=True):
            yield Fault((*path, "serverNames", number), wrong)


def _looked_into(rules: Body, ports: Sequence[Body], path: FieldPath) -> Iterator[Fault]:
    if len(rules) != 1:
        yield Fault((*path, "rules"), "must have dns or http, and not both")
    for number, name in enumerate(rules.get("dns") or []):
        yield from _name(name, (*path, "rules", "dns", number))
    if rules.get("dns") and not ports:
        yield Fault((*path, "rules"), "of DNS need a port beside them, which is 53")
    for number, port in enumerate(ports):
        here = (*path, "ports", number)
        if rules.get("http") and port.get("protocol") != "TCP":
            yield Fault(here, "must have the protocol TCP, for HTTP rules stand beside it")
        if (rules.get("http") or rules.get("dns")) and port.get("port") == "0":
            yield Fault((*here, "port"), "is every port, and rules look into one port only")
        if rules.get("dns") and port.get("endPort"):
            yield Fault((*here, "endPort"), "must be left out: DNS rules are for one port")


def _port(body: Body, path: FieldPath) -> Iterator[Fault]:
    yield from protocol(body, path, (*PROTOCOLS, *WITHOUT_PORTS, ANY))
    text, end = body.get("port") or "", body.get("endPort")
    if not text:
        yield Fault(path, "has no port")
    elif text.isdigit():
        if not _NUMBER.match(text) or int(text) > MAX_PORT:
            why = f'"{text}" is not a number from 0 (every port) to {MAX_PORT}'
            yield Fault((*path, "port"), why)
        elif text != "0" and body.get("protocol") in WITHOUT_PORTS:
            yield Fault((*path, "port"), f"must be 0: {body['protocol']} has no ports")
    else:
        yield from port_name(text.lower(), (*path, "port"))
    if not end:
        return
    if not text.isdigit() or not int(text):
        yield Fault((*path, "endPort"), "needs a numeric port beside it")
        return
    yield from port_number(end, (*path, "endPort"))
    if end < int(text):
        yield Fault((*path, "endPort"), f"{end} is below the port, {text}")
