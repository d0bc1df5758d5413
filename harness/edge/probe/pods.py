"""The lab's pods and Services on the live cluster: started, ready for probes, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from harness.core.manifests.liveobjects import addresses_of, node_addresses_of
from harness.core.manifests.reader import Resource, pods_of
from harness.core.model import Pod, Service
from harness.core.predict.scenario import Scenario
from harness.core.probe.container import TOOLBOX
from harness.core.target import PodRef
from harness.core.target.family import IPV4, Families, family_of
from harness.edge.api.kube import Kube
from harness.edge.api.livenames import LiveNames
from harness.edge.api.replicas import live_replicas
from harness.edge.probe.beside import equip, pod_lacks
from harness.errors import ClusterNotReady, ProbeError

IMAGE_PREFIX = "localhost/policylab/"
NO_PROBER = ("policylab/prober", "none")
"""The annotation of a workload that nobody probes, and that need not become ready."""


class Pods:
    """Knows every pod that was started here; each pod has a prober."""

    def __init__(
        self,
        kube: Kube,
        images: Mapping[str, str],
        names: LiveNames,
        families: Families = IPV4,
    ) -> None:
        self._kube = kube
        self._images = images
        self._names = names
        self._families = families
        self._addresses: dict[PodRef, tuple[str, ...]] = {}
        self._pods: dict[PodRef, Pod] = {}
        self._nodes: dict[PodRef, tuple[str, ...]] = {}
        self._services: dict[str, tuple[tuple[str, ...], Service]] = {}
        self._node_ports: dict[tuple[str, int, str], int] = {}

    @property
    def known(self) -> tuple[PodRef, ...]:
        """All pods that were started and not removed."""
        return tuple(self._addresses)

    @property
    def addresses(self) -> dict[str, str]:
        """The first addresses of the pods that were started, by NAMESPACE/NAME."""
        return {str(pod): found[0] for pod, found in self._addresses.items()}

    @property
    def other_addresses(self) -> dict[str, str]:
        """The same of their second addresses, for the pods that have two."""
        return {str(pod): found[1] for pod, found in self._addresses.items() if found[1:]}

    @property
    def nodes(self) -> dict[PodRef, str]:
        """The address of each pod's node, where it is known."""
        return {pod: found[0] for pod, found in self._nodes.items() if found}

    @property
    def standing(self) -> dict[PodRef, Pod]:
        """The pods that were started, with the labels and addresses that they got."""
        found = {}
        for ref, pod in self._pods.items():
            first, *more = (ip_address(address) for address in self._addresses[ref])
            found[ref] = replace(pod, ip=first, other_ip=more[0] if more else None)
        return found

    def as_applied(self, body: dict[str, Any]) -> dict[str, Any]:
        """The object, changed in place, with our images as this cluster calls them.

        Its pods die at once when they are deleted: nobody waits for a lab's last words. On a
        cluster of two families a Service has an address of each, unless it says what it wants:
        otherwise it would have the first family alone (Kubernetes docs, "IPv4/IPv6 dual-stack").
        """
        two = len(self._families) > 1
        if two and body["kind"] == "Service" and body["spec"].get("type") != "ExternalName":
            body["spec"].setdefault("ipFamilyPolicy", "PreferDualStack")
        if body["kind"] in ("Pod", "Deployment"):
            spec = body["spec"]
            spec = spec.get("template", {}).get("spec", spec)
            spec["terminationGracePeriodSeconds"] = 0
            for container in spec["containers"]:
                container["image"] = self._image(container["image"])
        return body

    def _image(self, reference: str) -> str:
        name = reference.removeprefix(IMAGE_PREFIX).partition(":")[0]
        return (
            self._images.get(name, reference) if reference.startswith(IMAGE_PREFIX) else reference
        )

    def start(self, workloads: Iterable[Resource]) -> None:
        """Put a prober beside each pod of these objects, and wait until pod and prober run.

        Raises:
            ClusterNotReady: they do not in time; the message has their states.
        """
        live = {ref: name for each in workloads for ref, name in self._live(each).items()}
        if not live:
            return
        self._names.learn(live)
        bodies = equip(
            self._kube,
            [PodRef(pod.namespace, name) for pod, name in live.items()],
            self._image(TOOLBOX),
            lacks=pod_lacks,
            try_=f"kubectl -n {next(iter(live)).namespace} describe pods",
        )
        for ref, name in live.items():
            body = bodies[PodRef(ref.namespace, name)]
            self._addresses[ref] = self._found(ref, body)
            self._nodes[ref] = node_addresses_of(body)
            labels = body["metadata"].get("labels", {})
            self._pods[ref] = Pod(ref.namespace, ref.name, labels)

    def _found(self, ref: PodRef, body: Mapping[str, Any]) -> tuple[str, ...]:
        """The addresses of a pod that runs: one of each family of the cluster."""
        found = tuple(filter(None, addresses_of(body)))
        lacking = [each for each in self._families if each not in map(family_of, found)]
        if lacking:
            raise ClusterNotReady(
                f"the pod {ref} has no address of {' and '.join(lacking)}, and the cluster has it",
                where=self._kube.where,
                seen=f"its addresses: {', '.join(found)}",
                try_="does the CNI give both? kubectl get pods -o yaml has status.podIPs",
            )
        return found

    def _live(self, workload: Resource) -> dict[PodRef, str]:
        """The live names of an object's pods; of a Deployment, once they all are there."""
        refs = refs_of(workload)
        if not refs or is_unprobed(workload):
            return {}
        if workload.kind == "Pod":
            return {ref: ref.name for ref in refs}
        names = self._kube.wait(
            f"the Deployment {workload.namespace}/{workload.name} has its pods, and no old ones",
            lambda: live_replicas(self._kube, workload, len(refs)),
            seconds=self._kube.patience.pods_ready,
            try_=f"kubectl -n {workload.namespace} describe deployment {workload.name}",
        )
        return dict(zip(refs, names, strict=True))

    def forget(self, pods: Iterable[PodRef]) -> None:
        """Drop pods that were removed."""
        pods = tuple(pods)
        for pod in pods:
            self._addresses.pop(pod, None)
            self._nodes.pop(pod, None)
            self._pods.pop(pod, None)
        self._names.forget(pods)

    def bodies(self, pods: Iterable[PodRef]) -> list[dict[str, Any]]:
        """Each started pod as an object that the API can be asked for."""
        return [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"namespace": pod.namespace, "name": self._names.of(pod)},
            }
            for pod in pods
            if pod in self._addresses
        ]

    def refresh_services(self, scenario: Scenario) -> None:
        """Read the cluster IPs that the API server gave to the scenario's Services."""
        self._services.clear()
        self._node_ports.clear()
        for key, service in scenario.topology.services.items():
            found = self._kube.get("v1", "Service", service.name, service.namespace)
            if found is not None:
                first = found["spec"].get("clusterIP", "")
                addresses = tuple(found["spec"].get("clusterIPs") or [first])
                selector = found["spec"].get("selector") or {}
                self._services[key] = (addresses, replace(service, selector=selector))
                for port in found["spec"].get("ports") or ():
                    if number := port.get("nodePort"):
                        entry = (key, port["port"], port.get("protocol", "TCP"))
                        self._node_ports[entry] = number

    def address(self, pod: PodRef) -> tuple[str, ...]:
        """A pod's addresses.

        Raises:
            ProbeError: the pod was not started here.
        """
        if pod not in self._addresses:
            raise ProbeError(f"the pod {pod} does not run", where=self._kube.where)
        return self._addresses[pod]

    def host_name(self, pod: PodRef) -> str:
        """The pod's host name, which is its live name."""
        return self._names.of(pod)

    def service(self, namespace: str, name: str) -> tuple[str, ...]:
        """A Service's cluster IPs.

        Raises:
            ProbeError: the cluster has no such Service.
        """
        if f"{namespace}/{name}" not in self._services:
            raise ProbeError(
                f"the cluster has no Service {namespace}/{name}", where=self._kube.where
            )
        return self._services[f"{namespace}/{name}"][0]

    def node_behind(self, namespace: str, name: str) -> tuple[str, ...]:
        """The addresses of the node of a pod behind a Service, of each family one.

        Raises:
            ProbeError: no pod of ours is behind it.
        """
        behind = self.backends(namespace, name)
        if not behind:
            raise ProbeError(f"no pod is behind the Service {namespace}/{name}")
        return self._nodes[behind[0]]

    def node_port(self, namespace: str, name: str, port: int, protocol: str) -> int:
        """The port of every node that stands for a port of a Service.

        Raises:
            ProbeError: the Service has none.
        """
        key = (f"{namespace}/{name}", port, protocol)
        if key not in self._node_ports:
            what = f"the port {protocol} {port} of the Service {namespace}/{name} has no node port"
            raise ProbeError(what, where=self._kube.where)
        return self._node_ports[key]

    def backends(self, namespace: str, name: str) -> Sequence[PodRef]:
        """The pods of ours that a Service's selector matches."""
        if (found := self._services.get(f"{namespace}/{name}")) is None:
            return []
        return [ref for ref, pod in self._pods.items() if found[1].selects(pod)]


def refs_of(*workloads: Resource) -> list[PodRef]:
    """How tables call the pods of these objects."""
    return [p.ref for each in workloads for p in pods_of(each)]


def is_unprobed(workload: Resource) -> bool:
    """Whether nobody probes the object's pods: they need not even become ready."""
    return NO_PROBER in (workload.body["metadata"].get("annotations") or {}).items()
