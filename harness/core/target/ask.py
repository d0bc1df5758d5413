"""One flow, before and after it is translated: as a person asks for it, and as policies see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address

from harness.core.model import External, Pod, PodRef, Protocol, Topology
from harness.core.target import ExternalPort, Ping, PodPort, Target
from harness.errors import ManifestError

APPLY = "correct the name, or put the manifest that has it in force"
ADDRESS = "write an address: net/198.51.100.7, net/[2001:db8::7]"
SHOWN = 400
"""Characters of a list of names in an error."""

Direct = PodPort | ExternalPort | Ping
"""Targets that need no translation: the address is that of a pod or of something outside."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the policies or to the cluster: `source` asks, `target` says whom, over what.

    Tables, command lines and lists of flows are read into asks; the oracle answers them (it knows
    what a Service or a name stands for), the prober puts them to the cluster, and matrices and
    results are keyed by them. It prints as tables write it: `shop/web -> pod/shop/api:80`.
    """

    source: PodRef
    target: Target

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, slots=True)
class Flow:
    """A new connection or datagram as policies see it: the value of an ask after its translation.

    A Service has become one of its pods, and a name its address. The ends bear the labels and
    addresses by which rules select them, and something outside may be the source as well.
    `port` is the port at the receiving end; 0 for ICMP. `translated`: the client asked for the
    address of a Service, so that its packets leave the pod even if they come back to it (a hairpin
    flow). It prints like an ask.
    """

    source: Pod | External
    target: Pod | External
    port: int
    protocol: Protocol = Protocol.TCP
    translated: bool = False

    @property
    def direct(self) -> Direct:
        """The target without its labels and addresses."""
        end = self.target
        if self.protocol is Protocol.ICMP:
            return Ping(end.ref if isinstance(end, Pod) else end.name)
        if isinstance(end, Pod):
            return PodPort(end.ref, self.port, self.protocol)
        return ExternalPort(end.name, self.port, self.protocol)

    def __str__(self) -> str:
        return f"{self.source} -> {self.direct}"


def pod_of(ref: PodRef, topology: Topology, *, where: str = "") -> Pod:
    """The pod of that name; `where` is the place of the name, for the error.

    Raises:
        ManifestError: it is not there.
    """
    if str(ref) not in topology.pods:
        raise absent(f"no manifest in force has the pod {ref}", str(ref), topology.pods, where)
    return topology.pods[str(ref)]


def end_of(target: Direct, topology: Topology, *, where: str = "") -> Pod | External:
    """Who is at the target's address; `where` is the target's place, for the error.

    Raises:
        ManifestError: nobody is there.
    """
    match target:
        case PodPort(name) | ExternalPort(name) | Ping(name):
            pass
    if isinstance(name, PodRef):
        return pod_of(name, topology, where=where)
    return outside(name, topology, where=where)


def outside(name: str, topology: Topology, *, where: str = "") -> Pod | External:
    """Who is at a name or an address: something outside of the cluster, or the pod of that address.

    An address that nothing is known of is taken to be outside of the cluster.

    Raises:
        ManifestError: it is neither an address nor the name of anything known.
    """
    if name in topology.external:
        return topology.external[name]
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        if not topology.external:
            what = f"`{name}` is no address, and where it leads outside is not known here"
            raise ManifestError(what, where=where, try_=ADDRESS) from None
        what = f"`{name}` is neither an address nor a name of the simulated internet"
        raise absent(what, name, topology.external, where, try_="write an address") from None
    own = (pod for pod in topology.pods.values() if pod.ip == address and not pod.host_network)
    return next(own, External(name, address))


def flow_of(source: PodRef, target: Direct, topology: Topology, *, where: str = "") -> Flow:
    """The flow that a pod's ask for an address comes to; `where` is the ask's place, for the error.

    Raises:
        ManifestError: an end is not there.
    """
    own, end = pod_of(source, topology, where=where), end_of(target, topology, where=where)
    return Flow(own, end, target.port or 0, target.protocol)


def absent(
    what: str, name: str, there: Iterable[str], where: str = "", *, try_: str = APPLY
) -> ManifestError:
    """The error that says `what` of a name that is not `there`: it suggests the nearest name."""
    names = sorted(there)
    near = get_close_matches(name, names, n=1)
    return ManifestError(
        what,
        where=where,
        seen=f"known: {', '.join(names) or 'none'}"[:SHOWN],
        try_=f"did you mean `{near[0]}`?" if near else try_,
    )
