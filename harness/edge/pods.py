"""The lab's pods and Services on the live cluster: started, ready for probes, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.predict import Scenario
from harness.core.target import PodRef
from harness.edge.kube import Kube
from harness.edge.stream import CONTAINER
from harness.edge.wait import NotYet
from harness.errors import ProbeError

IMAGE_PREFIX = "localhost/policylab/"
TOOLBOX = f"{IMAGE_PREFIX}toolbox:lab"
READY_SECONDS = 60.0


class Pods:
    """Knows every pod that was started here, each with a prober beside it."""

    def __init__(self, kube: Kube, images: Mapping[str, str]) -> None:
        self._kube = kube
        self._images = images
        self._addresses: dict[PodRef, str] = {}
        self._labels: dict[PodRef, Mapping[str, str]] = {}
        self._services: dict[str, tuple[str, Mapping[str, str]]] = {}

    @property
    def known(self) -> tuple[PodRef, ...]:
        """All pods that were started and not removed."""
        return tuple(self._addresses)

    def with_images(self, body: dict[str, Any]) -> dict[str, Any]:
        """The object with our images' names replaced by what this cluster calls them."""
        spec = body.get("spec", {})
        spec = spec.get("template", {}).get("spec", spec)
        for container in (
            spec.get("containers", []) if body["kind"] in ("Pod", "Deployment") else []
        ):
            container["image"] = self._image(container["image"])
        return body

    def _image(self, reference: str) -> str:
        name = reference.removeprefix(IMAGE_PREFIX).partition(":")[0]
        return (
            self._images.get(name, reference) if reference.startswith(IMAGE_PREFIX) else reference
        )

    def start(self, pods: Sequence[PodRef]) -> None:
        """Put a prober beside each pod, and wait until pod and prober run.

        Raises:
            ClusterNotReady: they do not within `READY_SECONDS`; the message has their states.
        """
        for pod in pods:
            self._kube.add_ephemeral(pod.namespace, pod.name, self._prober_container())
        namespaces = sorted({pod.namespace for pod in pods})
        wanted = set(pods)

        def running() -> None:
            missing = dict.fromkeys(map(str, wanted), "not listed")
            for namespace in namespaces:
                for body in self._kube.list("v1", "Pod", namespace):
                    ref = PodRef(namespace, body["metadata"]["name"])
                    if ref not in wanted:
                        continue
                    state = _state(body)
                    if state:
                        missing[str(ref)] = state
                        continue
                    del missing[str(ref)]
                    self._addresses[ref] = body["status"]["podIP"]
                    self._labels[ref] = body["metadata"].get("labels", {})
            if missing:
                raise NotYet("; ".join(f"{name}: {state}" for name, state in missing.items()))

        self._kube.wait(
            f"{len(wanted)} pods and their probers run",
            running,
            seconds=READY_SECONDS,
            try_=f"kubectl -n {namespaces[0]} describe pods",
        )

    def running(self, namespace: str, selector: str) -> int:
        """How many pods of that label are ready, with their probers running."""
        bodies = self._kube.list("v1", "Pod", namespace, selector=selector)
        return sum(
            not _state(body) and "deletionTimestamp" not in body["metadata"] for body in bodies
        )

    def _prober_container(self) -> dict[str, Any]:
        return {
            "name": CONTAINER,
            "image": self._image(TOOLBOX),
            "imagePullPolicy": "IfNotPresent",
            "command": ["sleep", "infinity"],
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }

    def forget(self, pods: Iterable[PodRef]) -> None:
        """Drop pods that were removed."""
        for pod in pods:
            self._addresses.pop(pod, None)
            self._labels.pop(pod, None)

    def refresh_services(self, scenario: Scenario) -> None:
        """Read the cluster IPs that the API server gave to the scenario's Services."""
        self._services.clear()
        for key, service in scenario.topology.services.items():
            found = self._kube.get("v1", "Service", service.name, service.namespace)
            if found is not None:
                address = found["spec"].get("clusterIP", "")
                self._services[key] = (address, found["spec"].get("selector") or {})

    def address(self, pod: PodRef) -> str:
        """A pod's address.

        Raises:
            ProbeError: the pod was not started here.
        """
        if pod not in self._addresses:
            raise ProbeError(f"the pod {pod} does not run", where=self._kube.where)
        return self._addresses[pod]

    def service(self, namespace: str, name: str) -> str:
        """A Service's cluster IP.

        Raises:
            ProbeError: the cluster has no such Service.
        """
        if f"{namespace}/{name}" not in self._services:
            raise ProbeError(
                f"the cluster has no Service {namespace}/{name}", where=self._kube.where
            )
        return self._services[f"{namespace}/{name}"][0]

    def backends(self, namespace: str, name: str) -> Sequence[PodRef]:
        """The pods of ours that a Service's selector matches."""
        selector = self._services.get(f"{namespace}/{name}", ("", {}))[1]
        return [
            pod
            for pod, labels in self._labels.items()
            if pod.namespace == namespace and selector and selector.items() <= labels.items()
        ]


def _state(body: Mapping[str, Any]) -> str:
    """What a pod still lacks; empty when it is Ready, has an address and its prober runs."""
    status = body.get("status", {})
    ready = any(
        c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])
    )
    if not ready or not status.get("podIP"):
        waiting = [
            s["state"]["waiting"].get("reason", "waiting")
            for s in status.get("containerStatuses", [])
            if "waiting" in s.get("state", {})
        ]
        return f"{status.get('phase', 'no phase')} {' '.join(waiting)}".strip()
    for probe in status.get("ephemeralContainerStatuses", []):
        if probe["name"] == CONTAINER and "running" in probe.get("state", {}):
            return ""
    return "the prober does not run yet"
