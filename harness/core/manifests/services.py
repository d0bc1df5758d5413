"""Services as the oracle takes them, and the addresses that Endpoints objects put behind them.

`harness.core.manifests.servicerules` has checked a Service before; nothing is checked twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from harness.core.manifests.fieldrules import PROTOCOLS
from harness.core.manifests.servicerules import EXTERNAL, NONE
from harness.core.model import Address, Endpoint, Endpoints, Protocol, Service, ServicePort

Body = Mapping[str, Any]

_SERVICE_OF_SLICE = "kubernetes.io/service-name"
"""The label by which an EndpointSlice says whose it is (discovery/v1)."""


def service_of(body: Body) -> Service:
    """The Service that an object describes."""
    meta, spec = body["metadata"], body.get("spec") or {}
    ports = tuple(
        ServicePort(
            port["port"],
            Protocol(port.get("protocol") or "TCP"),
            port.get("name") or "",
            port.get("targetPort") or port["port"],
        )
        for port in spec.get("ports") or []
    )
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
    external = spec.get("type") == EXTERNAL
    return Service(
        meta["namespace"],
        meta["name"],
        {} if external else dict(spec.get("selector") or {}),
        ports,
        headless=addresses[0] == NONE,
        cluster_ip=_address(addresses[0]),
        labels=dict(meta.get("labels") or {}),
        external_name=(spec.get("externalName") or "").removesuffix(".") if external else "",
        publishes_unready=bool(spec.get("publishNotReadyAddresses")),
    )


def endpoints_of(body: Body) -> tuple[Endpoints, ...]:
    """What an Endpoints or EndpointSlice object says.

    Addresses that are names, and those that are not ready, are left out.
    """
    meta = body["metadata"]
    if body["kind"] == "EndpointSlice":
        service = (meta.get("labels") or {}).get(_SERVICE_OF_SLICE) or ""
        addresses = [
            (text, e.get("hostname") or "")
            for e in body.get("endpoints") or []
            if (e.get("conditions") or {}).get("ready") is not False
            for text in e.get("addresses") or []
        ]
        found = _each(addresses, body.get("ports") or [])
    else:
        service = meta["name"]
        found = tuple(
            endpoint
            for subset in body.get("subsets") or []
            for endpoint in _each(
                [
                    (a.get("ip") or "", a.get("hostname") or "")
                    for a in subset.get("addresses") or []
                ],
                subset.get("ports") or [],
            )
        )
    return (Endpoints(meta["namespace"], service, found),) if service else ()


def with_endpoints(
    services: Mapping[str, Service], endpoints: Iterable[Endpoints]
) -> dict[str, Service]:
    """The Services with the addresses behind those that have no selector.

    Where a selector is, a controller writes the addresses of the pods: the pods say more.
    """
    found = dict(services)
    for one in endpoints:
        key = f"{one.namespace}/{one.service}"
        service = found.get(key)
        if service and not service.selector and not service.external_name:
            every = dict.fromkeys((*service.endpoints, *one.endpoints))
            found[key] = replace(service, endpoints=tuple(every))
    return found


def _each(addresses: Iterable[tuple[str, str]], ports: Iterable[Body]) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(
            address,
            port["port"],
            Protocol(port.get("protocol") or "TCP"),
            port.get("name") or "",
            hostname,
        )
        for text, hostname in addresses
        if (address := _address(text))
        for port in ports
        if port.get("port") and (port.get("protocol") or "TCP") in PROTOCOLS
    )


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
