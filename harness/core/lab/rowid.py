"""The id of a row: its step, its client and its target, in words to type after `-k`.

    deny-payment-api-to-secure-db-6379          a pod's port (-udp at the end over UDP)
    deny-payment-api-to-svc-secure-db-6379      svc, net and name say the kind of the address
    deny-payment-api-ping-net-google.com        every other kind begins with its own word
    named-dns-test-dns-tcp-kubernetes.io-a      a question over TCP, and its type at the end
    no-service-dns-test-questions-absolute-google.com          the name was written with a last dot

Namespaces are left out, unless two rows of a table would share their id without them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from harness.core.model import Protocol
from harness.core.target import (
    Blocked,
    DnsQuery,
    ExternalPort,
    Fact,
    Lookup,
    NamePort,
    NodePort,
    Ping,
    PodPort,
    PodRef,
    Questions,
    ServiceAddress,
    Target,
)
from harness.core.target.ask import Ask


def row_ids(rows: Sequence[tuple[str, Ask]]) -> list[str]:
    """An id for each row of a table, from its step and its flow; equal rows share an id."""
    short = [_id(step, ask, full=False) for step, ask in rows]
    counts = Counter(short)
    return [
        row_id if counts[row_id] == 1 else _id(step, ask, full=True)
        for row_id, (step, ask) in zip(short, rows, strict=True)
    ]


def _id(step: str, ask: Ask, *, full: bool) -> str:
    words = f"{step}-{_pod(ask.source, full=full)}-{_words(ask.target, full=full)}"
    return re.sub(r"[^a-z0-9._-]+", "-", words.lower())


def _words(target: Target, *, full: bool) -> str:
    match target:
        case PodPort(pod, port, protocol):
            return f"to-{_pod(pod, full=full)}-{port}{_over(protocol)}"
        case ServiceAddress() | NodePort():
            service = f"{target.namespace}.{target.name}" if full else target.name
            kind = "svc" if isinstance(target, ServiceAddress) else "nodeport"
            return f"to-{kind}-{service}-{target.port}{_over(target.protocol)}"
        case ExternalPort(name, port, protocol):
            return f"to-net-{name}-{port}{_over(protocol)}"
        case NamePort(name, port):
            return f"to-name-{_name(name)}-{port}"
        case Ping(PodRef() as pod):
            return f"ping-{_pod(pod, full=full)}"
        case DnsQuery(rdtype, qname, tcp):
            return f"dns-{'tcp-' if tcp else ''}{qname.removesuffix('.')}-{rdtype}"
        case Lookup(name):
            return f"lookup-{_name(name)}"
        case Questions(name):
            return f"questions-{_name(name)}"
        case Blocked(PodPort(pod, port, protocol)):
            return f"blocked-{_pod(pod, full=full)}-{port}{_over(protocol)}"
    return f"fact-{target.name}" if isinstance(target, Fact) and not full else str(target)


def _pod(pod: PodRef, *, full: bool) -> str:
    return f"{pod.namespace}.{pod.name}" if full else pod.name


def _over(protocol: Protocol) -> str:
    return "-udp" if protocol is Protocol.UDP else ""


def _name(name: str) -> str:
    return f"absolute-{name.removesuffix('.')}" if name.endswith(".") else name
