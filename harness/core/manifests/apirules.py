"""What the API server refuses beyond the shape of a manifest: every fault, each with its path.

`unclear` has what only servers of today refuse. Since Kubernetes 1.36, addresses and CIDRs must be
written in a form that every program reads alike (StrictIPCIDRValidation: ParseIP and parseCIDR of
apimachinery's pkg/util/validation/ip.go). What an older server let in stays on its cluster, so that
rule holds for files, not for a cluster's objects.

Of workloads only that is checked which decides a flow; of NetworkPolicies and Services everything.
Source: the validation of networking/v1, core/v1, apps/v1 and of label selectors in Kubernetes 1.37.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from harness.core.manifests import ciliumrules, servicerules
from harness.core.manifests.fieldrules import (
    address_of,
    cidr,
    cidr_block,
    is_dns_label,
    is_subdomain,
    labels,
    needs,
    number_or_name,
    port_name,
    port_number,
    protocol,
    selector,
)
from harness.core.manifests.schema.shapes import Fault
from harness.core.manifests.text.documents import FieldPath
from harness.core.model import Direction

_SINCE = "Kubernetes 1.36 and newer refuse this"

Body = Mapping[str, Any]


def refusals(body: Body) -> Iterator[Fault]:
    """Every reason why the API server would not take an object whose shape is right."""
    kind, spec = body["kind"], body.get("spec") or {}
    yield from _metadata(kind, body.get("metadata") or {})
    match kind:
        case "Pod":
            yield from _pod_spec(spec, ("spec",))
        case "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet":
            yield from _controller(spec)
        case "ReplicationController" | "Job":
            yield from _template(spec, ("spec",))
        case "CronJob":
            job = (spec.get("jobTemplate") or {}).get("spec") or {}
            yield from _template(job, ("spec", "jobTemplate", "spec"))
        case "Service":
            yield from servicerules.refusals(spec)
        case "NetworkPolicy":
            yield from _network_policy(spec)
        case "CiliumNetworkPolicy" | "CiliumClusterwideNetworkPolicy":
            clusterwide = kind == "CiliumClusterwideNetworkPolicy"
            yield from ciliumrules.refusals(body, clusterwide=clusterwide)


def _metadata(kind: str, meta: Body) -> Iterator[Fault]:
    name, namespace = meta.get("name"), meta.get("namespace")
    if name and (wanted := _name_fault(kind, name)):
        yield Fault(("metadata", "name"), f"`{name}` {wanted}")
    if namespace and not is_dns_label(namespace):
        text = f"`{namespace}` must be lower case letters, digits and -, at most 63"
        yield Fault(("metadata", "namespace"), text)
    yield from labels(meta.get("labels"), ("metadata", "labels"))


def _name_fault(kind: str, name: str) -> str:
    if kind in ("Namespace", "Service"):
        return "" if is_dns_label(name) else "must be lower case letters, digits and -, at most 63"
    return "" if is_subdomain(name) else "must be lower case letters, digits, - and ."


def _network_policy(spec: Body) -> Iterator[Fault]:
    yield from selector(spec.get("podSelector"), ("spec", "podSelector"))
    types = spec.get("policyTypes") or []
    for number, word in enumerate(types):
        if word not in list(Direction):
            text = f"is `{word}`, and must be Ingress or Egress"
            yield Fault(("spec", "policyTypes", number), text)
    if len(types) > len(Direction):
        yield Fault(("spec", "policyTypes"), "has more than two entries")
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(direction) or []):
            path: FieldPath = ("spec", direction, number)
            for n, peer in enumerate(rule.get(side) or []):
                yield from _peer(peer, (*path, side, n))
            for n, port in enumerate(rule.get("ports") or []):
                yield from _port(port, (*path, "ports", n))


def _peer(body: Body, path: FieldPath) -> Iterator[Fault]:
    if not body:
        yield Fault(path, "must have a podSelector, a namespaceSelector or an ipBlock")
    if "ipBlock" in body and len(body) > 1:
        yield Fault(path, "may not have an ipBlock and a selector at once")
    for field in ("podSelector", "namespaceSelector"):
        yield from selector(body.get(field), (*path, field))
    if "ipBlock" in body:
        yield from cidr_block(body["ipBlock"], (*path, "ipBlock"))


def _port(body: Body, path: FieldPath) -> Iterator[Fault]:
    yield from protocol(body, path)
    port, end = body.get("port"), body.get("endPort")
    if port is not None:
        yield from number_or_name(port, (*path, "port"))
    if end is None:
        return
    if not isinstance(port, int):
        yield Fault((*path, "endPort"), "needs a numeric port beside it")
        return
    yield from port_number(end, (*path, "endPort"))
    if end < port:
        yield Fault((*path, "endPort"), f"{end} is below the port, {port}")


def _controller(spec: Body) -> Iterator[Fault]:
    template = spec.get("template") or {}
    given = (template.get("metadata") or {}).get("labels") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    yield from needs(spec, ("selector", "template"), ("spec",))
    yield from selector(spec.get("selector"), ("spec", "selector"))
    if not wanted.items() <= given.items():
        yield Fault(("spec", "selector"), "does not select its own template's labels")
    yield from _template(spec, ("spec",))


def _template(spec: Body, path: FieldPath) -> Iterator[Fault]:
    template, here = spec.get("template") or {}, (*path, "template")
    given = (template.get("metadata") or {}).get("labels")
    yield from labels(given, (*here, "metadata", "labels"))
    if (spec.get("replicas") or 0) < 0:
        yield Fault((*path, "replicas"), "is negative")
    yield from _pod_spec(template.get("spec") or {}, (*here, "spec"))


def _pod_spec(spec: Body, path: FieldPath) -> Iterator[Fault]:
    if not spec.get("containers"):
        yield Fault(path, "has no containers")
    for kind in ("containers", "initContainers"):
        for number, container in enumerate(spec.get(kind) or []):
            place = (*path, kind, number)
            yield from needs(container, ("name",), place)
            for n, port in enumerate(container.get("ports") or []):
                here = (*place, "ports", n)
                yield from needs(port, ("containerPort",), here)
                if port.get("protocol"):
                    yield from protocol(port, here)
                if "containerPort" in port:
                    yield from port_number(port["containerPort"], (*here, "containerPort"))
                if port.get("name"):
                    yield from port_name(port["name"], (*here, "name"))


def unclear(body: Body) -> Iterator[Fault]:
    """The addresses and CIDRs of an object that only an older server takes."""
    spec = body.get("spec") or {}
    if body["kind"] == "Service":
        yield from _service(spec)
    elif body["kind"] == "NetworkPolicy":
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for number, rule in enumerate(spec.get(direction) or []):
                for place, peer in enumerate(rule.get(side) or []):
                    path = ("spec", direction, number, side, place, "ipBlock")
                    yield from _block(peer.get("ipBlock") or {}, path)


def _block(block: Body, path: FieldPath) -> Iterator[Fault]:
    yield from _cidr(block.get("cidr") or "", (*path, "cidr"))
    for number, text in enumerate(block.get("except") or []):
        yield from _cidr(text, (*path, "except", number))


def _service(spec: Body) -> Iterator[Fault]:
    for field in ("clusterIPs", "externalIPs"):
        for number, text in enumerate(spec.get(field) or []):
            yield from _address(text, ("spec", field, number))
    if not spec.get("clusterIPs"):
        yield from _address(spec.get("clusterIP") or "", ("spec", "clusterIP"))
    for number, text in enumerate(spec.get("loadBalancerSourceRanges") or []):
        yield from _cidr(text.strip(), ("spec", "loadBalancerSourceRanges", number))


def _address(text: str, path: FieldPath) -> Iterator[Fault]:
    found = address_of(text)
    if found is not None and not _is_clear(text):
        yield Fault(path, f"`{text}` is not clear, and {_SINCE}: write {_plain(found)}")


def _cidr(text: str, path: FieldPath) -> Iterator[Fault]:
    network, _ = cidr(text)
    if network is None:
        return
    written, _, length = text.partition("/")
    if not _is_clear(written) or length != str(int(length)):
        yield Fault(path, f"`{text}` is not clear, and {_SINCE}: write {network}")
    elif ip_address(written) != ip_network(network).network_address:
        one = f"{written}/{network.max_prefixlen}"
        wrong = f"`{text}` has bits behind its length, and {_SINCE}: write {network}, or {one}"
        yield Fault(path, wrong)


def _is_clear(text: str) -> bool:
    """Whether every program reads the address alike: no zeros before a number, no mapped IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return False
    return not (isinstance(found, IPv6Address) and found.ipv4_mapped)


def _plain(found: object) -> str:
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)
