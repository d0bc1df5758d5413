"""Objects as a cluster's API shows them, as the oracle takes them.

Unlike `harness.core.manifests.reader` this never refuses: what runs was accepted by the API
server, and only what decides a verdict is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from harness.core.model import ContainerPort, Namespace, Pod, Protocol, Topology

Body = Mapping[str, Any]


def namespace_of(body: Body) -> Namespace:
    """A live namespace."""
    meta = body["metadata"]
    return Namespace(meta["name"], meta.get("labels") or {})


def pod_of(body: Body) -> Pod:
    """A live pod with its address; a sidecar (an init container that stays, KEP-753) has ports too.

    A port that two containers declare is named once.
    """
    meta, spec = body["metadata"], body["spec"]
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    declared = (
        ContainerPort(p["containerPort"], Protocol(p.get("protocol") or "TCP"), p.get("name") or "")
        for container in (*sidecars, *(spec.get("containers") or []))
        for p in container.get("ports") or []
    )
    address, other = addresses_of(body)
    return Pod(
        meta["namespace"],
        meta["name"],
        meta.get("labels") or {},
        tuple(dict.fromkeys(declared)),
        ip_address(address) if address else None,
        host_network=bool(spec.get("hostNetwork")),
        other_ip=ip_address(other) if other else None,
    )


def addresses_of(body: Body) -> tuple[str, str]:
    """A live pod's address, and that of the other family; empty where it has none."""
    status = body.get("status") or {}
    more = [each["ip"] for each in status.get("podIPs") or [] if each.get("ip")]
    first, *rest = more or [status.get("podIP") or ""]
    return first, rest[0] if rest else ""


def node_addresses_of(body: Body) -> tuple[str, ...]:
    """The addresses of a live pod's node, of each family one; older API servers tell one only."""
    status = body.get("status") or {}
    more = tuple(each["ip"] for each in status.get("hostIPs") or [] if each.get("ip"))
    return more or tuple(filter(None, [status.get("hostIP")]))


def topology_of(namespaces: Iterable[Body], pods: Iterable[Body]) -> Topology:
    """Who is there."""
    spaces = [namespace_of(body) for body in namespaces]
    found = [pod_of(body) for body in pods]
    return Topology({n.name: n for n in spaces}, {str(pod): pod for pod in found})
