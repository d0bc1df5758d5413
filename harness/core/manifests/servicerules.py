"""What the API server refuses of a Service beyond its shape: every fault, each with its path.

Source: ValidateServiceCreate of core/v1 in Kubernetes 1.37 (pkg/apis/core/validation), and the
defaults that come before it (pkg/apis/core/v1/defaults.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.manifests.fieldrules import (
    cidr,
    is_address,
    is_dns_label,
    is_subdomain,
    label_key,
    labels,
    number_or_name,
    port_number,
    protocol,
)
from harness.core.manifests.schema.shapes import Fault
from harness.core.manifests.text.documents import FieldPath

NONE = "None"
CLUSTER_IP, NODE_PORT, BALANCER, EXTERNAL = TYPES = (
    "ClusterIP",
    "NodePort",
    "LoadBalancer",
    "ExternalName",
)
FAMILIES = ("IPv4", "IPv6")
MAX_SESSION_SECONDS = 86_400
_WORDS = {
    "type": TYPES,
    "sessionAffinity": ("None", "ClientIP"),
    "ipFamilyPolicy": ("SingleStack", "PreferDualStack", "RequireDualStack"),
    "internalTrafficPolicy": ("Cluster", "Local"),
    "trafficDistribution": ("PreferClose", "PreferSameZone", "PreferSameNode"),
}
_FOR_BALANCERS = (
    "loadBalancerSourceRanges",
    "allocateLoadBalancerNodePorts",
    "loadBalancerClass",
)

Body = Mapping[str, Any]


def refusals(spec: Body) -> Iterator[Fault]:
    """Every reason why the API server would not take a Service's spec."""
    kind = spec.get("type") or CLUSTER_IP
    for field, words in _WORDS.items():
        if spec.get(field) and spec[field] not in words:
            yield _word(("spec", field), spec[field], words)
    yield from labels(spec.get("selector"), ("spec", "selector"))
    yield from _ports(spec, kind)
    yield from _cluster_addresses(spec, kind)
    yield from _families(spec)
    yield from _of_type(spec, kind)
    yield from _from_outside(spec, kind)
    yield from _session(spec)


def _word(path: FieldPath, found: str, words: tuple[str, ...]) -> Fault:
    return Fault(path, f"is `{found}`, and must be {' or '.join(words)}")


def _ports(spec: Body, kind: str) -> Iterator[Fault]:
    ports = spec.get("ports") or []
    if not ports and NONE not in _cluster_ips(spec) and kind != EXTERNAL:
        yield Fault(("spec",), "has no ports")
    for number, port in enumerate(ports):
        path: FieldPath = ("spec", "ports", number)
        if port.get("protocol"):
            yield from protocol(port, path)
        yield from _port(port, path, named=len(ports) > 1)
        if kind == CLUSTER_IP and port.get("nodePort"):
            yield Fault((*path, "nodePort"), "needs the type NodePort or LoadBalancer")
    for what, keys in (
        ("port", [(p.get("port"), p.get("protocol") or "TCP") for p in ports]),
        ("nodePort", [(p["nodePort"], p.get("protocol") or "TCP") for p in _with_node(ports)]),
        ("name", [(p["name"], "") for p in ports if p.get("name")]),
    ):
        for (value, _), times in Counter(keys).items():
            if times > 1:
                yield Fault(("spec", "ports"), f"have the {what} {value} {times} times")


def _with_node(ports: list[Any]) -> list[Any]:
    return [port for port in ports if port.get("nodePort")]


def _port(port: Body, path: FieldPath, *, named: bool) -> Iterator[Fault]:
    if "port" not in port:
        yield Fault(path, "has no port")
    else:
        yield from port_number(port["port"], (*path, "port"))
    if port.get("name"):
        if not is_dns_label(port["name"]):
            text = f"`{port['name']}` must be lower case letters, digits and -, at most 63"
            yield Fault((*path, "name"), text)
    elif named:
        yield Fault(path, "has no name")
    # Zero and an empty text stand for the Service's own port.
    if port.get("targetPort"):
        yield from number_or_name(port["targetPort"], (*path, "targetPort"))
    if port.get("nodePort"):
        yield from port_number(port["nodePort"], (*path, "nodePort"))
    if "appProtocol" in port:
        yield from label_key(port["appProtocol"], (*path, "appProtocol"))


def _cluster_ips(spec: Body) -> list[str]:
    first = [spec["clusterIP"]] if spec.get("clusterIP") else []
    return list(spec.get("clusterIPs") or first)


def _cluster_addresses(spec: Body, kind: str) -> Iterator[Fault]:
    path: FieldPath = ("spec", "clusterIPs" if spec.get("clusterIPs") else "clusterIP")
    found = _cluster_ips(spec)
    one = spec.get("clusterIP")
    if one and found[0] != one:
        yield Fault(path, f"begins with {found[0]}, and clusterIP is {one}")
    if NONE in found and (len(found) > 1 or kind in (NODE_PORT, BALANCER)):
        yield Fault(path, "has None, which stands alone and needs the type ClusterIP")
    for text in found:
        if text != NONE and not is_address(text):
            yield Fault(path, f"has `{text}`, which is not an address, nor None")
    if len(found) > len(FAMILIES):
        yield Fault(path, "has more than two addresses")
    elif len({":" in text for text in found}) < len(found):
        yield Fault(path, "has two addresses of one family")


def _families(spec: Body) -> Iterator[Fault]:
    families = spec.get("ipFamilies") or []
    for number, family in enumerate(families):
        if family not in FAMILIES:
            yield _word(("spec", "ipFamilies", number), family, FAMILIES)
    if len(set(families)) < len(families):
        yield Fault(("spec", "ipFamilies"), "has an entry twice")


def _of_type(spec: Body, kind: str) -> Iterator[Fault]:
    if kind == EXTERNAL:
        name = (spec.get("externalName") or "").removesuffix(".")
        if not is_subdomain(name):
            yield Fault(("spec", "externalName"), f"`{name}` is not a DNS name")
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(field):
                yield Fault(("spec", field), "must be left out: the type is ExternalName")
    if kind != BALANCER:
        for field in _FOR_BALANCERS:
            if spec.get(field) or (field in spec and isinstance(spec[field], bool | str)):
                yield Fault(("spec", field), "needs the type LoadBalancer")
    for number, text in enumerate(spec.get("loadBalancerSourceRanges") or []):
        if wrong := cidr(text.strip())[1]:
            yield Fault(("spec", "loadBalancerSourceRanges", number), wrong)


def _from_outside(spec: Body, kind: str) -> Iterator[Fault]:
    for number, text in enumerate(spec.get("externalIPs") or []):
        if not is_address(text):
            yield Fault(("spec", "externalIPs", number), f"`{text}` is not an address")
    outside = kind in (NODE_PORT, BALANCER) or (kind == CLUSTER_IP and spec.get("externalIPs"))
    local = spec.get("externalTrafficPolicy")
    if local and not outside:
        yield Fault(("spec", "externalTrafficPolicy"), "needs a Service that is open to outside")
    elif local and local not in ("Cluster", "Local"):
        yield _word(("spec", "externalTrafficPolicy"), local, ("Cluster", "Local"))
    if spec.get("healthCheckNodePort") and not (kind == BALANCER and local == "Local"):
        text = "needs the type LoadBalancer, and Local for externalTrafficPolicy"
        yield Fault(("spec", "healthCheckNodePort"), text)


def _session(spec: Body) -> Iterator[Fault]:
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get(
        "timeoutSeconds"
    )
    wrong = seconds is not None and not 1 <= seconds <= MAX_SESSION_SECONDS
    if spec.get("sessionAffinity") == "ClientIP" and wrong:
        path: FieldPath = ("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")
        yield Fault(path, f"{seconds} is not between 1 and {MAX_SESSION_SECONDS}")
