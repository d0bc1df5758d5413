"""A flow of the oracle as a probe can ask for it."""

from __future__ import annotations

from dataclasses import replace

from harness.core.model import External, Pod, Protocol
from harness.core.predict.settle import EXTERNAL_NAME, KNOWN_NAME
from harness.core.target import DnsQuery, ServiceAddress
from harness.core.target.ask import Ask, Flow

SYSTEM = "kube-system"
DNS_PORT, HTTP_PORT = 53, 80


def ask_of(flow: Flow) -> Ask | None:
    """The probe for a flow, or None where none is needed or can be made.

    One name stands for all that is outside. CoreDNS is asked through its Service, as clients do.
    """
    if not isinstance(flow.source, Pod):
        return None
    ask = Ask(flow.source.ref, flow.direct)
    if isinstance(flow.target, External):
        stands = (flow.target.name, flow.port) == (EXTERNAL_NAME, HTTP_PORT)
        return ask if stands else None
    if flow.target.namespace != SYSTEM:
        return ask
    if flow.port == DNS_PORT:
        return replace(ask, target=DnsQuery("A", KNOWN_NAME, tcp=flow.protocol is Protocol.TCP))
    return replace(ask, target=ServiceAddress(SYSTEM, "kube-dns", flow.port, flow.protocol))
