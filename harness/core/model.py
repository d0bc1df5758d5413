"""The words of the Kubernetes network policy API, as frozen values.

Only what decides a verdict is kept. Field names follow the API
(https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/). What a
CiliumNetworkPolicy can say beyond it is a few more fields of the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Labels = Mapping[str, str]
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NETWORK_POLICY = "NetworkPolicy"
CILIUM_POLICY = "CiliumNetworkPolicy"
CLUSTERWIDE_POLICY = "CiliumClusterwideNetworkPolicy"


class Protocol(StrEnum):
    """A transport protocol; ICMP is none of NetworkPolicy's words: its verdict is undefined."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"
    ICMP = "ICMP"


class Direction(StrEnum):
    """The side of a flow that a policy looks at, and the values of policyTypes."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


class Operator(StrEnum):
    """The operators of a label selector's matchExpressions."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Entity(StrEnum):
    """A class of ends by where they are, as Cilium names it; NONE is nobody."""

    ALL = "all"
    WORLD = "world"
    CLUSTER = "cluster"
    CLUSTER_MESH = "cluster-mesh"
    HOST = "host"
    REMOTE_NODE = "remote-node"
    KUBE_APISERVER = "kube-apiserver"
    INGRESS = "ingress"
    HEALTH = "health"
    INIT = "init"
    UNMANAGED = "unmanaged"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One matchExpressions entry; `values` is empty for Exists and DoesNotExist."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector. matchLabels are kept as In of one value, as the API defines them.

    No requirement at all selects everything; "no selector" is None at the place of use.
    """

    requirements: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class IPBlock:
    """A CIDR and the parts cut out of it.

    `outside_only`: it never means a pod, as the CIDRs of a CiliumNetworkPolicy do not.
    """

    cidr: Network
    except_: tuple[Network, ...] = ()
    outside_only: bool = False


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """Services by name, or by a selector of their labels; an empty namespace means every one."""

    namespace: str = ""
    name: str = ""
    selector: Selector | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """One entry of from/to: an ipBlock, entity, name or Service alone, or selectors.

    podSelector alone: pods of the policy's own namespace. namespaceSelector alone: every pod of
    the selected namespaces. Both: those pods in those namespaces. `fqdn` is a name or a pattern
    (`harness.core.policy.fqdn`) of what lies outside of the cluster; empty if the peer has none.
    `unread` says in words whom the peer means where that cannot be known here: someone outside.
    """

    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: IPBlock | None = None
    entity: Entity | None = None
    fqdn: str = ""
    service: ServiceRef | None = None
    unread: str = ""


@dataclass(frozen=True, slots=True)
class PortRule:
    """One entry of ports. No port: every port of the protocol; a str: a container port's name.

    No protocol: TCP, UDP and SCTP. Of ICMP the port is the type of message: `ECHO` or `ECHO_V6`
    is what a ping sends. `dns` are the names and patterns (`harness.core.policy.fqdn`) that may
    be asked about on this port. `requests` say in words which requests or connections may pass on
    it, where that is not all of them. Both empty: its traffic is not looked into.
    """

    protocol: Protocol | None = Protocol.TCP
    port: int | str | None = None
    end_port: int | None = None
    dns: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()


ECHO, ECHO_V6 = 8, 128
"""The types of ICMP (RFC 792) and ICMPv6 (RFC 4443) that a ping sends."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One ingress or egress rule. No peers: anyone. No ports: every port and protocol.

    `proviso` says in words under which condition alone the rule lets pass, where that condition
    cannot be known here; empty: it lets pass.
    """

    peers: tuple[Peer, ...] = ()
    ports: tuple[PortRule, ...] = ()
    proviso: str = ""


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """A policy of either kind, with policyTypes already defaulted as the API server does it.

    `adds_only` are those of `policy_types` for which it isolates nobody, and only adds to what
    other policies allow (enableDefaultDeny of a CiliumNetworkPolicy). What a rule of `ingress_deny`
    or `egress_deny` matches is dropped, whatever any rule allows. A policy without a namespace is
    about the pods of all namespaces, or of those that `namespace_selector` picks.
    """

    namespace: str
    name: str
    pod_selector: Selector
    policy_types: frozenset[Direction]
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    origin: str = field(default="", compare=False)  # file:line, for messages
    kind: str = NETWORK_POLICY
    adds_only: frozenset[Direction] = frozenset()
    ingress_deny: tuple[Rule, ...] = ()
    egress_deny: tuple[Rule, ...] = ()
    namespace_selector: Selector | None = None

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules of one direction, whether policyTypes has that direction or not."""
        return self.egress if direction is Direction.EGRESS else self.ingress

    def denials(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules of one direction that deny."""
        return self.egress_deny if direction is Direction.EGRESS else self.ingress_deny

    def __str__(self) -> str:
        key = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return key if self.kind == NETWORK_POLICY else f"{self.kind} {key}"


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port on which a pod listens, and the name by which policies and Services may call it."""

    number: int
    protocol: Protocol = Protocol.TCP
    name: str = ""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace; the API server adds the label kubernetes.io/metadata.name."""

    name: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class PodRef:
    """A pod by namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """What a pod's spec says of its resolver: dnsPolicy, and the parts of dnsConfig.

    `options` are as resolv.conf has them: `ndots:2`, or a word alone.
    """

    policy: str = "ClusterFirst"
    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as policies see it, and its names. `ip` is None if it is not known; ipBlock needs it.

    `other_ip` is its address of the other family, if it has two and they are known.
    `hidden` are keys of labels that a controller adds and whose values nobody can know before.
    `hostname` and `subdomain` give the pod a name of its own in DNS, behind a headless Service. A
    pod counts as `ready` unless its status says that it is not.
    """

    namespace: str
    name: str
    labels: Labels = field(hash=False)  # a mapping: it is compared, and counts for no hash
    ports: tuple[ContainerPort, ...] = ()
    ip: Address | None = None
    host_network: bool = False
    hidden: frozenset[str] = frozenset()
    hostname: str = ""
    subdomain: str = ""
    dns: DnsSettings = DnsSettings()
    ready: bool = True
    other_ip: Address | None = None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def ref(self) -> PodRef:
        """The pod's namespace and name."""
        return PodRef(self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class External:
    """Something outside of the cluster. `ip` is None if only its name is known."""

    name: str
    ip: Address | None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service. `target` is a container port's number or name; 0 stands for `port`."""

    port: int
    protocol: Protocol = Protocol.TCP
    name: str = ""
    target: int | str = 0

    def at(self, pod: Pod) -> int | None:
        """The port of a pod behind the Service to which this port leads.

        None if `target` is a name by which the pod calls no port of this protocol: then the pod is
        not behind this port (kubernetes, pkg/api/v1/pod/util.go, FindPort).
        """
        if isinstance(self.target, int):
            return self.target or self.port
        named = (p for p in pod.ports if (p.name, p.protocol) == (self.target, self.protocol))
        return next((port.number for port in named), None)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and port behind a Service, as an Endpoints or EndpointSlice object lists it.

    `name` is the name of the Service's port that it stands for. `hostname` is the address's own
    label in DNS, if the object gives it one.
    """

    ip: Address
    port: int
    protocol: Protocol = Protocol.TCP
    name: str = ""
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses behind a Service, written by hand or by a cluster; `service` is its name."""

    namespace: str
    service: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A Service. A `headless` one has no cluster IP: DNS answers pod addresses.

    Without a selector it stands for `endpoints`, or for the DNS name `external_name`. One that
    `publishes_unready` counts pods that are not ready as well (publishNotReadyAddresses).
    """

    namespace: str
    name: str
    selector: Labels
    ports: tuple[ServicePort, ...]
    headless: bool = False
    cluster_ip: Address | None = None
    external_name: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    labels: Labels = field(default_factory=dict)
    publishes_unready: bool = False

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    def selects(self, pod: Pod) -> bool:
        """Whether the pod is behind this Service; a Service with an empty selector has no pods."""
        return (
            bool(self.selector)
            and pod.namespace == self.namespace
            and self.selector.items() <= pod.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Unread:
    """An object that could decide flows and was not read; `why` says how it could decide.

    Without a `namespace` it could decide the flows of every pod.
    """

    kind: str
    namespace: str
    name: str
    why: str
    origin: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ")


@dataclass(frozen=True, slots=True)
class Topology:
    """Who is there. Keys: a namespace's name; `namespace/name` for pods and Services.

    `unread` are objects that could decide flows, and of which no more is known than that they are.
    `assumed` says in sentences what of it nobody declares, and is taken for granted.
    """

    namespaces: Mapping[str, Namespace]
    pods: Mapping[str, Pod]
    services: Mapping[str, Service] = field(default_factory=dict)
    external: Mapping[str, External] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    assumed: tuple[str, ...] = ()

    def behind(self, service: Service) -> tuple[Pod, ...]:
        """The pods that a Service hands traffic to: those that it selects, and that are ready."""
        found = (pod for pod in self.pods.values() if service.selects(pod))
        return tuple(pod for pod in found if pod.ready or service.publishes_unready)
