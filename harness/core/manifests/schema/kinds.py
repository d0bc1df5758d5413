"""Which kinds of objects are read, which are passed over, and which could decide but are not read.

Sources: the kinds that Kubernetes 1.37 serves (k8s.io/api v0.37.2, register.go of each group) and
those of Cilium 1.20.2 (its CRDs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.core.manifests.schema import cilium, kubernetes
from harness.core.manifests.schema.shapes import nearest


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that is read: its shape, and whether its objects live in a namespace."""

    group: str
    version: str
    name: str
    shape: Any
    namespaced: bool = True

    @property
    def custom(self) -> bool:
        """Whether it is a custom resource, whose fields may not be null."""
        return "." in self.group and not self.group.endswith(".k8s.io")

    @property
    def api_version(self) -> str:
        """As an object's apiVersion has it."""
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass(frozen=True, slots=True)
class Other:
    """A kind that is passed over. `decides` says how it could decide a flow; empty if it cannot."""

    name: str
    decides: str = ""


@dataclass(frozen=True, slots=True)
class NotAKind:
    """A kind that the API server does not serve: the field that is wrong, and why."""

    field: str
    why: str


READ = tuple(
    Kind(*entry)
    for entry in (
        ("", "v1", "Namespace", kubernetes.NAMESPACE, False),
        ("", "v1", "Pod", kubernetes.POD),
        ("", "v1", "Service", kubernetes.SERVICE),
        ("", "v1", "Endpoints", kubernetes.ENDPOINTS),
        ("", "v1", "ConfigMap", kubernetes.CONFIG_MAP),
        ("", "v1", "ReplicationController", kubernetes.REPLICATION_CONTROLLER),
        ("apps", "v1", "Deployment", kubernetes.CONTROLLER),
        ("apps", "v1", "ReplicaSet", kubernetes.CONTROLLER),
        ("apps", "v1", "StatefulSet", kubernetes.STATEFUL_SET),
        ("apps", "v1", "DaemonSet", kubernetes.DAEMON_SET),
        ("batch", "v1", "Job", kubernetes.JOB),
        ("batch", "v1", "CronJob", kubernetes.CRON_JOB),
        ("discovery.k8s.io", "v1", "EndpointSlice", kubernetes.ENDPOINT_SLICE),
        ("networking.k8s.io", "v1", "NetworkPolicy", kubernetes.NETWORK_POLICY),
        ("cilium.io", "v2", "CiliumNetworkPolicy", cilium.POLICY),
        ("cilium.io", "v2", "CiliumClusterwideNetworkPolicy", cilium.POLICY, False),
    )
)
_BY_NAME = {kind.name: kind for kind in READ}
_PASSED_OVER = {
    "": (
        "Binding ComponentStatus Event LimitRange Node PersistentVolume PersistentVolumeClaim "
        "PodTemplate ResourceQuota Secret ServiceAccount"
    ),
    "apps": "ControllerRevision",
    "batch": "",
    "discovery.k8s.io": "",
    "networking.k8s.io": "Ingress IngressClass IPAddress ServiceCIDR",
    "cilium.io": (
        "CiliumBGPAdvertisement CiliumBGPClusterConfig CiliumBGPNodeConfig CiliumBGPPeerConfig "
        "CiliumBGPNodeConfigOverride CiliumCIDRGroup CiliumClusterwideEnvoyConfig "
        "CiliumDatapathPlugin CiliumEgressGatewayPolicy "
        "CiliumEndpoint CiliumEndpointSlice CiliumEnvoyConfig CiliumGatewayClassConfig "
        "CiliumIdentity CiliumL2AnnouncementPolicy CiliumLoadBalancerIPPool "
        "CiliumLocalRedirectPolicy CiliumNode CiliumNodeConfig CiliumPodIPPool"
    ),
}
"""The other kinds of the groups in which a kind is read: a misspelt kind there is a fault."""

_BEFORE = "it can allow or deny flows before any NetworkPolicy is asked"
_BESIDE = "it can allow or deny flows beside NetworkPolicies"
_TURNS = "it can turn a flow away to another target"
_NAMED = "by its name it can allow or deny flows"
_SUFFIX = "NetworkPolicy"
"""How the kind of a policy ends that a CNI or a cloud adds: there are more than anybody lists."""
_NOT_ENFORCED, _OTHER_INTERFACES = "Staged", "MultiNetworkPolicy"
"""Calico's policies of which nothing is enforced yet, and the policies of further interfaces."""
_DECIDES = {
    ("policy.networking.k8s.io", "AdminNetworkPolicy"): ("v1alpha1", _BEFORE),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"): ("v1alpha2", _BEFORE),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): (
        "v1alpha1",
        "it can deny flows of pods that no NetworkPolicy selects",
    ),
    ("cilium.io", "CiliumLocalRedirectPolicy"): ("v2", _TURNS),
    ("cilium.io", "CiliumEnvoyConfig"): ("v2", _TURNS),
    ("cilium.io", "CiliumClusterwideEnvoyConfig"): ("v2", _TURNS),
    ("projectcalico.org", "NetworkPolicy"): ("v3", _BEFORE),
    ("projectcalico.org", "GlobalNetworkPolicy"): ("v3", _BEFORE),
    ("crd.projectcalico.org", "NetworkPolicy"): ("v1", _BEFORE),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"): ("v1", _BEFORE),
    ("crd.antrea.io", "NetworkPolicy"): ("v1beta1", _BEFORE),
    ("crd.antrea.io", "ClusterNetworkPolicy"): ("v1beta1", _BEFORE),
    ("k8s.ovn.org", "EgressFirewall"): ("v1", _BESIDE),
    ("security.istio.io", "AuthorizationPolicy"): ("v1", _BESIDE),
    ("security.istio.io", "PeerAuthentication"): ("v1", _BESIDE),
    ("networking.istio.io", "Sidecar"): ("v1", _BESIDE),
    ("policy.linkerd.io", "Server"): ("v1beta3", _BESIDE),
    ("policy.linkerd.io", "AuthorizationPolicy"): ("v1alpha1", _BESIDE),
    ("policy.linkerd.io", "ServerAuthorization"): ("v1beta1", _BESIDE),
    ("kuma.io", "MeshTrafficPermission"): ("v1alpha1", _BESIDE),
    ("consul.hashicorp.com", "ServiceIntentions"): ("v1alpha1", _BESIDE),
    ("network.openshift.io", "EgressNetworkPolicy"): ("v1", _BESIDE),
    ("vpcresources.k8s.aws", "SecurityGroupPolicy"): ("v1beta1", _BESIDE),
}
"""In which version a cluster is asked for the kind, and how its objects could decide flows."""
DECIDING = tuple((f"{group}/{_DECIDES[group, kind][0]}", kind) for group, kind in _DECIDES)
"""The apiVersion and the kind of what could decide flows and is not read."""
_LISTS = "List"


def kind_of(api_version: str, name: str) -> Kind | Other | NotAKind:
    """What an object's apiVersion and kind mean to policylab."""
    group, _, version = api_version.rpartition("/")
    read = _BY_NAME.get(name)
    if read is not None and read.group == group:
        if read.version == version:
            return read
        return NotAKind("apiVersion", f"of a {name} must be {read.api_version}, not {api_version}")
    if decides := _DECIDES.get((group, name)):
        return Other(name, decides[1])
    if read is not None and is_own(group):
        return NotAKind("apiVersion", f"of a {name} must be {read.api_version}, not {api_version}")
    if group in _PASSED_OVER and name not in _PASSED_OVER[group].split():
        return NotAKind("kind", f"{name} ({api_version}) is not a kind that is served{_near(name)}")
    return Other(name, _NAMED if _sounds_deciding(group, name) else "")


def list_items(body: dict[str, Any]) -> bool:
    """Whether an object is a list of objects, as `kubectl get -o yaml` and the API print them."""
    return str(body.get("kind")).endswith(_LISTS) and isinstance(body.get("items", []), list)


def _sounds_deciding(group: str, name: str) -> bool:
    """Whether a custom resource of which nothing is known has the name of a policy for flows."""
    if "." not in group or name == _OTHER_INTERFACES or name.startswith(_NOT_ENFORCED):
        return False
    return name.endswith(_SUFFIX)


def is_own(group: str) -> bool:
    """Whether a group is one of Kubernetes' own, where no other kind of that name can be."""
    return "." not in group or group.endswith(".k8s.io")


def _near(name: str) -> str:
    known = [*_BY_NAME, *(kind for kinds in _PASSED_OVER.values() for kind in kinds.split())]
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else ""
