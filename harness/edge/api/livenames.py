"""The names of the manifests' pods on the live cluster.

A table speaks of `shop/web-2`, the second pod of the Deployment `web`. On the cluster that pod has
a generated name. The code that starts pods fills `LiveNames` in. Code that names a pod to the API,
to kubectl or to a CNI, or that compares a host name, asks it. `LivePod` keeps both kinds of names
apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.target import PodRef


@dataclass(frozen=True, slots=True)
class LivePod:
    """A pod by its namespace and its `metadata.name` on the cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class LiveNames:
    """Live names by pod. An unknown pod keeps the name that the table gives it."""

    def __init__(self) -> None:
        self._names: dict[PodRef, str] = {}

    def of(self, pod: PodRef) -> str:
        """The pod's `metadata.name`, which is also its host name."""
        return self._names.get(pod, pod.name)

    def live(self, pod: PodRef) -> LivePod:
        """The pod under its live name."""
        return LivePod(pod.namespace, self.of(pod))

    def learn(self, names: Mapping[PodRef, str]) -> None:
        """Remember the live names of these pods, in place of any older ones."""
        self._names.update(names)

    def forget(self, pods: Iterable[PodRef]) -> None:
        """Drop pods that were removed."""
        for pod in pods:
            self._names.pop(pod, None)
