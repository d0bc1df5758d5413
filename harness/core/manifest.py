"""Manifests: YAML text to objects, and what the oracle makes of them.

Everything is checked before anything is applied: unknown kinds and fields, and the rules of the API
server that decide a verdict. All faults of a file are reported at once, each with its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from harness.core.model import (
    ContainerPort,
    Namespace,
    NetworkPolicy,
    Pod,
    Protocol,
    Service,
    ServicePort,
    Topology,
)
from harness.core.policy import network_policy
from harness.core.schema import SHAPES, faults
from harness.core.yamltree import Document, Path, read
from harness.errors import ManifestError

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace (KEP-2161, Kubernetes 1.21)."""

CLUSTER_SCOPED = frozenset({"Namespace"})


@dataclass(frozen=True, slots=True)
class Resource:
    """One object as written, ready for server-side apply; `origin` is its file and line."""

    kind: str
    api_version: str
    namespace: str
    name: str
    body: Mapping[str, Any]
    origin: str
    model: Namespace | Pod | Service | NetworkPolicy | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same object as another."""
        return (self.kind, self.namespace, self.name)


def parse(text: str, *, origin: str) -> tuple[Resource, ...]:
    """Read a manifest file's text.

    Raises:
        ManifestError: it holds something that is unknown, or that the API server would refuse; the
            message has every fault of the file with its line.
    """
    wrong: list[str] = []
    found: list[Resource] = []
    for document in read(text, origin=origin):
        problems = list(_problems(document))
        if problems:
            wrong += [
                f"{origin}:{document.line(path)}: {_dotted(path)} {what}" for path, what in problems
            ]
            continue
        try:
            found.append(_resource(document, origin))
        except ManifestError as error:
            wrong.append(str(error.what))
    keys = [resource.key for resource in found]
    wrong += [
        f"{origin}: {' '.join(k)} stands twice"
        for k in sorted({k for k in keys if keys.count(k) > 1})
    ]
    if wrong:
        count = "a fault" if len(wrong) == 1 else f"{len(wrong)} faults"
        raise ManifestError(
            f"{count} in a manifest: {'; '.join(wrong)}",
            where=origin,
            try_="kubectl explain KIND.FIELD",
        )
    return tuple(found)


def _problems(document: Document) -> Iterable[tuple[Path, str]]:
    body = document.value
    if not isinstance(body, dict):
        return [((), "is no object")]
    kind, version = body.get("kind"), body.get("apiVersion")
    shape = SHAPES.get((str(version), str(kind)))
    if shape is None:
        known = [f"{k} ({v})" for v, k in SHAPES]
        near = get_close_matches(str(kind), [k for _, k in SHAPES], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return [
            (("kind",), f"{kind} ({version}) is not known here{hint} known: {', '.join(known)}")
        ]
    found = faults(document, shape)
    meta = body.get("metadata") or {}
    if not meta.get("name"):
        found.append((("metadata",), "has no name"))
    if kind not in CLUSTER_SCOPED and not meta.get("namespace"):
        found.append(
            (("metadata",), "has no namespace: labs state it, so that nothing lands elsewhere")
        )
    return found


def _resource(document: Document, origin: str) -> Resource:
    body = document.value
    meta = body["metadata"]
    place = f"{origin}:{document.line(())}"
    resource = Resource(
        body["kind"], body["apiVersion"], meta.get("namespace", ""), meta["name"], body, place
    )
    return Resource(
        resource.kind,
        resource.api_version,
        resource.namespace,
        resource.name,
        body,
        place,
        _model(resource, document, origin),
    )


def _model(
    resource: Resource, document: Document, origin: str
) -> Namespace | Pod | Service | NetworkPolicy | None:
    labels = resource.body["metadata"].get("labels") or {}
    match resource.kind:
        case "Namespace":
            return Namespace(resource.name, {**labels, NAME_LABEL: resource.name})
        case "Pod":
            return _pod(resource.namespace, resource.name, labels, resource.body["spec"])
        case "Service":
            return _service(resource)
        case "NetworkPolicy":
            return network_policy(resource.namespace, resource.name, document, origin)
    return None


def _pod(namespace: str, name: str, labels: Mapping[str, str], spec: Mapping[str, Any]) -> Pod:
    ports = tuple(
        ContainerPort(p["containerPort"], Protocol(p.get("protocol", "TCP")), p.get("name", ""))
        for container in spec.get("containers", [])
        for p in container.get("ports", [])
    )
    return Pod(namespace, name, dict(labels), ports, host_network=bool(spec.get("hostNetwork")))


def _service(resource: Resource) -> Service:
    spec = resource.body.get("spec") or {}
    ports = tuple(
        ServicePort(
            p["port"],
            Protocol(p.get("protocol", "TCP")),
            p.get("name", ""),
            p.get("targetPort", p["port"]),
        )
        for p in spec.get("ports", [])
    )
    headless = spec.get("clusterIP") == "None"
    return Service(
        resource.namespace,
        resource.name,
        dict(spec.get("selector") or {}),
        ports,
        headless=headless,
    )


def topology_of(resources: Iterable[Resource]) -> Topology:
    """Who is there: namespaces, pods (a Deployment's are called NAME-1 and so on) and Services."""
    namespaces: dict[str, Namespace] = {}
    pods: dict[str, Pod] = {}
    services: dict[str, Service] = {}
    for resource in resources:
        match resource.model:
            case Namespace():
                namespaces[resource.name] = resource.model
            case Pod():
                pods[str(resource.model)] = resource.model
            case Service():
                services[str(resource.model)] = resource.model
        if resource.kind == "Deployment":
            pods.update({str(pod): pod for pod in _replicas(resource)})
    return Topology(namespaces, pods, services)


def _replicas(resource: Resource) -> Iterable[Pod]:
    spec = resource.body["spec"]
    template = spec["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    for number in range(1, spec.get("replicas", 1) + 1):
        yield _pod(resource.namespace, f"{resource.name}-{number}", labels, template["spec"])


def policies_of(resources: Iterable[Resource]) -> tuple[NetworkPolicy, ...]:
    """The network policies among the objects."""
    return tuple(r.model for r in resources if isinstance(r.model, NetworkPolicy))


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the document"
