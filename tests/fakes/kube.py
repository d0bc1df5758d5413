"""A Kubernetes API that keeps objects in memory, as far as policylab looks at them.

It does what the API server does by itself: times, uids and generations, the defaults that a lab
looks at, a namespace that goes with all that is in it. Controllers are somebody else: tests write
the status of an object with `put`, or use `tests.fakes.cluster`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from harness.core.model import NETWORK_POLICY
from harness.edge.api.kube import Object, named
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.wait import wait_for
from harness.errors import ClusterNotReady, ContentError
from tests.fakes.clock import FakeClock

T = TypeVar("T")
Key = tuple[str, str, str]
"""Kind, namespace (empty for an object of the whole cluster) and name."""

CALL_SECONDS = 0.001
CILIUM = "cilium.io/v2"


def key_of(body: Object) -> Key:
    """Which object that is."""
    meta = body["metadata"]
    return (body["kind"], meta.get("namespace") or "", meta["name"])


def agent_pod(name: str, app: str, node: str) -> dict[str, Any]:
    """A CNI's agent as the API shows it."""
    meta = {"namespace": "kube-system", "name": name, "labels": {"k8s-app": app}}
    container = {"name": app, "image": app}
    spec = {"nodeName": node, "hostNetwork": True, "containers": [container]}
    return {"kind": "Pod", "metadata": meta, "spec": spec}


class FakeKube:
    """Objects by kind, namespace and name; `calls` has every change that was asked for."""

    where = "a cluster in memory"
    patience = PATIENCE

    def __init__(self, clock: FakeClock | None = None, *, cilium: bool = False) -> None:
        self.clock = clock or FakeClock()
        # Tutorials and the gate work at the same time: who goes through all takes a copy first.
        self.objects: dict[Key, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.lines: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
        self._cilium = cilium
        self._uids = count(1)

    def put(self, *bodies: Object) -> None:
        """Let the objects be there exactly so, as if somebody had made them earlier."""
        for body in bodies:
            kept = copy.deepcopy(dict(body))
            kept["metadata"].setdefault("uid", f"uid-{next(self._uids)}")
            self.objects[key_of(body)] = kept

    def write(self, namespace: str, pod: str, line: str) -> None:
        """Let a pod log a line now."""
        self.lines.setdefault((namespace, pod), []).append((self.clock.now(), line))

    # What product code may use (`harness.edge.api.kube.Kube`).

    def apply(self, body: Object) -> dict[str, Any]:
        self._called("apply", body)
        key, before = key_of(body), self.objects.get(key_of(body))
        if key[1] and ("Namespace", "", key[1]) not in self.objects:
            raise ContentError(f"there is no namespace {key[1]}", where=self.where)
        kept = copy.deepcopy(dict(body))
        if before and key[0] == "Pod" and _ports(before) != _ports(kept):
            raise ContentError(f"no other ports for {key[1]}/{key[2]}", where=self.where)
        meta = kept["metadata"] = {**kept["metadata"]}
        old = before["metadata"] if before else {}
        meta["uid"] = old.get("uid") or f"uid-{next(self._uids)}"
        meta["creationTimestamp"] = old.get("creationTimestamp") or self._stamp()
        same = before is not None and before.get("spec") == kept.get("spec")
        meta["generation"] = old.get("generation", 0) + (not same)
        if before and "status" in before:
            kept["status"] = before["status"]
        _fill_in(kept)
        self.objects[key] = kept
        self.changed(before, kept)
        return copy.deepcopy(kept)

    def delete(self, body: Object, *, grace: int | None = None) -> None:
        self._called("delete", body)
        self.remove(key_of(body))

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        self._known(api_version)
        self.clock.take(CALL_SECONDS)
        return copy.deepcopy(self.objects.get((kind, namespace or "", name)))

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, selector: str = ""
    ) -> list[dict[str, Any]]:
        self._known(api_version)
        self.clock.take(CALL_SECONDS)
        wanted = dict(pair.split("=") for pair in selector.split(",") if pair)
        return [
            copy.deepcopy(body)
            for key, body in tuple(self.objects.items())
            if key[0] == kind
            and body.get("apiVersion", api_version) == api_version
            and namespace in (None, key[1])
            and wanted.items() <= (body["metadata"].get("labels") or {}).items()
        ]

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        since_seconds: int | None = None,
        previous: bool = False,
        timestamps: bool = False,
    ) -> str:
        if ("Pod", namespace, pod) not in self.objects:
            raise ClusterNotReady(f"no log of {namespace}/{pod}", where=self.where)
        since = self.clock.now() - timedelta(seconds=since_seconds or 10**6)
        told = [(at, line) for at, line in self.lines.get((namespace, pod), ()) if at >= since]
        stamp = "%Y-%m-%dT%H:%M:%S.%fZ "
        return "\n".join((f"{at:{stamp}}" if timestamps else "") + line for at, line in told)

    def add_ephemeral(self, namespace: str, pod: str, container: Object) -> None:
        self.calls.append(f"probe {namespace}/{pod}")
        body = self.objects[("Pod", namespace, pod)]
        there = body.setdefault("status", {}).setdefault("ephemeralContainerStatuses", [])
        if container["name"] not in [status["name"] for status in there]:
            there.append({"name": container["name"], "state": {"running": {}}})
            body.setdefault("spec", {}).setdefault("ephemeralContainers", []).append(container)

    def wait(
        self,
        condition: str,
        check: Callable[[], T],
        *,
        seconds: float,
        every: float = 0.1,
        try_: str = "",
    ) -> T:
        return wait_for(
            condition,
            check,
            seconds=seconds,
            every=every,
            fault=ClusterNotReady,
            where=self.where,
            try_=try_,
            clock=self.clock,
        )

    # What a cluster adds.

    def changed(self, before: Mapping[str, Any] | None, after: dict[str, Any] | None) -> None:
        """An object was made, changed or removed; whoever has controllers acts on it."""

    def remove(self, key: Key) -> None:
        """Remove an object, and what is in it if it is a namespace."""
        gone = self.objects.pop(key, None)
        if gone is None:
            return
        if key[0] == "Namespace":
            for inner in [each for each in tuple(self.objects) if each[1] == key[2]]:
                self.remove(inner)
        self.changed(gone, None)

    def _called(self, verb: str, body: Object) -> None:
        self._known(body["apiVersion"])
        self.clock.take(CALL_SECONDS)
        self.calls.append(f"{verb} {named(body)}")

    def _known(self, api_version: str) -> None:
        if api_version == CILIUM and not self._cilium:
            raise ContentError(f"the cluster knows no kinds of {api_version}", where=self.where)

    def _stamp(self) -> str:
        return f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}"


def _ports(pod: Object) -> list[Any]:
    """The ports of a pod, which never change while it is there."""
    return [each.get("ports") for each in (pod.get("spec") or {}).get("containers", ())]


def _fill_in(body: dict[str, Any]) -> None:
    """The API server's defaults, as far as a lab shows them."""
    if body["kind"] == "Namespace":
        labels = body["metadata"].setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = body["metadata"]["name"]
    if body["kind"] == NETWORK_POLICY:
        spec = body["spec"]
        spec.setdefault("policyTypes", ["Ingress", *(["Egress"] if spec.get("egress") else [])])
