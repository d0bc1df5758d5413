"""A tutorial's manifests by name, and the objects that a row's `apply` cell adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.core.manifests.podnames import told_apart
from harness.core.manifests.reader import Resource
from harness.core.manifests.schema.kinds import READ
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

    No pod has the name of another one (`harness.core.manifests.podnames`).

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
