"""Which kinds and fields a lab's manifest may have: all that labs need, and no more.

A shape is a type (a value of it), a list with one shape (a list of such), a dict (exactly these
fields), or `Free` (any keys). What is not here is refused by name, never guessed.
Source: the API reference of Kubernetes 1.34.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from harness.core.yamltree import Document, Path


@dataclass(frozen=True, slots=True)
class Free:
    """A mapping with keys of the author's choice, and values of one shape."""

    shape: Any


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
        if key in shape:
            found += _faults(item, shape[key], (*path, key))
            continue
        near = get_close_matches(key, shape, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(shape)}"
        found.append(((*path, key), f"unknown field `{key}`{hint}"))
    return found


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{value!r}"
