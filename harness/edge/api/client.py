"""The Kubernetes API through the official client: the real `harness.edge.api.kube.Kube`.

Objects are plain dicts. Server-side apply (KEP-555) sends them, so that the API server gets exactly
the fields of a manifest. This module has no exec: probes and replayed commands use kubectl.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from kubernetes import config, dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError, ResourceNotFoundError
from urllib3.exceptions import HTTPError

from harness.edge.api.kube import FIELD_MANAGER, Object, named
from harness.edge.files.cache import cache_home
from harness.edge.machine.clock import MACHINE_CLOCK
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import ClusterNotReady, ContentError, HarnessError

T = TypeVar("T")


class KubeClient:
    """A connection to one cluster's API.

    With an `account`, the API server takes each request as that user's, with that user's rights
    only. Whoever the kubeconfig belongs to must have the right to impersonate.
    """

    clock = MACHINE_CLOCK

    def __init__(
        self,
        kubeconfig: Path,
        context: str = "",
        patience: Patience = PATIENCE,
        *,
        account: str = "",
    ) -> None:
        self.patience = patience
        self.where = f"{kubeconfig}" + (f", context {context}" if context else "")
        self._resources: dict[tuple[str, str], Any] = {}
        with self._asking("the API server does not say which kinds it has"):
            self._client = self._connect(kubeconfig, context, account)

    @staticmethod
    def _connect(kubeconfig: Path, context: str, account: str) -> Any:
        api = config.new_client_from_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), context=context or None
        )
        if account:
            api.set_default_header("Impersonate-User", account)
        # The library keeps the kinds in a file of the shared temporary folder, under a name that
        # anybody can know; what another user put there would decide where our requests go.
        kinds = cache_home() / "discovery"
        kinds.mkdir(mode=0o700, parents=True, exist_ok=True)
        host = sha256(api.configuration.host.encode()).hexdigest()[:16]
        return dynamic.DynamicClient(  # type: ignore[no-untyped-call]
            api, cache_file=str(kinds / f"{host}.json")
        )

    @contextmanager
    def _asking(self, refusal: str, fault: type[HarnessError] = ClusterNotReady) -> Iterator[None]:
        """Turn failures of the requests in the block into faults that name the cluster.

        Raises:
            ClusterNotReady: the API server did not answer.
            HarnessError: (of type `fault`, with the sentence `refusal`) the answer was an error. If
                a status is not an error for a method, the method catches it inside of the block.
        """
        try:
            yield
        except ApiException as error:
            raise fault(refusal, where=self.where, seen=_words(error)) from error
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
            ClusterNotReady: the API server does not answer.
        """
        key = (api_version, kind)
        if key not in self._resources:
            with self._asking(f"the API server does not say whether it has the kind {kind}"):
                try:
                    found = self._client.resources.get(api_version=api_version, kind=kind)
                except ResourceNotFoundError as error:
                    raise ContentError(
                        f"the cluster has no kind {kind} of {api_version}",
                        where=self.where,
                        try_="a CiliumNetworkPolicy needs a cluster that runs Cilium",
                    ) from error
            self._resources[key] = found
        return self._resources[key]

    def apply(self, body: Object) -> dict[str, Any]:
        """Server-side apply one object; the object as the server keeps it.

        Raises:
            ContentError: the server refuses the object; its own words are in the message.
            ClusterNotReady: the API server does not answer.
        """
        resource = self.resource(body["apiVersion"], body["kind"])
        with self._asking(f"the API server refuses {named(body)}", ContentError):
            found = resource.server_side_apply(
                body=dict(body),
                namespace=body["metadata"].get("namespace"),
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
                _request_timeout=self.patience.api_answer,
            )
        return dict(found.to_dict())

    def delete(self, body: Object, *, grace: int | None = None) -> None:
        """Delete one object; a missing object is not an error. `grace` is in seconds.

        Raises:
            ContentError: the server does not delete the object.
            ClusterNotReady: the API server does not answer.
        """
        resource = self.resource(body["apiVersion"], body["kind"])
        options = {} if grace is None else {"grace_period_seconds": grace}
        with (
            self._asking(f"the API server does not delete {named(body)}", ContentError),
            suppress(NotFoundError),
        ):
            resource.delete(
                name=body["metadata"]["name"],
                namespace=body["metadata"].get("namespace"),
                _request_timeout=self.patience.api_answer,
                **options,
            )

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        """One object, or None if the cluster does not have it.

        Raises:
            ClusterNotReady: the API server does not answer, or answers with an error.
        """
        resource = self.resource(api_version, kind)
        with self._asking(f"the API server does not show {kind} {name}"):
            try:
                found = resource.get(
                    name=name, namespace=namespace, _request_timeout=self.patience.api_answer
                )
            except NotFoundError:
                return None
        return dict(found.to_dict())

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, selector: str = ""
    ) -> list[dict[str, Any]]:
        """All objects of a kind, in one namespace or in all, by label selector.

        Raises:
            ClusterNotReady: the API server does not answer, or answers with an error.
        """
        resource = self.resource(api_version, kind)
        place = f"the namespace {namespace}" if namespace else "all namespaces"
        with self._asking(f"the API server does not list the {kind}s of {place}"):
            found = resource.get(
                namespace=namespace,
                label_selector=selector or None,
                _request_timeout=self.patience.api_answer,
            )
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
        words = {"previous": previous, "timestamps": timestamps, "sinceSeconds": since_seconds}
        with self._asking(f"the kubelet gives no log of {namespace}/{pod}"):
            found = self._client.request(
                "get",
                f"{self.resource('v1', 'Pod').path(name=pod, namespace=namespace)}/log",
                query_params=[(word, str(value).lower()) for word, value in words.items() if value],
                serialize=False,  # a log stays a text, even if it is valid JSON
                _request_timeout=self.patience.api_answer,
            )
        return str(found.data.decode(errors="replace"))

    def add_ephemeral(self, namespace: str, pod: str, container: Object) -> None:
        """Add an ephemeral container to a running pod (KEP-277), unless the pod has this container.

        A conflict (409) means that the kubelet or a controller changed the pod in the meantime. The
        patch contains no version, so it is sent again.

        Raises:
            ClusterNotReady: the API server refuses, or the conflicts do not end.
        """
        resource = self.resource("v1", "Pod")
        body = {"spec": {"ephemeralContainers": [dict(container)]}}

        def patched() -> None:
            with self._asking(f"the API server adds no prober to {namespace}/{pod}"):
                try:
                    resource.subresources["ephemeralcontainers"].patch(
                        name=pod,
                        namespace=namespace,
                        body=body,
                        content_type="application/strategic-merge-patch+json",
                        _request_timeout=self.patience.api_answer,
                    )
                except ConflictError as error:
                    raise NotYet(_words(error)) from error

        seconds = self.patience.api_conflict
        self.wait(f"the pod {namespace}/{pod} takes a prober", patched, seconds=seconds)

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
