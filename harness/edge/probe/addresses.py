"""Where things are on a live cluster: pods, Services, and the names outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from harness.core.model import Pod
from harness.core.target import PodRef
from harness.core.target.internet import INTERNET
from harness.edge.probe.pods import Pods
from harness.errors import ProbeError


class Addresses(Protocol):
    """Where things are on the live cluster, and which pods may answer there.

    Every method raises `ProbeError` where there is no such thing.
    """

    def pod(self, ref: PodRef) -> str:
        """A pod's address."""
        ...

    def service(self, namespace: str, name: str) -> str:
        """A Service's cluster IP."""
        ...

    def external(self, name: str) -> str:
        """The address of a name outside of the cluster."""
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
    """The addresses of a lab's own pods and Services, and of the simulated internet.

    `internet` maps the names outside to the addresses that stand in for them. It is empty where
    pods ask the real internet, and None where nothing is known of the outside.
    """

    def __init__(self, pods: Pods, internet: Mapping[str, str] | None) -> None:
        self._pods = pods
        self._internet = internet

    def pod(self, ref: PodRef) -> str:
        """A pod's address."""
        return self._pods.address(ref)

    def service(self, namespace: str, name: str) -> str:
        """A Service's cluster IP."""
        return self._pods.service(namespace, name)

    def backends(self, namespace: str, name: str) -> Sequence[PodRef]:
        """The lab's pods that the Service's selector matches."""
        return self._pods.backends(namespace, name)

    def host_name(self, ref: PodRef) -> str:
        """The pod's host name, which is its live name."""
        return self._pods.host_name(ref)

    def external(self, name: str) -> str:
        """The address that stands in for a name outside of the cluster."""
        if not self._internet or name not in self._internet:
            real = self._internet is not None and not self._internet
            seen = "--lab-internet=real" if real else "an existing cluster (--lab-context) has none"
            raise ProbeError(
                f"there is no simulated internet, so nothing stands in for {name}",
                seen=seen,
                try_=f"use a kind cluster of policylab's own; known: {', '.join(INTERNET)}",
            )
        return self._internet[name]

    def allow_question(self, name: str) -> None:
        """Raise ProbeError for a name outside that neither has a stand-in nor is the real one."""
        if self._internet != {} and name.rstrip(".") in INTERNET:
            self.external(name.rstrip("."))


class PodAddresses:
    """The addresses of pods that were found on a cluster; nothing else is asked there."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self._pods = {pod.ref: pod for pod in pods}

    def pod(self, ref: PodRef) -> str:
        """A pod's address."""
        found = self._pods.get(ref)
        if found is None or found.ip is None:
            raise ProbeError(f"the pod {ref} has no address that is known")
        return str(found.ip)

    def host_name(self, ref: PodRef) -> str:
        """The pod's own name."""
        return ref.name

    def service(self, namespace: str, name: str) -> str:
        """No Service is asked here."""
        raise ProbeError(f"the address of the Service {namespace}/{name} is not known")

    def backends(self, namespace: str, name: str) -> Sequence[PodRef]:  # noqa: ARG002 - see Addresses
        """No Service is asked here."""
        return ()

    def external(self, name: str) -> str:
        """Nothing outside is asked here."""
        raise ProbeError(f"the address of {name} is not known")

    def allow_question(self, name: str) -> None:
        """Any name may be asked for."""
