"""For each kind that is read, objects that have every field of its schema, between them."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

SELECTOR = {
    "matchLabels": {"a": "b"},
    "matchExpressions": [{"key": "c", "operator": "In", "values": ["d"]}],
}
META = {"name": "one", "namespace": "sea", "labels": {"a": "b"}}


def of(version: str, kind: str, /, name: str = "one", **fields: Any) -> Body:
    return {"apiVersion": version, "kind": kind, "metadata": {**META, "name": name}, **fields}


CONTAINER = {
    "name": "c",
    "restartPolicy": "Always",
    "ports": [{"containerPort": 80, "name": "http", "protocol": "TCP"}],
}
POD_SPEC: Body = {
    "containers": [{"name": "d", "ports": [{"containerPort": 90, "name": "x", "protocol": "TCP"}]}],
    "initContainers": [CONTAINER],
    "hostNetwork": True,
    "hostname": "host",
    "subdomain": "sub",
    "dnsPolicy": "ClusterFirst",
    "dnsConfig": {
        "nameservers": ["10.0.0.9"],
        "searches": ["example"],
        "options": [{"name": "ndots", "value": "2"}],
    },
}
TEMPLATE = {
    "metadata": {"name": "t", "namespace": "sea", "labels": {"a": "b", "c": "d"}},
    "spec": POD_SPEC,
}
JOB = {"parallelism": 2, "completions": 3, "suspend": False, "template": TEMPLATE}


def controller(kind: str) -> list[Body]:
    spec: Body = {"selector": SELECTOR, "template": TEMPLATE}
    if kind != "DaemonSet":
        spec["replicas"] = 2
    if kind == "StatefulSet":
        spec |= {"serviceName": "sub", "ordinals": {"start": 3}}
    return [of("apps/v1", kind, spec=spec)]


def statuses(kind: str, *statuses: Body) -> list[Body]:
    return [of("v1", kind, f"p{n}", spec=POD_SPEC, status=s) for n, s in enumerate(statuses)]


PORTS = {"ports": [{"port": "80", "endPort": 90, "protocol": "TCP"}]}
PORT = {"ports": [{"port": "80", "protocol": "TCP"}]}
_CIDRS = [
    {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]},
    {"cidrGroupRef": "group"},
    {"cidrGroupSelector": SELECTOR},
]
_GROUPS = [
    {
        "aws": {
            "labels": {"a": "b"},
            "region": "r",
            "securityGroupsIds": ["i"],
            "securityGroupsNames": ["n"],
        }
    }
]
_HTTP = {
    "method": "GET",
    "path": "/a",
    "host": "h",
    "headers": ["X: y"],
    "headerMatches": [
        {"name": "x", "value": "y", "mismatch": "LOG"},
        {"name": "x", "secret": {"name": "s", "namespace": "sea"}},
    ],
}
_ICMPS = [{"fields": [{"family": "IPv6", "type": 128}]}]


def peers(side: str) -> list[Body]:
    found: list[Body] = [
        {f"{side}Endpoints": [SELECTOR]},
        {f"{side}Entities": ["world"]},
        {f"{side}CIDR": ["10.0.0.0/8"]},
        {f"{side}CIDRSet": _CIDRS},
        {f"{side}Groups": _GROUPS},
        {"icmps": _ICMPS},
        {f"{side}Endpoints": [SELECTOR], "toPorts": [PORTS]},
    ]
    if side == "to":
        found += [
            {"toServices": [{"k8sService": {"serviceName": "s", "namespace": "sea"}}]},
            {"toServices": [{"k8sServiceSelector": {"selector": SELECTOR, "namespace": "sea"}}]},
        ]
    return found


def allowing(side: str) -> list[Body]:
    envoy = {"name": "l", "envoyConfig": {"name": "e", "kind": "CiliumEnvoyConfig"}}
    found = [
        *peers(side),
        {f"{side}Endpoints": [SELECTOR], "authentication": {"mode": "required"}},
        {"toPorts": [PORT | {"rules": {"http": [_HTTP]}}]},
        {"toPorts": [PORT | {"serverNames": ["n.example"]}]},
        {"toPorts": [PORT | {"listener": envoy}]},
    ]
    if side == "from":
        return found
    names = [{"matchName": "a.example"}, {"matchPattern": "*.b.example"}]
    dns = {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": names}}
    return [*found, {"toPorts": [dns]}, {"toFQDNs": names}]


def cilium(kind: str) -> list[Body]:
    every = {
        "ingress": allowing("from"),
        "ingressDeny": peers("from"),
        "egress": allowing("to"),
        "egressDeny": peers("to"),
    }
    specs: list[Body] = [
        {"endpointSelector": {}, direction: [rule]}
        for direction, rules in every.items()
        for rule in rules
    ]
    default = {"ingress": True, "egress": True}
    both = {"ingress": [{}], "egress": [{}], "enableDefaultDeny": default}
    specs.append({"endpointSelector": SELECTOR} | both)
    # Each is small, so that many changes of each can be read.
    found = [of("cilium.io/v2", kind, f"one-{n}", spec=spec) for n, spec in enumerate(specs)]
    found += [of("cilium.io/v2", kind, f"of-{n}", specs=[spec]) for n, spec in enumerate(specs)]
    if kind == "CiliumClusterwideNetworkPolicy":
        of_nodes = {"nodeSelector": SELECTOR, "ingress": [{}]}
        found.append(of("cilium.io/v2", kind, "three", spec=of_nodes))
        found.append(of("cilium.io/v2", kind, "four", specs=[of_nodes]))
        for body in found:
            body["metadata"] = {"name": body["metadata"]["name"]}
    return found


_NP_PEERS = [
    {"podSelector": SELECTOR, "namespaceSelector": SELECTOR},
    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
]
_NP_PORTS = [{"protocol": "TCP", "port": 80, "endPort": 90}, {"port": "http"}]

_SLICE = of(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    addressType="IPv4",
    endpoints=[{"addresses": ["10.0.0.1"], "hostname": "h", "conditions": {"ready": True}}],
    ports=[{"name": "p", "port": 80, "protocol": "TCP"}],
)
_SLICE["metadata"] = {**META, "labels": {"kubernetes.io/service-name": "s"}}

_SERVICE_PORT = {"name": "http", "protocol": "TCP", "port": 80, "targetPort": 81}

EXAMPLES: dict[str, list[Body]] = {
    "Namespace": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sea", "labels": {"a": "b"}}}
    ],
    "Pod": statuses(
        "Pod",
        {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
        },
        {"phase": "Running", "podIPs": [{"ip": "10.0.0.2"}]},
        {"conditions": [{"type": "Ready", "status": "False"}]},
    ),
    "Service": [
        of(
            "v1",
            "Service",
            spec={
                "selector": {"a": "b"},
                "clusterIP": "10.0.0.1",
                "clusterIPs": ["10.0.0.1"],
                "type": "ClusterIP",
                "ports": [_SERVICE_PORT],
                "publishNotReadyAddresses": True,
            },
        ),
        of(
            "v1",
            "Service",
            "two",
            spec={"clusterIP": "10.0.0.2", "type": "ClusterIP", "ports": [_SERVICE_PORT]},
        ),
        of(
            "v1",
            "Service",
            "three",
            spec={"clusterIPs": ["10.0.0.3"], "ports": [_SERVICE_PORT]},
        ),
        of(
            "v1",
            "Service",
            "four",
            spec={"type": "ExternalName", "externalName": "x.example", "ports": [_SERVICE_PORT]},
        ),
    ],
    "Endpoints": [
        of(
            "v1",
            "Endpoints",
            subsets=[
                {
                    "addresses": [{"ip": "10.0.0.1", "hostname": "h"}],
                    "ports": [{"name": "p", "port": 80, "protocol": "TCP"}],
                }
            ],
        )
    ],
    "ConfigMap": [of("v1", "ConfigMap", data={"flows": "[]"})],
    "ReplicationController": [
        of(
            "v1",
            "ReplicationController",
            spec={"replicas": 2, "selector": {"a": "b"}, "template": TEMPLATE},
        )
    ],
    **{kind: controller(kind) for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")},
    "Job": [
        of("batch/v1", "Job", spec=JOB, status={"conditions": [{"type": "x", "status": "True"}]}),
        of(
            "batch/v1",
            "Job",
            "two",
            spec=JOB,
            status={"conditions": [{"type": "Complete", "status": "True"}]},
        ),
    ],
    "CronJob": [
        of(
            "batch/v1",
            "CronJob",
            spec={"suspend": False, "jobTemplate": {"metadata": {}, "spec": JOB}},
        )
    ],
    "EndpointSlice": [_SLICE],
    "NetworkPolicy": [
        of(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            spec={
                "podSelector": SELECTOR,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": _NP_PEERS, "ports": _NP_PORTS}],
                "egress": [{"to": _NP_PEERS, "ports": _NP_PORTS}],
            },
        )
    ],
    "CiliumNetworkPolicy": cilium("CiliumNetworkPolicy"),
    "CiliumClusterwideNetworkPolicy": cilium("CiliumClusterwideNetworkPolicy"),
}
