"""The namespaces of policylab on a cluster: their removal, and the wait until they are usable."""

from __future__ import annotations

from collections.abc import Iterable

from harness.edge.api.kube import Kube, Object, named
from harness.edge.machine.wait import NotYet
from harness.errors import ContentError

OWNER = {"app.kubernetes.io/managed-by": "policylab"}
"""The label of policylab's own objects; policylab changes no namespace without it."""


def clear(kube: Kube, namespaces: Iterable[str]) -> None:
    """Remove the namespaces of these names that an earlier run left.

    Raises:
        ContentError: a namespace with such a name exists, and policylab did not make it.
    """
    left = []
    for name in namespaces:
        found = kube.get("v1", "Namespace", name)
        if found is None:
            continue
        labels = found["metadata"].get("labels", {})
        if OWNER.items() - labels.items():
            raise ContentError(
                f"the namespace {name} exists, and policylab did not make it",
                where=kube.where,
                seen=f"labels: {labels}",
                try_="use another cluster, or rename the namespace; policylab changes only its "
                "own namespaces",
            )
        left.append(found)
    for found in left:
        kube.delete(found)
    wait_gone(kube, left)


def wait_usable(kube: Kube, namespace: str) -> None:
    """Wait until a new namespace has its service account; the API server refuses pods before."""

    def usable() -> None:
        if kube.get("v1", "ServiceAccount", "default", namespace) is None:
            raise NotYet("it has no service account yet")

    kube.wait(
        f"the namespace {namespace} can hold pods", usable, seconds=kube.patience.namespace_usable
    )


def wait_gone(kube: Kube, bodies: Iterable[Object]) -> None:
    """Wait until the objects are gone; each object may take the whole deadline.

    Raises:
        ClusterNotReady: an object still exists; the message says what holds it.
    """
    for body in bodies:

        def gone(body: Object = body) -> None:
            meta = body["metadata"]
            left = kube.get(body["apiVersion"], body["kind"], meta["name"], meta.get("namespace"))
            if left is not None:
                status = left.get("status", {})
                holds = status.get("conditions") or left["metadata"].get("finalizers")
                raise NotYet(f"{named(body)} is still there: {holds}")

        kube.wait(f"{named(body)} is gone", gone, seconds=kube.patience.objects_gone)
