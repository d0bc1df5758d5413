"""What the pods of the manifests are called on the live cluster.

A table speaks of `shop/web-2`, the second pod of the Deployment `web`; on the cluster that pod has
a generated name. `Pods` fills this in, and whoever runs kubectl or compares a host name reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.core.target import PodRef


class LiveNames:
    """Live names by pod; a pod that was not told of bears its own."""

    def __init__(self) -> None:
        self._names: dict[PodRef, str] = {}

    def of(self, pod: PodRef) -> str:
        """The pod's `metadata.name`, which is also its host name."""
        return self._names.get(pod, pod.name)

    def learn(self, names: Mapping[PodRef, str]) -> None:
        """Take in what pods are called; what was known of them before no longer counts."""
        self._names.update(names)

    def forget(self, pods: Iterable[PodRef]) -> None:
        """Drop pods that were removed."""
        for pod in pods:
            self._names.pop(pod, None)
