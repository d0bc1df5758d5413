"""The shape of Cilium's two kinds of policies. Source: the CRDs of Cilium 1.20.2."""

from __future__ import annotations

from typing import Any

from harness.core.manifests.schema.metadata import HEAD, SELECTOR, SERVER
from harness.core.manifests.schema.shapes import ANY, INT_OR_STR, Beyond, Free, Ignored

_NODES = Beyond("it needs Cilium's option enable-node-selector-labels, and is not known here")
_PEOPLE = "it is for people"

_NAMES = [{"matchName": str, "matchPattern": str}]
_CIDRS = [{"cidr": str, "except": [str], "cidrGroupRef": str, "cidrGroupSelector": SELECTOR}]
_GROUPS = [
    {
        "aws": {
            "labels": Free(str),
            "region": str,
            "securityGroupsIds": [str],
            "securityGroupsNames": [str],
        }
    }
]
# Unlike NetworkPolicy, a number too is written as a text.
_NUMBERS = [{"port": str, "endPort": int, "protocol": str}]
_SECRET = {"name": str, "namespace": str}
_TLS = {"secret": _SECRET, "certificate": str, "privateKey": str, "trustedCA": str}
_HTTP = [
    {
        "method": str,
        "path": str,
        "host": str,
        "headers": [str],
        "headerMatches": [{"name": str, "value": str, "mismatch": str, "secret": _SECRET}],
    }
]
_PORTS = [
    {
        "ports": _NUMBERS,
        "rules": {"dns": _NAMES, "http": _HTTP},
        "serverNames": [str],
        "listener": {
            "name": str,
            "envoyConfig": {"name": str, "kind": str},
            "priority": Ignored(int, "it orders listeners, and lets nothing pass"),
        },
        "originatingTLS": Ignored(_TLS, "it is how Cilium speaks to the far end"),
        "terminatingTLS": Ignored(_TLS, "it is how Cilium speaks to the near end"),
    }
]
_ICMPS = [{"fields": [{"family": str, "type": INT_OR_STR}]}]
_FROM = {
    "fromEndpoints": [SELECTOR],
    "fromEntities": [str],
    "fromCIDR": [str],
    "fromCIDRSet": _CIDRS,
    "fromGroups": _GROUPS,
    "fromNodes": _NODES,
    "fromRequires": Beyond("Cilium 1.20 takes it empty only"),
    "icmps": _ICMPS,
}
_TO = {
    "toEndpoints": [SELECTOR],
    "toEntities": [str],
    "toCIDR": [str],
    "toCIDRSet": _CIDRS,
    "toGroups": _GROUPS,
    "toNodes": _NODES,
    "toRequires": Beyond("Cilium 1.20 takes it empty only"),
    "toServices": [
        {
            "k8sService": {"serviceName": str, "namespace": str},
            "k8sServiceSelector": {"selector": SELECTOR, "namespace": str},
        }
    ],
    "icmps": _ICMPS,
}
_PROVEN = {"authentication": {"mode": str}}
_RULE: dict[str, Any] = {
    "endpointSelector": SELECTOR,
    "nodeSelector": SELECTOR,
    "ingress": [_FROM | _PROVEN | {"toPorts": _PORTS}],
    "ingressDeny": [_FROM | {"toPorts": [{"ports": _NUMBERS}]}],
    "egress": [_TO | _PROVEN | {"toPorts": _PORTS, "toFQDNs": _NAMES}],
    "egressDeny": [_TO | {"toPorts": [{"ports": _NUMBERS}]}],
    "enableDefaultDeny": {"ingress": bool, "egress": bool},
    "description": Ignored(str, _PEOPLE),
    "labels": Ignored([{"key": str, "source": str, "value": str}], _PEOPLE),
    "log": Ignored({"value": str}, _PEOPLE),
}
POLICY: dict[str, Any] = HEAD | {
    "spec": _RULE,
    "specs": [_RULE],
    "status": Ignored(ANY, SERVER),
}
