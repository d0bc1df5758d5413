"""Manifests: YAML text to objects, and what the oracle makes of them.

Everything is checked before anything is applied: unknown kinds and fields, and the rules of the API
server that decide a verdict. All faults of a file are reported at once, each with its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any

import yaml

from harness.core.manifests.apirules import refusals
from harness.core.manifests.ciliumpolicy import cilium_policy
from harness.core.manifests.networkpolicy import network_policy
from harness.core.manifests.schema import SHAPES, faults
from harness.core.manifests.yamltree import Document, Path, read
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
from harness.core.policy.selectors import NAME_LABEL
from harness.errors import ManifestError

CLUSTER_SCOPED = frozenset({"Namespace"})

MAX_BYTES = 64 * 1024
"""Of one file, unless the caller says otherwise: far more than a lab's manifest needs."""


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


def parse(text: str, *, origin: str, max_bytes: int = MAX_BYTES) -> tuple[Resource, ...]:
    """Read a manifest file's text.

    Raises:
        ManifestError: it holds something that is unknown, or that the API server would refuse; the
            message has every fault of the file with its line.
    """
    wrong: list[str] = []
    found: list[Resource] = []
    for document in _documents(text, origin, max_bytes):
        problems = _problems(document)
        wrong += [f"{origin}:{document.line(at)}: {_dotted(at)} {what}" for at, what in problems]
        if not problems:
            found.append(_resource(document, origin))
    keys = [resource.key for resource in found]
    wrong += [
        f"{r.origin}: {' '.join(filter(None, r.key))} stands twice"
        for number, r in enumerate(found)
        if r.key in keys[:number]
    ]
    if wrong:
        count = "a fault" if len(wrong) == 1 else f"{len(wrong)} faults"
        raise ManifestError(
            "\n  ".join((f"{count} in a manifest:", *wrong)),
            where=origin,
            try_="kubectl explain KIND.FIELD",
        )
    return tuple(found)


def _documents(text: str, origin: str, max_bytes: int) -> list[Document]:
    size = len(text.encode(errors="surrogatepass"))
    if size > max_bytes:
        raise ManifestError(
            f"a manifest of {size} bytes", where=origin, try_=f"at most {max_bytes}: split it"
        )
    try:
        return read(text, origin=origin)
    except RecursionError as error:
        raise ManifestError("this YAML is nested too deeply", where=origin) from error
    except (yaml.YAMLError, ValueError) as error:  # a tag or a date that names no value
        seen = " ".join(str(error).split())
        raise ManifestError("this YAML has an impossible value", where=origin, seen=seen) from error


def _problems(document: Document) -> list[tuple[Path, str]]:
    body = document.value
    if not isinstance(body, dict):
        return [((), "is no object")]
    kind, version = body.get("kind"), body.get("apiVersion")
    shape = SHAPES.get((str(version), str(kind)))
    if shape is None:
        return [_unknown_kind(str(kind), str(version))]
    found = faults(document, shape)
    meta = body.get("metadata") or {}
    if isinstance(meta, dict):
        found += _unnamed(str(kind), meta)
    # An unknown field leaves the known ones readable; any other fault of shape does not.
    if all(what.startswith(("unknown field", "has no")) for _, what in found):
        found += refusals(body)
    return found


def _unknown_kind(kind: str, version: str) -> tuple[Path, str]:
    versions = {k: v for v, k in SHAPES}
    if kind in versions:
        return ("apiVersion",), f"of a {kind} must be {versions[kind]}, not {version}"
    near = get_close_matches(kind, versions, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(versions)}"
    return ("kind",), f"{kind} ({version}) is not known here; {hint}"


def _unnamed(kind: str, meta: Mapping[str, Any]) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    if not meta.get("name"):
        found.append((("metadata",), "has no name"))
    if kind not in CLUSTER_SCOPED and not meta.get("namespace"):
        where = "labs state it, so that nothing lands elsewhere"
        found.append((("metadata",), f"has no namespace: {where}"))
    return found


def _resource(document: Document, origin: str) -> Resource:
    body = document.value
    meta = body["metadata"]
    place = f"{origin}:{document.line(())}"
    resource = Resource(
        body["kind"], body["apiVersion"], meta.get("namespace", ""), meta["name"], body, place
    )
    return replace(resource, model=_model(resource))


def _model(resource: Resource) -> Namespace | Pod | Service | NetworkPolicy | None:
    labels = resource.body["metadata"].get("labels") or {}
    match resource.kind:
        case "Namespace":
            return Namespace(resource.name, {**labels, NAME_LABEL: resource.name})
        case "Pod":
            return _pod(resource.namespace, resource.name, labels, resource.body["spec"])
        case "Service":
            return _service(resource)
        case "NetworkPolicy":
            return network_policy(resource.body, resource.origin)
        case "CiliumNetworkPolicy":
            return cilium_policy(resource.body, resource.origin)
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


def topology_of(
    resources: Iterable[Resource], addresses: Mapping[str, str] | None = None
) -> Topology:
    """Who is there: namespaces, pods (a Deployment's are called NAME-1 and so on) and Services.

    `addresses` are those of pods, by NAMESPACE/NAME, as far as they are known.
    """
    namespaces: dict[str, Namespace] = {}
    pods: dict[str, Pod] = {}
    services: dict[str, Service] = {}
    for resource in resources:
        match resource.model:
            case Namespace():
                namespaces[resource.name] = resource.model
            case Service():
                services[str(resource.model)] = resource.model
        pods.update({str(pod): pod for pod in pods_of(resource)})
    known = {name: ip_address(text) for name, text in (addresses or {}).items() if name in pods}
    pods.update({name: replace(pods[name], ip=ip) for name, ip in known.items()})
    return Topology(namespaces, pods, services)


def pods_of(resource: Resource) -> tuple[Pod, ...]:
    """The pods that an object brings: itself, or a Deployment's replicas as NAME-1 and so on."""
    if isinstance(resource.model, Pod):
        return (resource.model,)
    if resource.kind != "Deployment":
        return ()
    spec = resource.body["spec"]
    template = spec["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    return tuple(
        _pod(resource.namespace, f"{resource.name}-{number}", labels, template["spec"])
        for number in range(1, spec.get("replicas", 1) + 1)
    )


def policies_of(resources: Iterable[Resource]) -> tuple[NetworkPolicy, ...]:
    """The policies among the objects, of either kind."""
    return tuple(r.model for r in resources if isinstance(r.model, NetworkPolicy))


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the document"
