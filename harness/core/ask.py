"""A flow in the words of the tables: `shop/web -> pod/shop/api:80`."""

from __future__ import annotations

from harness.core.model import Protocol
from harness.core.target import (
    Blocked,
    DnsQuery,
    ExternalPort,
    Fact,
    Lookup,
    NamePort,
    Ping,
    PodPort,
    PodRef,
    Questions,
    ResolverOption,
    Rollout,
    ServiceAddress,
    Target,
)

Ask = tuple[PodRef, Target]


def words(ask: Ask) -> str:
    """Who asks, and whom, by the grammar of `harness.core.target`."""
    source, target = ask
    return f"{source} -> {_to(target)}"


def _to(target: Target) -> str:
    match target:
        case PodPort(pod, port, protocol):
            return f"pod/{pod}:{port}{_over(protocol)}"
        case ServiceAddress(namespace, name, port, protocol):
            return f"svc/{namespace}/{name}:{port}{_over(protocol)}"
        case ExternalPort(name, port, protocol):
            return f"net/{name}:{port}{_over(protocol)}"
        case NamePort(name, port):
            return f"name/{name}:{port}"
        case Ping(end):
            return f"ping/net/{end}" if isinstance(end, str) else f"ping/pod/{end}"
        case DnsQuery(rdtype, qname, tcp):
            return f"dns/{rdtype}/{qname.rstrip('.')}{'/tcp' if tcp else ''}"
        case Lookup(name) | Questions(name) | ResolverOption(name) | Fact(name):
            kinds = {Questions: "questions", ResolverOption: "option", Fact: "fact"}
            return f"{kinds.get(type(target), 'lookup')}/{name}"
        case Blocked(port):
            return f"blocked/{_to(port)}"
        case Rollout(manifest):
            return f"rollout/{manifest}"


def _over(protocol: Protocol) -> str:
    return "" if protocol is Protocol.TCP else f"/{protocol.lower()}"
