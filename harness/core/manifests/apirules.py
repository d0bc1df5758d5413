"""What the API server refuses beyond the shape of a manifest: every fault, each with its path.

Of workloads only that is checked which decides a flow; of NetworkPolicies and Services everything.
Source: the validation of networking/v1, core/v1, apps/v1 and of label selectors in Kubernetes 1.37.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.manifests import ciliumrules, servicerules
from harness.core.manifests.fieldrules import (
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
