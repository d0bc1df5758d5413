"""A tutorial's manifests by name, and the objects that a row's `apply` cell adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from harness.core.manifests.reader import Resource, pods_of
from harness.core.manifests.schema.kinds import READ
from harness.core.manifests.workloads import NAMED, WORKLOADS
from harness.core.model import CILIUM_POLICY, CLUSTERWIDE_POLICY, NETWORK_POLICY
from harness.errors import ContentError

Library = Mapping[str, Sequence[Resource]]

POLICY_KINDS = frozenset({NETWORK_POLICY, CILIUM_POLICY, CLUSTERWIDE_POLICY})
POLICY_APIS = {kind.name: kind.api_version for kind in READ if kind.name in POLICY_KINDS}
"""The apiVersion of each kind of policy."""


def in_force(
    library: Library, apply: Iterable[str], *, policies: bool = True, where: str = ""
) -> tuple[Resource, ...]:
    """The objects of these manifests; a later one replaces an earlier one's object of the same key.

    No pod has the name of another one (`told_apart`).

    Raises:
        ContentError: a name in `apply` is no manifest; `where` is the table's row.
    """
    wanted: dict[tuple[str, str, str], Resource] = {}
    for name in apply:
        if name not in library:
            raise ContentError(
                f"there is no manifest `{name}`",
                where=where,
                seen=f"known: {', '.join(sorted(library))}",
            )
        wanted.update({resource.key: resource for resource in library[name]})
    return told_apart(r for r in wanted.values() if policies or r.kind not in POLICY_KINDS)


def rolled_out(library: Library, manifest: str, *, where: str = "") -> tuple[Resource, ...]:
    """The policies of a manifest that goes out over a state and may be taken back.

    Raises:
        ContentError: there is no such manifest, or it has more than policies.
    """
    found = in_force(library, [manifest], where=where)
    others = [resource for resource in found if resource.kind not in POLICY_KINDS]
    if others:
        raise ContentError(
            f"a rollout changes policies only, and the manifest `{manifest}` has more",
            where=where or others[0].origin,
            seen=", ".join(f"{each.kind} {each.name}" for each in others),
        )
    return found


def namespaces_of(library: Library) -> list[str]:
    """Every namespace that the tutorial makes."""
    return sorted(
        {r.name for resources in library.values() for r in resources if r.kind == "Namespace"}
    )


def told_apart(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The resources, and each made-up pod has a name that no other pod and no workload has.

    A Deployment's pods are called NAME-1 and so on, for nobody knows their names before. Such a
    name may be that of another pod, as where a CronJob has the name of a Deployment, or that of
    another workload.
    """
    found = tuple(resources)
    taken: set[tuple[str, str]] = {
        (each.namespace, each.name) for each in found if each.kind in WORKLOADS
    }
    named = (pod for each in found if each.kind in NAMED for pod in pods_of(each))
    taken |= {(pod.namespace, pod.name) for pod in named}
    return tuple(each if each.kind in NAMED else _renamed(each, taken) for each in found)


def _renamed(resource: Resource, taken: set[tuple[str, str]]) -> Resource:
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


def _free(resource: Resource, wanted: int, taken: set[tuple[str, str]]) -> list[str]:
    names = (f"{resource.name}-{number}" for number in count(1))
    free = (name for name in names if (resource.namespace, name) not in taken)
    return [next(free) for _ in range(wanted)]
