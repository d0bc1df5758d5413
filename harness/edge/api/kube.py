"""The Kubernetes API, as the rest of policylab uses it.

`harness.edge.api.client` is the real implementation, and the tests have one without a cluster; mypy
checks both against this interface. Objects are plain dicts, as YAML and JSON have them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from harness.edge.machine.clock import Clock
from harness.edge.machine.patience import Patience

FIELD_MANAGER = "policylab"
"""By this name the API server keeps which fields policylab wrote (KEP-555)."""

Object = Mapping[str, Any]
T = TypeVar("T")


class Kube(Protocol):
    """The API of one cluster: apply, delete, read, wait.

    Every method raises `ClusterNotReady` if the API server does not answer.
    """

    @property
    def where(self) -> str:
        """The name of the cluster, for the `where` of an error."""
        ...

    @property
    def patience(self) -> Patience:
        """The deadlines of waits for this cluster."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock that measures waits for this cluster."""
        ...

    def apply(self, body: Object) -> dict[str, Any]:
        """Server-side apply one object (KEP-555), and return it as the server keeps it.

        Raises:
            ContentError: the server refuses the object, or does not know its kind; the server's
                own words are in the message.
        """
        ...

    def delete(self, body: Object, *, grace: int | None = None) -> None:
        """Delete one object; a missing object is not an error. `grace` is in seconds.

        Raises:
            ContentError: the server does not delete it, or does not know its kind.
        """
        ...

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """One object; None if there is no object with this name.

        Raises:
            ContentError: the server does not know the kind.
        """
        ...

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, selector: str = ""
    ) -> list[dict[str, Any]]:
        """All objects of a kind, in one namespace or in all, by label selector (`a=b,c=d`).

        Raises:
            ContentError: the server does not know the kind.
        """
        ...

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        since_seconds: int | None = None,
        previous: bool = False,
        timestamps: bool = False,
    ) -> str:
        """A pod's log, from `since_seconds` ago on; with `previous`, of the container before.

        With `timestamps`, each line begins with the time at which it was written, and a blank.

        Raises:
            ClusterNotReady: the kubelet gives no log.
        """
        ...

    def add_ephemeral(self, namespace: str, pod: str, container: Object) -> None:
        """Add an ephemeral container to a running pod (KEP-277), unless it has one of that name."""
        ...

    def wait(
        self,
        condition: str,
        check: Callable[[], T],
        *,
        seconds: float,
        every: float = 0.1,
        try_: str = "",
    ) -> T:
        """Wait for a condition on this cluster (see `harness.edge.machine.wait`).

        Raises:
            ClusterNotReady: the condition did not hold within `seconds`.
        """
        ...


def named(body: Object) -> str:
    """An object as messages name it: `Pod shop/web`."""
    meta = body["metadata"]
    space = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{body['kind']} {space}{meta['name']}"
