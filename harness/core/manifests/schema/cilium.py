"""The shape of a CiliumNetworkPolicy. Source: the CRD of Cilium 1.20.2 (ciliumnetworkpolicies)."""

from __future__ import annotations

from typing import Any

from harness.core.manifests.schema.metadata import HEAD, SELECTOR, SERVER
from harness.core.manifests.schema.shapes import ANY, Beyond, Ignored

BEYOND = Beyond("what it does is not known here")

_NAMES = [{"matchName": str, "matchPattern": str}]
_CIDRS = [
    {"cidr": str, "except": [str], "cidrGroupRef": BEYOND, "cidrGroupSelector": BEYOND},
]
_PORTS = [
    {
        # Unlike NetworkPolicy, a number too is written as a text.
        "ports": [{"port": str, "endPort": int, "protocol": str}],
        "rules": {"dns": _NAMES, "http": BEYOND},
        **dict.fromkeys(("listener", "originatingTLS", "serverNames", "terminatingTLS"), BEYOND),
    }
]
_BEYOND = dict.fromkeys(("authentication", "icmps"), BEYOND)
_INGRESS = {
    "fromEndpoints": [SELECTOR],
    "fromEntities": [str],
    "fromCIDR": [str],
    "fromCIDRSet": _CIDRS,
    "toPorts": _PORTS,
    **_BEYOND,
    **dict.fromkeys(("fromGroups", "fromNodes"), BEYOND),
}
_EGRESS = {
    "toEndpoints": [SELECTOR],
    "toEntities": [str],
    "toCIDR": [str],
    "toCIDRSet": _CIDRS,
    "toFQDNs": _NAMES,
    "toPorts": _PORTS,
    **_BEYOND,
    **dict.fromkeys(("toGroups", "toNodes", "toServices"), BEYOND),
}
CILIUM_POLICY: dict[str, Any] = HEAD | {
    "spec": {
        "endpointSelector": SELECTOR,
        "ingress": [_INGRESS],
        "egress": [_EGRESS],
        "enableDefaultDeny": {"ingress": bool, "egress": bool},
        "description": Ignored(str, "it is for people"),
        **dict.fromkeys(("egressDeny", "ingressDeny", "labels", "log", "nodeSelector"), BEYOND),
    },
    "specs": BEYOND,
    "status": Ignored(ANY, SERVER),
}
