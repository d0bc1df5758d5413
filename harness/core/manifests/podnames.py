"""Names for pods that no manifest names, so that no pod takes the place of another.

A Deployment's pods are called NAME-1 and so on, for nobody knows their names before. Such a name
may be that of another pod, as where a CronJob has the name of a Deployment, or that of another
workload.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from harness.core.manifests.reader import Resource, pods_of
from harness.core.manifests.workloads import NAMED, WORKLOADS

Taken = set[tuple[str, str]]


def told_apart(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The resources, and each made-up pod has a name that no other pod and no workload has."""
    found = tuple(resources)
    taken: Taken = {(each.namespace, each.name) for each in found if each.kind in WORKLOADS}
    named = (pod for each in found if each.kind in NAMED for pod in pods_of(each))
    taken |= {(pod.namespace, pod.name) for pod in named}
    return tuple(each if each.kind in NAMED else _renamed(each, taken) for each in found)


def _renamed(resource: Resource, taken: Taken) -> Resource:
    pods = pods_of(resource)
    names = [pod.name for pod in pods]
    free = [name for name in names if (resource.namespace, name) not in taken]
    if len(free) < len(names):
        free = _free(resource, len(names), taken)
    taken |= {(resource.namespace, name) for name in free}
    if free == names:
        return resource
    return replace(
        resource, models=tuple(replace(pod, name=n) for pod, n in zip(pods, free, strict=True))
    )


def _free(resource: Resource, wanted: int, taken: Taken) -> list[str]:
    names = (f"{resource.name}-{number}" for number in count(1))
    free = (name for name in names if (resource.namespace, name) not in taken)
    return [next(free) for _ in range(wanted)]
