"""What else is on a cluster: policies of somebody else's, and what a killed run left behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from harness.core.conformance.placing import PREFIX
from harness.core.fuzz.cases import PREFIX as FUZZ
from harness.core.manifests.library import POLICY_APIS
from harness.edge.api.kube import Kube, Object
from harness.edge.api.namespaces import OWNER, wait_gone
from harness.edge.conformance.life.ground import NAMESPACE as LIFECYCLE
from harness.edge.probe.nodes.agents import PREFIX as AGENTS
from harness.edge.stage.gate import NAMESPACE as GATE
from harness.errors import ClusterNotReady, ContentError
from harness.listing import few

USER = "conformance"
"""Whom the canaries of a run belong to."""

LETTERS = "[0-9a-f]{4}"
"""The letters that a run of conformance draws, as an expression."""

_OWN = re.compile(
    rf"(?:{PREFIX}|{FUZZ})(?:-(?P<run>{LETTERS}))?-\d+-.+"
    rf"|{GATE}-{USER}(?:-(?P<gate>{LETTERS}))?"
    rf"|{LIFECYCLE}|{AGENTS}-[0-9a-f]{{6}}"
)
"""The names of namespaces of runs; those of the lifecycle and of nodes' agents have no letters."""

_FUZZ = re.compile(rf"{FUZZ}-\d+-.+")
"""The names of the namespaces of `policylab fuzz`, of which one run at a time is on a cluster."""

CLUSTER_WIDE = (
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
    ("projectcalico.org/v3", "GlobalNetworkPolicy"),
    ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
)
"""Kinds of policy that may decide flows of every namespace, and so of a run."""

SHOWN = 5

SWEEP = "policylab conformance --sweep"
"""The command that removes what runs left; with the letters of a run, of that one alone."""


def notes(kube: Kube) -> Iterator[str]:
    """What a reader must know of policies that stand there, as sentences; none are touched."""
    # What is on its way out belongs to a run that has ended.
    if runs := _staying(left_behind(kube)):
        yield (
            f"Namespaces of another run are there ({few(runs, SHOWN)}): it still goes on and "
            f"shares the machine, or it was killed; `{SWEEP}` removes them, "
            "and with the four letters in their names those of one run alone."
        )
    yield from _of_namespaces(kube)
    # Calico may show one policy in two groups of the API.
    yield from dict.fromkeys(_cluster_wide(kube))


def _cluster_wide(kube: Kube) -> Iterator[str]:
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
                f"The cluster has objects of the kind {kind} ({names}). They may decide flows "
                "of this run as well."
            )


def _of_namespaces(kube: Kube) -> Iterator[str]:
    for kind in ("NetworkPolicy", "CiliumNetworkPolicy"):
        try:
            found = kube.list(POLICY_APIS[kind], kind)
        except ContentError:
            continue  # the cluster has no such kind
        except ClusterNotReady as error:
            yield f"Whether the cluster has a {kind} is not known: {error.seen or error.what}"
            continue
        spaces = {str(body["metadata"]["namespace"]) for body in found}
        foreign = sorted(space for space in spaces if not _is_own(space))
        if foreign:
            yield (
                f"There are objects of the kind {kind} in other namespaces "
                f"({few(foreign, SHOWN)}). They are left as they are, and select no pod of "
                "this run."
            )


def left_behind(kube: Kube, run: str = "") -> list[Object]:
    """The namespaces of runs, by policylab's label and the name; with letters, those of one run."""
    ((label, value),) = OWNER.items()
    found = kube.list("v1", "Namespace", selector=f"{label}={value}")
    names = [(body, _OWN.fullmatch(str(body["metadata"]["name"]))) for body in found]
    return [body for body, own in names if own and (not run or run in own.group("run", "gate"))]


def standing(kube: Kube, run: str) -> list[str]:
    """The names of the namespaces of a run of conformance that are there and do not go yet."""
    return _staying(left_behind(kube, run))


def standing_of_fuzz(kube: Kube) -> list[str]:
    """The names of the namespaces of `policylab fuzz` that are there and do not go yet."""
    return [name for name in _staying(left_behind(kube)) if _FUZZ.fullmatch(name)]


def _staying(found: Iterable[Object]) -> list[str]:
    metas = [body["metadata"] for body in found]
    return sorted(str(meta["name"]) for meta in metas if "deletionTimestamp" not in meta)


def sweep(kube: Kube, run: str = "") -> list[str]:
    """Remove them; their names.

    Raises:
        ClusterNotReady: one does not go.
    """
    left = left_behind(kube, run)
    for body in left:
        kube.delete({"apiVersion": "v1", "kind": "Namespace", **body})
    wait_gone(kube, [{"apiVersion": "v1", "kind": "Namespace", **body} for body in left])
    return sorted(str(body["metadata"]["name"]) for body in left)


def _is_own(namespace: str) -> bool:
    """Whether a run or a gate made it; the gate of labs keeps its namespace."""
    return _OWN.fullmatch(namespace) is not None or namespace.startswith(GATE)
