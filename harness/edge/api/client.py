"""The Kubernetes API by the official client: the real `harness.edge.api.kube.Kube`.

Objects are plain dicts and go in by server-side apply (KEP-555), so that what a manifest says is
what the API server gets. Exec is not here: probing and replaying go through kubectl.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError, ResourceNotFoundError
from urllib3.exceptions import HTTPError

from harness.edge.api.kube import Object, named
from harness.edge.machine.clock import MACHINE_CLOCK
from harness.edge.machine.wait import wait_for
from harness.errors import ClusterNotReady, ContentError

FIELD_MANAGER = "policylab"
REQUEST_SECONDS = 10.0

T = TypeVar("T")


class KubeClient:
    """A connection to one cluster's API."""

    clock = MACHINE_CLOCK

    def __init__(self, kubeconfig: Path, context: str = "") -> None:
        self.where = f"{kubeconfig}" + (f", context {context}" if context else "")
        self._resources: dict[tuple[str, str], Any] = {}
        self._client = self._asking(lambda: self._connect(kubeconfig, context))
        self._core = client.CoreV1Api(self._client.client)

    @staticmethod
    def _connect(kubeconfig: Path, context: str) -> Any:
        api = config.new_client_from_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), context=context or None
        )
        return dynamic.DynamicClient(api)  # type: ignore[no-untyped-call]

    def _asking(self, call: Callable[[], Any]) -> Any:
        """Turn transport failures into a fault that says which cluster did not answer."""
        try:
            return call()
        except (HTTPError, OSError, config.ConfigException) as error:
            raise ClusterNotReady(
                "the Kubernetes API does not answer",
                where=self.where,
                seen=f"{type(error).__name__}: {error}",
                try_="policylab cluster status",
            ) from error

    def resource(self, api_version: str, kind: str) -> Any:
        """The dynamic client's resource of that kind.

        Raises:
            ContentError: the cluster has no such kind (a CRD that is not installed).
        """
        key = (api_version, kind)
        if key not in self._resources:
            try:
                self._resources[key] = self._asking(
                    lambda: self._client.resources.get(api_version=api_version, kind=kind)
                )
            except ResourceNotFoundError as error:
                raise ContentError(
                    f"the cluster knows no {kind} of {api_version}",
                    where=self.where,
                    try_="a CiliumNetworkPolicy needs a cluster that runs Cilium",
                ) from error
        return self._resources[key]

    def apply(self, body: Object) -> dict[str, Any]:
        """Server-side apply one object, and return it as the server keeps it.

        Raises:
            ContentError: the server refuses the object; its own words are in the message.
        """
        resource = self.resource(body["apiVersion"], body["kind"])
        try:
            found = self._asking(
                lambda: resource.server_side_apply(
                    body=dict(body),
                    namespace=body["metadata"].get("namespace"),
                    field_manager=FIELD_MANAGER,
                    force_conflicts=True,
                    _request_timeout=REQUEST_SECONDS,
                )
            )
        except ApiException as error:
            raise ContentError(
                f"the API server refuses {named(body)}", where=self.where, seen=_words(error)
            ) from error
        return dict(found.to_dict())

    def delete(self, body: Object, *, grace: int | None = None) -> None:
        """Delete one object; one that is gone already is fine. `grace` in seconds."""
        resource = self.resource(body["apiVersion"], body["kind"])
        options = {} if grace is None else {"grace_period_seconds": grace}
        try:
            self._asking(
                lambda: resource.delete(
                    name=body["metadata"]["name"],
                    namespace=body["metadata"].get("namespace"),
                    _request_timeout=REQUEST_SECONDS,
                    **options,
                )
            )
        except NotFoundError:
            return
        except ApiException as error:
            raise ContentError(
                f"the API server does not delete {named(body)}",
                where=self.where,
                seen=_words(error),
            ) from error

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """One object, or None."""
        resource = self.resource(api_version, kind)
        try:
            found = self._asking(
                lambda: resource.get(
                    name=name, namespace=namespace, _request_timeout=REQUEST_SECONDS
                )
            )
        except NotFoundError:
            return None
        except ApiException as error:
            raise self._no_answer(f"does not show {kind} {name}", error) from error
        return dict(found.to_dict())

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, selector: str = ""
    ) -> list[dict[str, Any]]:
        """All objects of a kind, in one namespace or in all, by label selector."""
        resource = self.resource(api_version, kind)
        try:
            found = self._asking(
                lambda: resource.get(
                    namespace=namespace,
                    label_selector=selector or None,
                    _request_timeout=REQUEST_SECONDS,
                )
            )
        except ApiException as error:
            raise self._no_answer(f"does not list {kind}s of {namespace}", error) from error
        return [dict(item.to_dict()) for item in found.items]

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        since_seconds: int | None = None,
        previous: bool = False,
        timestamps: bool = False,
    ) -> str:
        """A pod's log, from `since_seconds` ago on.

        With `timestamps`, each line begins with the time at which it was written, and a blank.

        Raises:
            ClusterNotReady: the kubelet gives no log.
        """
        try:
            return str(
                self._asking(
                    lambda: self._core.read_namespaced_pod_log(
                        name=pod,
                        namespace=namespace,
                        previous=previous,
                        timestamps=timestamps,
                        since_seconds=since_seconds,
                        _request_timeout=REQUEST_SECONDS,
                    )
                )
            )
        except ApiException as error:
            raise ClusterNotReady(
                f"no log of {namespace}/{pod}", where=self.where, seen=_words(error)
            ) from error

    def add_ephemeral(self, namespace: str, pod: str, container: Object) -> None:
        """Add an ephemeral container to a running pod (KEP-277); one of that name is left alone."""
        resource = self.resource("v1", "Pod")
        body = {"spec": {"ephemeralContainers": [dict(container)]}}
        try:
            self._asking(
                lambda: resource.subresources["ephemeralcontainers"].patch(
                    name=pod,
                    namespace=namespace,
                    body=body,
                    content_type="application/strategic-merge-patch+json",
                    _request_timeout=REQUEST_SECONDS,
                )
            )
        except ConflictError:
            # Somebody else changed the pod meanwhile: the patch carries no version.
            self.add_ephemeral(namespace, pod, container)
        except ApiException as error:
            raise self._no_answer(f"adds no prober to {namespace}/{pod}", error) from error

    def _no_answer(self, what: str, error: ApiException) -> ClusterNotReady:
        return ClusterNotReady(f"the API server {what}", where=self.where, seen=_words(error))

    def wait(
        self,
        condition: str,
        check: Callable[[], T],
        *,
        seconds: float,
        every: float = 0.1,
        try_: str = "",
    ) -> T:
        """Wait for a condition on this cluster (see `harness.edge.machine.wait`)."""
        return wait_for(
            condition,
            check,
            seconds=seconds,
            every=every,
            fault=ClusterNotReady,
            where=self.where,
            try_=try_,
        )


def _words(error: ApiException) -> str:
    return f"{error.status} {error.reason}: {str(error.body)[:600]}"
