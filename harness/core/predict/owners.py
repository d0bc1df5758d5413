"""Whom a DNS name means: a Service, pods of their own names, an address, or someone outside.

The zone (`harness.core.dns.zone`) says which addresses a name has; where pods have no known
addresses, only this module says whom a connection to the name comes to.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.dns.podconf import CLUSTER_DOMAIN
from harness.core.dns.zone import endpoint_label, spelled
from harness.core.model import Endpoint, External, NetworkPolicy, Pod, Service, Topology
from harness.core.policy.fqdn import matches
from harness.core.target.ask import outside

Owner = Service | tuple[Pod | External, ...]
"""A Service that translates or lists its pods, or the ends themselves; nobody if it is empty."""

_SERVICE, _ENDPOINT, _PORT = 2, 3, 4
"""How many labels a name has before `svc`: its Service's own, an endpoint's, a port's."""


def owner_of(name: str, topology: Topology) -> Owner:
    """Whom an absolute name means. The zone must have said before that the name exists."""
    full = name.lower().removesuffix(".")
    if full in topology.external:
        return (topology.external[full],)
    inner = full.removesuffix(f".{CLUSTER_DOMAIN}")
    labels = inner.removesuffix(".svc").split(".")
    if inner.endswith(".pod"):
        address = spelled(labels[-3]) if len(labels) > _SERVICE else None
        return (outside(str(address), topology),) if address else ()
    service = topology.services.get("/".join(labels[: -_SERVICE - 1 : -1]))
    if not inner.endswith(".svc") or service is None:
        return ()
    if len(labels) == _ENDPOINT:
        return tuple(_behind(service, labels[0], topology))
    return service


def end_at(endpoint: Endpoint, topology: Topology) -> Pod | External:
    """The pod at an address behind a Service, or else whoever is there outside."""
    found = (pod for pod in topology.pods.values() if pod.ip == endpoint.ip)
    return next(found, External(str(endpoint.ip), endpoint.ip))


def _behind(service: Service, label: str, topology: Topology) -> Iterable[Pod | External]:
    yield from (p for p in topology.behind(service) if endpoint_label(p, service) == label)
    address = spelled(label)
    named = (
        end
        for end in service.endpoints
        if (end.hostname.lower() == label if end.hostname else end.ip == address)
    )
    yield from dict.fromkeys(end_at(endpoint, topology) for endpoint in named)


def is_outside(name: str) -> bool:
    """Whether a name lies outside of the cluster's domain, so that others answer for it."""
    full = name.lower().removesuffix(".")
    return full != CLUSTER_DOMAIN and not full.endswith(f".{CLUSTER_DOMAIN}")


def named_in(policies: Iterable[NetworkPolicy], name: str) -> bool:
    """Whether a rule for names outside speaks of a name, and not only of all of them."""
    return any(
        peer.fqdn.strip("*.") and matches(peer.fqdn, name)
        for policy in policies
        for rule in (*policy.egress, *policy.egress_deny)
        for peer in rule.peers
        if peer.fqdn
    )
