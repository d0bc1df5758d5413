"""Which kinds and fields a lab's manifest may have: all that labs need, and no more.

A shape is a type (a value of it), a list with one shape (a list of such), a dict (exactly these
fields), `Free` (any keys), or `BEYOND` (a field that the API has and labs do not). What is not
here is refused by name, never guessed.
Sources: the API reference of Kubernetes 1.34; the CRD of Cilium 1.20.2 (ciliumnetworkpolicies).
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from harness.core.manifests.yamltree import Document, Path


@dataclass(frozen=True, slots=True)
class Free:
    """A mapping with keys of the author's choice, and values of one shape."""

    shape: Any


BEYOND = "beyond"
"""The shape of a field that exists but whose effect is not known here: refused as unknown.

Without it a refusal would suggest the known field whose name is nearest, e.g. `egress` for
`egressDeny`.
"""

INT_OR_STR = (int, str)
_META = {"name": str, "namespace": str, "labels": Free(str), "annotations": Free(str)}
_SELECTOR = {
    "matchLabels": Free(str),
    "matchExpressions": [{"key": str, "operator": str, "values": [str]}],
}
_PORTS = [{"protocol": str, "port": INT_OR_STR, "endPort": int}]
_PEERS = [
    {
        "podSelector": _SELECTOR,
        "namespaceSelector": _SELECTOR,
        "ipBlock": {"cidr": str, "except": [str]},
    }
]
_PROBE = {
    "httpGet": {"path": str, "port": INT_OR_STR},
    "tcpSocket": {"port": INT_OR_STR},
    "exec": {"command": [str]},
    "periodSeconds": int,
    "initialDelaySeconds": int,
    "timeoutSeconds": int,
    "failureThreshold": int,
}
_SECURITY = {
    "allowPrivilegeEscalation": bool,
    "capabilities": {"drop": [str]},
    "runAsNonRoot": bool,
    "runAsUser": int,
    "readOnlyRootFilesystem": bool,
    "seccompProfile": {"type": str},
}
_CONTAINER = {
    "name": str,
    "image": str,
    "imagePullPolicy": str,
    "command": [str],
    "args": [str],
    "workingDir": str,
    "ports": [{"containerPort": int, "name": str, "protocol": str}],
    "env": [{"name": str, "value": str}],
    "resources": {"limits": Free(INT_OR_STR), "requests": Free(INT_OR_STR)},
    "securityContext": _SECURITY,
    "readinessProbe": _PROBE,
    "volumeMounts": [{"name": str, "mountPath": str, "readOnly": bool, "subPath": str}],
}
_POD = {
    "containers": [_CONTAINER],
    "restartPolicy": str,
    "terminationGracePeriodSeconds": int,
    "dnsPolicy": str,
    "dnsConfig": {
        "nameservers": [str],
        "searches": [str],
        "options": [{"name": str, "value": str}],
    },
    "nodeName": str,
    "nodeSelector": Free(str),
    "hostNetwork": bool,
    "enableServiceLinks": bool,
    "automountServiceAccountToken": bool,
    "serviceAccountName": str,
    "securityContext": _SECURITY,
    "tolerations": [{"key": str, "operator": str, "effect": str, "value": str}],
    "volumes": [
        {
            "name": str,
            "configMap": {"name": str, "items": [{"key": str, "path": str}]},
            "emptyDir": {"sizeLimit": str, "medium": str},
        }
    ],
}
_NAMES = [{"matchName": str, "matchPattern": str}]
_CIDRS = [
    {"cidr": str, "except": [str], "cidrGroupRef": BEYOND, "cidrGroupSelector": BEYOND},
]
_CILIUM_PORTS = [
    {
        # Unlike NetworkPolicy, a number too is written as a text.
        "ports": [{"port": str, "endPort": int, "protocol": str}],
        "rules": {"dns": _NAMES, "http": BEYOND},
        **dict.fromkeys(("listener", "originatingTLS", "serverNames", "terminatingTLS"), BEYOND),
    }
]
_CILIUM_BEYOND = dict.fromkeys(("authentication", "icmps"), BEYOND)
_CILIUM_INGRESS = {
    "fromEndpoints": [_SELECTOR],
    "fromEntities": [str],
    "fromCIDR": [str],
    "fromCIDRSet": _CIDRS,
    "toPorts": _CILIUM_PORTS,
    **_CILIUM_BEYOND,
    **dict.fromkeys(("fromGroups", "fromNodes", "fromRequires"), BEYOND),
}
_CILIUM_EGRESS = {
    "toEndpoints": [_SELECTOR],
    "toEntities": [str],
    "toCIDR": [str],
    "toCIDRSet": _CIDRS,
    "toFQDNs": _NAMES,
    "toPorts": _CILIUM_PORTS,
    **_CILIUM_BEYOND,
    **dict.fromkeys(("toGroups", "toNodes", "toRequires", "toServices"), BEYOND),
}
_HEAD = {"apiVersion": str, "kind": str, "metadata": _META}

SHAPES: dict[tuple[str, str], dict[str, Any]] = {
    ("v1", "Namespace"): _HEAD,
    ("v1", "ConfigMap"): _HEAD | {"data": Free(str)},
    ("v1", "Pod"): _HEAD | {"spec": _POD},
    ("v1", "Service"): _HEAD
    | {
        "spec": {
            "selector": Free(str),
            "clusterIP": str,
            "type": str,
            "ports": [{"name": str, "protocol": str, "port": int, "targetPort": INT_OR_STR}],
        }
    },
    ("apps/v1", "Deployment"): _HEAD
    | {
        "spec": {
            "replicas": int,
            "minReadySeconds": int,
            "selector": _SELECTOR,
            "template": {"metadata": _META, "spec": _POD},
        }
    },
    ("networking.k8s.io/v1", "NetworkPolicy"): _HEAD
    | {
        "spec": {
            "podSelector": _SELECTOR,
            "policyTypes": [str],
            "ingress": [{"from": _PEERS, "ports": _PORTS}],
            "egress": [{"to": _PEERS, "ports": _PORTS}],
        }
    },
    ("cilium.io/v2", "CiliumNetworkPolicy"): _HEAD
    | {
        "spec": {
            "endpointSelector": _SELECTOR,
            "ingress": [_CILIUM_INGRESS],
            "egress": [_CILIUM_EGRESS],
            "enableDefaultDeny": {"ingress": bool, "egress": bool},
            "description": str,
            **dict.fromkeys(("egressDeny", "ingressDeny", "labels", "log", "nodeSelector"), BEYOND),
        },
        "specs": BEYOND,
    },
}


def faults(document: Document, shape: Any, path: Path = ()) -> list[tuple[Path, str]]:
    """Every place where a document departs from a shape, in words."""
    return _faults(_at(document.value, path), shape, path)


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _faults(value: Any, shape: Any, path: Path) -> list[tuple[Path, str]]:
    match shape:
        case dict():
            return _fields(value, shape, path)
        case Free():
            if not isinstance(value, dict):
                return [] if value is None else [(path, f"must be a mapping, not {_kind(value)}")]
            return [
                f for key, item in value.items() for f in _faults(item, shape.shape, (*path, key))
            ]
        case list():
            if not isinstance(value, list):
                return [(path, f"must be a list, not {_kind(value)}")]
            return [f for n, item in enumerate(value) for f in _faults(item, shape[0], (*path, n))]
    wanted = shape if isinstance(shape, tuple) else (shape,)
    # In YAML `yes` is a boolean, and in Python a boolean is an int: only an exact type is meant.
    if type(value) in wanted:
        return []
    names = " or ".join({int: "a number", str: "a text", bool: "true or false"}[t] for t in wanted)
    return [(path, f"must be {names}, not {_kind(value)}")]


def _fields(value: Any, shape: dict[str, Any], path: Path) -> list[tuple[Path, str]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        return [(path, f"must be a mapping, not {_kind(value)}")]
    found: list[tuple[Path, str]] = []
    for key, item in value.items():
        if shape.get(key) == BEYOND:
            why = "the API has it, but what it does is not known here"
            found.append(((*path, key), f"unknown field `{key}`: {why}"))
            continue
        if key in shape:
            found += _faults(item, shape[key], (*path, key))
            continue
        known = [name for name, inner in shape.items() if inner != BEYOND]
        near = get_close_matches(key, known, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(known)}"
        found.append(((*path, key), f"unknown field `{key}`{hint}"))
    return found


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{value!r}"
