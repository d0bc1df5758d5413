"""What else is on a cluster: policies of somebody else's, and what a killed run left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.core.conformance.placing import PREFIX
from harness.core.fuzz.cases import PREFIX as FUZZ
from harness.core.manifests.library import POLICY_APIS
from harness.edge.api.kube import Kube, Object
from harness.edge.api.namespaces import OWNER, wait_gone
from harness.edge.probe.nodes.agents import PREFIX as AGENTS
from harness.edge.stage.gate import NAMESPACE as GATE
from harness.errors import ClusterNotReady, ContentError
from harness.listing import few

USER = "conformance"
"""Whom the canaries of a run belong to."""

OWN = (PREFIX, FUZZ, f"{GATE}-{USER}", "policylab-lifecycle", AGENTS)
"""The beginnings of the names of a run's namespaces."""

CLUSTER_WIDE = (
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
)
"""Kinds of policy that may decide flows of every namespace, and so of a run."""

SHOWN = 5


def notes(kube: Kube) -> Iterator[str]:
    """What a reader must know of policies that stand there, as sentences; none are touched."""
    metas = [body["metadata"] for body in left_behind(kube)]
    # What is on its way out belongs to a run that has ended.
    if runs := sorted(str(meta["name"]) for meta in metas if "deletionTimestamp" not in meta):
        yield (
            f"Namespaces of another run are there ({few(runs, SHOWN)}): it still goes on and "
            "shares the machine, or it was killed; `policylab conformance --sweep` removes them."
        )
    yield from _of_namespaces(kube)
    for version, kind in CLUSTER_WIDE:
        try:
            found = kube.list(version, kind)
        except ContentError:
            continue  # the cluster has no such kind
        except ClusterNotReady as error:
            yield f"Whether the cluster has a {kind} is not known: {error.seen or error.what}"
            continue
        if found:
            names = few((body["metadata"]["name"] for body in found), SHOWN)
            yield (
                f"The cluster has {len(found)} objects of the kind {kind} ({names}). They may "
                "decide flows of this run as well."
            )


def _of_namespaces(kube: Kube) -> Iterator[str]:
    for kind in ("NetworkPolicy", "CiliumNetworkPolicy"):
        try:
            found = kube.list(POLICY_APIS[kind], kind)
        except (ContentError, ClusterNotReady):
            continue
        spaces = Counter(str(body["metadata"]["namespace"]) for body in found)
        foreign = {space: count for space, count in spaces.items() if not _is_own(space)}
        if foreign:
            yield (
                f"{sum(foreign.values())} objects of the kind {kind} stand in other namespaces "
                f"({few(sorted(foreign), SHOWN)}). They are left as they are, and select no pod of "
                "this run."
            )


def left_behind(kube: Kube) -> list[Object]:
    """The namespaces that an earlier run of conformance left: by policylab's label and the name."""
    ((label, value),) = OWNER.items()
    found = kube.list("v1", "Namespace", selector=f"{label}={value}")
    return [body for body in found if _is_own(str(body["metadata"]["name"]))]


def sweep(kube: Kube) -> list[str]:
    """Remove them; their names.

    Raises:
        ClusterNotReady: one does not go.
    """
    left = left_behind(kube)
    for body in left:
        kube.delete({"apiVersion": "v1", "kind": "Namespace", **body})
    wait_gone(kube, [{"apiVersion": "v1", "kind": "Namespace", **body} for body in left])
    return sorted(str(body["metadata"]["name"]) for body in left)


def _is_own(namespace: str) -> bool:
    return namespace.startswith(OWN)
