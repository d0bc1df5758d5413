"""Where things are on a live cluster: pods, Services, and the names outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any
from typing import Protocol as Interface

from harness.core.model import Pod, Protocol
from harness.core.target import PodRef
from harness.core.target.family import Family, family_of
from harness.core.target.internet import INTERNET
from harness.edge.internet.state import Internet
from harness.edge.probe.pods import Pods
from harness.errors import ProbeError

ByFamily = Mapping[Family, str]
"""The addresses of one thing, one of each family that it has; the cluster's first family first."""


def by_family(addresses: Iterable[str]) -> ByFamily:
    """Each address by its family; of several in one family, the first counts."""
    found: dict[Family, str] = {}
    for address in addresses:
        found.setdefault(family_of(address), address)
    return found


class Addresses(Interface):
    """Where things are on the live cluster, and which pods may answer there.

    Every method raises `ProbeError` where there is no such thing.
    """

    def pod(self, ref: PodRef) -> ByFamily:
        """A pod's addresses."""
        ...

    def service(self, namespace: str, name: str) -> ByFamily:
        """A Service's cluster IPs."""
        ...

    def node(self, namespace: str, name: str) -> ByFamily:
        """The addresses of a node on which a pod behind a Service runs."""
        ...

    def node_port(self, namespace: str, name: str, port: int, protocol: Protocol) -> int:
        """The port of every node that stands for this port of a Service."""
        ...

    def external(self, name: str, port: int | None) -> ByFamily:
        """The addresses of a name outside of the cluster, at a TCP port; None is for a ping."""
        ...

    def allow_question(self, name: str) -> None:
        """Raise ProbeError if the name must not be asked for."""
        ...

    def backends(self, namespace: str, name: str) -> Sequence[PodRef]:
        """The pods behind a Service."""
        ...

    def host_name(self, ref: PodRef) -> str:
        """What a pod calls itself when it answers."""
        ...


class LabAddresses:
    """The addresses of a lab's own pods and Services, and of what is outside.

    `internet` is what the pods find outside, and None where nothing is known of it.
    """

    def __init__(self, pods: Pods, internet: Internet | None) -> None:
        self._pods = pods
        self._internet = internet

    def pod(self, ref: PodRef) -> ByFamily:
        """A pod's addresses."""
        return by_family(self._pods.address(ref))

    def service(self, namespace: str, name: str) -> ByFamily:
        """A Service's cluster IPs."""
        return by_family(self._pods.service(namespace, name))

    def node(self, namespace: str, name: str) -> ByFamily:
        """The addresses of the node of the first of the lab's pods behind the Service."""
        return by_family(self._pods.node_behind(namespace, name))

    def node_port(self, namespace: str, name: str, port: int, protocol: Protocol) -> int:
        """The port that the API server chose for the nodes."""
        return self._pods.node_port(namespace, name, port, protocol)

    def backends(self, namespace: str, name: str) -> Sequence[PodRef]:
        """The lab's pods that the Service's selector matches."""
        return self._pods.backends(namespace, name)

    def host_name(self, ref: PodRef) -> str:
        """The pod's host name, which is its live name."""
        return self._pods.host_name(ref)

    def external(self, name: str, port: int | None) -> ByFamily:
        """The addresses that stand in for a name outside of the cluster."""
        found = self._internet.address(name, port) if self._internet else None
        if self._internet is None or found is None:
            what = "a ping" if port is None else f"TCP {port}"
            raise ProbeError(
                f"nothing is known outside of the cluster that stands in for {name} ({what})",
                seen=self._known(),
                try_="use a kind cluster of policylab's own, which has the simulated internet; or "
                "name a server outside of yours that listens there: --lab-outside=ADDRESS:PORT",
            )
        return by_family(self._internet.both(found))

    def _known(self) -> str:
        if self._internet is None:
            return "--lab-context, without --lab-outside"
        if self._internet.servers:
            return f"--lab-outside={','.join(map(str, self._internet.servers))}"
        return f"known: {', '.join(INTERNET)}" if self._internet.names else "--lab-internet=real"

    def allow_question(self, name: str) -> None:
        """Raise ProbeError for a name outside of which nobody knows where it leads."""
        plain = name.rstrip(".")
        if plain in INTERNET and not (self._internet and self._internet.asked):
            raise ProbeError(
                f"nobody is asked for {plain}: where it leads is not known on this cluster",
                seen=self._known(),
                try_="use a kind cluster of policylab's own; --lab-internet=real asks all the same",
            )


class PodAddresses:
    """The addresses of pods that were found on a cluster; nothing else is asked there."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self._pods = {pod.ref: pod for pod in pods}

    def pod(self, ref: PodRef) -> ByFamily:
        """A pod's addresses."""
        found = self._pods.get(ref)
        if found is None or found.ip is None:
            raise ProbeError(f"the pod {ref} has no address that is known")
        return by_family(str(ip) for ip in (found.ip, found.other_ip) if ip)

    def host_name(self, ref: PodRef) -> str:
        """The pod's own name."""
        return ref.name

    def service(self, namespace: str, name: str) -> ByFamily:
        """No Service is asked here."""
        raise ProbeError(f"the address of the Service {namespace}/{name} is not known")

    def node(self, namespace: str, name: str) -> ByFamily:
        """No node is asked here."""
        raise ProbeError(f"the nodes of the Service {namespace}/{name} are not known")

    def node_port(self, namespace: str, name: str, port: int, protocol: Protocol) -> int:
        """No node is asked here."""
        raise ProbeError(f"the node port of {namespace}/{name}:{port} {protocol} is not known")

    def backends(self, namespace: str, name: str) -> Sequence[PodRef]:  # noqa: ARG002 - see Addresses
        """No Service is asked here."""
        return ()

    def external(self, name: str, port: int | None) -> ByFamily:  # noqa: ARG002 - see Addresses
        """Nothing outside is asked here."""
        raise ProbeError(f"the address of {name} is not known")

    def allow_question(self, name: str) -> None:
        """Any name may be asked for."""


class ClusterAddresses(PodAddresses):
    """The addresses of pods that were found on a cluster, of its Services, and of literals.

    `service_of` reads a Service by namespace and name; None if there is none.
    """

    def __init__(
        self, pods: Iterable[Pod], service_of: Callable[[str, str], Mapping[str, Any] | None]
    ) -> None:
        super().__init__(pods)
        self._service_of = service_of

    def service(self, namespace: str, name: str) -> ByFamily:
        """A Service's cluster IPs."""
        found = self._service_of(namespace, name)
        if found is None:
            raise ProbeError(f"the cluster has no Service {namespace}/{name}")
        spec = found["spec"]
        addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or "None"]
        if addresses == ["None"]:
            raise ProbeError(
                f"the Service {namespace}/{name} has no address of its own",
                try_=f"name/{name}.{namespace}:PORT asks its name server",
            )
        return by_family(addresses)

    def external(self, name: str, port: int | None) -> ByFamily:
        """An address as it is written; a name is asked of no server here."""
        try:
            return by_family([str(ip_address(name.strip("[]")))])
        except ValueError:
            raise ProbeError(
                f"{name} is no address", try_=f"name/{name}:{port or 'PORT'} asks for the name"
            ) from None
