"""The kinds of target: each prints itself (`str`) in the form in which a table has it.

`words` says what the row does, for people. `protocol` and `port` say over what it is done; they
are None where no packet of a row has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from harness.core.model import ContainerPort, Pod, PodRef, Protocol

DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class PodPort:
    """A port at a pod's own address."""

    pod: PodRef
    port: int
    protocol: Protocol

    def __str__(self) -> str:
        return f"pod/{self.pod}:{self.port}{_suffix(self.protocol)}"

    @property
    def words(self) -> str:
        """What the client tries."""
        return f"{self.pod}:{self.port}{_over(self.protocol)}"


def ports_of(pod: Pod, ports: Iterable[ContainerPort] | None = None) -> tuple[PodPort, ...]:
    """Every port that the pod declares or, if `ports` is given, these ports of the pod."""
    chosen = pod.ports if ports is None else ports
    return tuple(PodPort(pod.ref, port.number, port.protocol) for port in chosen)


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """A port at a Service's cluster IP."""

    namespace: str
    name: str
    port: int
    protocol: Protocol

    def __str__(self) -> str:
        return f"svc/{self.namespace}/{self.name}:{self.port}{_suffix(self.protocol)}"

    @property
    def words(self) -> str:
        """What the client tries."""
        return f"Service {self.namespace}/{self.name}:{self.port}{_over(self.protocol)}"


@dataclass(frozen=True, slots=True)
class NodePort:
    """A port of a Service at the address of a node: the node of a pod behind the Service.

    `port` is the Service's own port; the cluster chooses the port of the node.
    """

    namespace: str
    name: str
    port: int
    protocol: Protocol

    def __str__(self) -> str:
        return f"nodeport/{self.namespace}/{self.name}:{self.port}{_suffix(self.protocol)}"

    @property
    def words(self) -> str:
        """What the client tries."""
        service = f"{self.namespace}/{self.name}:{self.port}"
        return f"Service {service}{_over(self.protocol)} at the address of a node"


@dataclass(frozen=True, slots=True)
class ExternalPort:
    """A port of something outside of the cluster, reached by its address, without asking DNS."""

    name: str
    port: int
    protocol: Protocol

    def __str__(self) -> str:
        return f"net/{self.name}:{self.port}{_suffix(self.protocol)}"

    @property
    def words(self) -> str:
        """What the client tries."""
        return f"{self.name}:{self.port}{_over(self.protocol)} by address"


@dataclass(frozen=True, slots=True)
class NamePort:
    """A name that the pod resolves, and the TCP port it then connects to, as with a URL."""

    protocol: ClassVar[Protocol] = Protocol.TCP

    name: str
    port: int

    def __str__(self) -> str:
        return f"name/{self.name}:{self.port}"

    @property
    def words(self) -> str:
        """What the client tries."""
        return f"{self.name}:{self.port} by name"


@dataclass(frozen=True, slots=True)
class Ping:
    """One ICMP echo to a pod or to a name outside of the cluster."""

    protocol: ClassVar[Protocol] = Protocol.ICMP
    port: ClassVar[None] = None

    target: PodRef | str

    def __str__(self) -> str:
        return f"ping/{'net' if isinstance(self.target, str) else 'pod'}/{self.target}"

    @property
    def words(self) -> str:
        """What the client tries."""
        return f"ping {self.target}"


@dataclass(frozen=True, slots=True)
class DnsQuery:
    """One question with an absolute name, as `dig` asks it; `qname` ends with a dot."""

    port: ClassVar[int] = DNS_PORT

    rdtype: str
    qname: str
    tcp: bool = False

    @property
    def protocol(self) -> Protocol:
        """What carries the question."""
        return Protocol.TCP if self.tcp else Protocol.UDP

    def __str__(self) -> str:
        return f"dns/{self.rdtype}/{self.qname.removesuffix('.')}{'/tcp' if self.tcp else ''}"

    @property
    def words(self) -> str:
        """What the client tries."""
        over = " over TCP" if self.tcp else ""
        return f"ask DNS for {self.rdtype} {self.qname.removesuffix('.')}{over}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """An address lookup through the search list (RFC 1123 6.1.4.3; resolv.conf(5))."""

    protocol: ClassVar[Protocol] = Protocol.UDP
    port: ClassVar[int] = DNS_PORT

    name: str

    def __str__(self) -> str:
        return f"lookup/{self.name}"

    @property
    def words(self) -> str:
        """What the client tries."""
        return f"look up {self.name}"


@dataclass(frozen=True, slots=True)
class Questions:
    """The number of A questions that a lookup of the name costs the name server."""

    protocol: ClassVar[Protocol] = Protocol.UDP
    port: ClassVar[int] = DNS_PORT

    name: str

    def __str__(self) -> str:
        return f"questions/{self.name}"

    @property
    def words(self) -> str:
        """What is counted."""
        return f"count the DNS questions for {self.name}"


@dataclass(frozen=True, slots=True)
class ResolverOption:
    """An option of the pod's /etc/resolv.conf, such as ndots."""

    protocol: ClassVar[None] = None
    port: ClassVar[None] = None

    name: str

    def __str__(self) -> str:
        return f"option/{self.name}"

    @property
    def words(self) -> str:
        """What is read."""
        return f"read the option {self.name} of resolv.conf"


@dataclass(frozen=True, slots=True)
class Blocked:
    """The end of a flow to `end` at which its packets are dropped, and the policies there."""

    protocol: ClassVar[None] = None
    port: ClassVar[None] = None

    end: PodPort

    def __str__(self) -> str:
        return f"blocked/{self.end}"

    @property
    def words(self) -> str:
        """What is found out."""
        return f"find the policy that blocks {self.end.words}"


@dataclass(frozen=True, slots=True)
class Rollout:
    """A manifest that goes out over the row's state, and back again if the watch finds trouble."""

    protocol: ClassVar[None] = None
    port: ClassVar[None] = None

    manifest: str

    def __str__(self) -> str:
        return f"rollout/{self.manifest}"

    @property
    def words(self) -> str:
        """What is done."""
        return f"roll out {self.manifest} and watch"


FactEnd = PodPort | NamePort | PodRef | str
"""What a fact is about: a port, a name with a port, a pod, or a DNS name."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A measurement by one of the names of `harness.core.target.facts`.

    `ends` are those that its `FactKind` asks for, in the same order.
    """

    protocol: ClassVar[None] = None
    port: ClassVar[None] = None

    name: str
    ends: tuple[FactEnd, ...] = ()

    def __str__(self) -> str:
        ends = (f"pod/{end}" if isinstance(end, PodRef) else str(end) for end in self.ends)
        return "/".join(("fact", self.name, *ends))

    @property
    def words(self) -> str:
        """What is done."""
        ends = (end if isinstance(end, str | PodRef) else end.words for end in self.ends)
        return " ".join((f"measure {self.name}", *(f"({end})" for end in ends)))


Asked = PodPort | ServiceAddress | NodePort | ExternalPort | NamePort | Ping | DnsQuery | Lookup
"""Targets that a client asks over the network: the prober puts them to the cluster."""

Measured = Questions | ResolverOption | Blocked | Rollout | Fact
"""Targets that no client sees by asking once: `harness.edge.facts` measures them."""

Target = Asked | Measured


def _suffix(protocol: Protocol) -> str:
    return "" if protocol is Protocol.TCP else f"/{protocol.lower()}"


def _over(protocol: Protocol) -> str:
    return "" if protocol is Protocol.TCP else f" over {protocol}"
