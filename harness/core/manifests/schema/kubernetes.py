"""The shapes of Kubernetes' own kinds that decide flows.

Sources: the types of networking/v1, core/v1, apps/v1 and batch/v1 in Kubernetes 1.37.
"""

from __future__ import annotations

from typing import Any

from harness.core.manifests.schema.metadata import HEAD, SELECTOR, SERVER, SOME_META
from harness.core.manifests.schema.shapes import ANY, INT_OR_STR, Free, Ignored, Open

NAMESPACE: dict[str, Any] = HEAD | {
    "spec": Ignored({"finalizers": [str]}, "it delays deletion only"),
    "status": Ignored(ANY, SERVER),
}

_PORTS = [{"protocol": str, "port": INT_OR_STR, "endPort": int}]
_PEERS = [
    {
        "podSelector": SELECTOR,
        "namespaceSelector": SELECTOR,
        "ipBlock": {"cidr": str, "except": [str]},
    }
]
NETWORK_POLICY: dict[str, Any] = HEAD | {
    "spec": {
        "podSelector": SELECTOR,
        "policyTypes": [str],
        "ingress": [{"from": _PEERS, "ports": _PORTS}],
        "egress": [{"to": _PEERS, "ports": _PORTS}],
    },
    "status": Ignored(ANY, "a server before 1.28 wrote it"),
}

_BALANCED = "it says how traffic from outside comes in, not who may send it"
_CHOSEN = "it chooses among the pods behind the Service"
SERVICE: dict[str, Any] = HEAD | {
    "spec": {
        "selector": Free(str),
        "clusterIP": str,
        "clusterIPs": [str],
        "type": str,
        "ports": [
            {
                "name": str,
                "protocol": str,
                "port": int,
                "targetPort": INT_OR_STR,
                "nodePort": Ignored(int, _BALANCED),
                "appProtocol": Ignored(str, "it is a hint for load balancers"),
            }
        ],
        "externalName": str,
        "publishNotReadyAddresses": bool,
        "externalIPs": Ignored([str], _BALANCED),
        "loadBalancerIP": Ignored(str, _BALANCED),
        "loadBalancerSourceRanges": Ignored([str], "the load balancer outside enforces it"),
        "loadBalancerClass": Ignored(str, _BALANCED),
        "allocateLoadBalancerNodePorts": Ignored(bool, _BALANCED),
        "externalTrafficPolicy": Ignored(str, _BALANCED),
        "healthCheckNodePort": Ignored(int, _BALANCED),
        "sessionAffinity": Ignored(str, _CHOSEN),
        "sessionAffinityConfig": Ignored({"clientIP": {"timeoutSeconds": int}}, _CHOSEN),
        "internalTrafficPolicy": Ignored(str, _CHOSEN),
        "trafficDistribution": Ignored(str, _CHOSEN),
        "ipFamilies": Ignored([str], "addresses of Services come from the cluster"),
        "ipFamilyPolicy": Ignored(str, "addresses of Services come from the cluster"),
    },
    "status": Ignored(ANY, SERVER),
}
_ENDPOINT_PORT = Open({"name": str, "port": int, "protocol": str}, frozenset({"appProtocol"}))
ENDPOINTS = Open(
    {
        "apiVersion": str,
        "kind": str,
        "metadata": SOME_META,
        "subsets": [
            Open(
                {
                    "addresses": [
                        Open({"ip": str, "hostname": str}, frozenset({"nodeName", "targetRef"}))
                    ],
                    "ports": [_ENDPOINT_PORT],
                },
                frozenset({"notReadyAddresses"}),
            )
        ],
    }
)
ENDPOINT_SLICE = Open(
    {
        "apiVersion": str,
        "kind": str,
        "metadata": SOME_META,
        "addressType": str,
        "endpoints": [
            Open(
                {
                    "addresses": [str],
                    "hostname": str,
                    "conditions": Open({"ready": bool}, frozenset({"serving", "terminating"})),
                },
                frozenset({"deprecatedTopology", "hints", "nodeName", "targetRef", "zone"}),
            )
        ],
        "ports": [_ENDPOINT_PORT],
    }
)

_CONTAINER_OTHERS = """
image command args workingDir envFrom env resources resizePolicy restartPolicyRules volumeMounts
volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath
terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty
"""
_POD_OTHERS = """
volumes ephemeralContainers restartPolicy terminationGracePeriodSeconds nodeSelector nodeName
activeDeadlineSeconds serviceAccountName serviceAccount automountServiceAccountToken hostPID hostIPC
shareProcessNamespace securityContext imagePullSecrets affinity tolerations schedulerName
hostAliases priorityClassName priority readinessGates runtimeClassName overhead enableServiceLinks
os hostUsers preemptionPolicy topologySpreadConstraints setHostnameAsFQDN schedulingGates
resourceClaims resources hostnameOverride schedulingGroup evictionResponders
"""
_CONTAINER_FIELDS: dict[str, Any] = {
    "name": str,
    "ports": [
        Open(
            {"containerPort": int, "name": str, "protocol": str},
            frozenset({"hostPort", "hostIP"}),
        )
    ],
}
_CONTAINER = Open(_CONTAINER_FIELDS, frozenset((*_CONTAINER_OTHERS.split(), "restartPolicy")))
_INIT_CONTAINER = Open(
    _CONTAINER_FIELDS | {"restartPolicy": str}, frozenset(_CONTAINER_OTHERS.split())
)
POD_SPEC: dict[str, Any] = {
    "containers": [_CONTAINER],
    "initContainers": [_INIT_CONTAINER],
    "hostNetwork": bool,
    "hostname": str,
    "subdomain": str,
    "dnsPolicy": str,
    "dnsConfig": {
        "nameservers": [str],
        "searches": [str],
        "options": [{"name": str, "value": str}],
    },
}
_POD = Open(POD_SPEC, frozenset(_POD_OTHERS.split()))
_TEMPLATE = Open({"metadata": SOME_META, "spec": _POD})
_SOME_HEAD: dict[str, Any] = {"apiVersion": str, "kind": str, "metadata": SOME_META}
_CONDITIONS = [Open({"type": str, "status": str})]
POD = Open(
    _SOME_HEAD
    | {
        "spec": _POD,
        "status": Open(
            {
                "phase": str,
                "podIP": str,
                "podIPs": [Open({"ip": str})],
                "conditions": _CONDITIONS,
            }
        ),
    }
)
_SET: dict[str, Any] = {"selector": SELECTOR, "template": _TEMPLATE}
DAEMON_SET = Open(_SOME_HEAD | {"spec": Open(_SET)})
CONTROLLER = Open(_SOME_HEAD | {"spec": Open(_SET | {"replicas": int})})
"""Deployment and ReplicaSet."""
STATEFUL_SET = Open(
    _SOME_HEAD
    | {"spec": Open(_SET | {"replicas": int, "serviceName": str, "ordinals": Open({"start": int})})}
)

REPLICATION_CONTROLLER = Open(
    _SOME_HEAD | {"spec": Open({"replicas": int, "selector": Free(str), "template": _TEMPLATE})}
)
_JOB_OTHERS = """
podFailurePolicy successPolicy activeDeadlineSeconds backoffLimit backoffLimitPerIndex
maxFailedIndexes selector manualSelector ttlSecondsAfterFinished completionMode podReplacementPolicy
managedBy
"""
_JOB_SPEC = Open(
    {"parallelism": int, "completions": int, "suspend": bool, "template": _TEMPLATE},
    frozenset(_JOB_OTHERS.split()),
)
JOB = Open(
    _SOME_HEAD
    | {
        "spec": _JOB_SPEC,
        "status": Open({"conditions": _CONDITIONS}),
    }
)
CRON_JOB = Open(
    _SOME_HEAD
    | {"spec": Open({"suspend": bool, "jobTemplate": Open({"spec": _JOB_SPEC, "metadata": ANY})})}
)
CONFIG_MAP = Open(_SOME_HEAD | {"data": Free(str)})
