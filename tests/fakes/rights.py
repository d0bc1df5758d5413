"""A cluster that keeps account of each right that its API was asked for, and refuses the others.

A real API server wants `create` beside `patch` for an object that is applied and not there, and a
program in a pod needs what `kubectl exec` asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from harness.edge.api.kube import Kube, Object
from harness.edge.api.kubectl import Exec
from harness.edge.probe.prober import Prober
from harness.errors import ClusterNotReady, ContentError, HarnessError
from tests.fakes.cluster import FakeCluster
from tests.fakes.kube import key_of
from tests.fakes.steady import LivingCluster


class Right(NamedTuple):
    """What one request to the API needs; `group` is empty for the core API."""

    group: str
    resource: str
    verb: str


EXEC = (Right("", "pods", "get"), Right("", "pods/exec", "get"), Right("", "pods/exec", "create"))
"""What `kubectl exec` asks for; a WebSocket is opened by GET, and newer servers want both verbs."""

ROLLOUT = [Right("apps", "daemonsets", verb) for verb in ("get", "patch", "list", "watch")]
"""What `kubectl rollout restart` and `rollout status` ask for."""


def rights_in(rules: Iterable[Mapping[str, Any]]) -> Iterator[Right]:
    """Each right that the rules of a Role give."""
    for rule in rules:
        yield from map(Right._make, product(rule["apiGroups"], rule["resources"], rule["verbs"]))


def plural(kind: str) -> str:
    """A kind as rules call it."""
    word = kind.lower()
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


class Limited(FakeCluster):
    """A cluster that somebody meets with the rights `may` alone; `asked` are those that it used.

    Without `may`, who asks is an administrator.
    """

    may: frozenset[Right] | None = None

    @cached_property
    def asked(self) -> set[Right]:
        return set()

    def kube(self) -> Kube:
        return self

    def apply(self, body: Object) -> dict[str, Any]:
        verbs = ["patch"] if key_of(body) in self.objects else ["patch", "create"]
        for verb in verbs:
            self._need(body["apiVersion"], body["kind"], verb, ContentError)
        return super().apply(body)

    def delete(self, body: Object, *, grace: int | None = None) -> None:
        self._need(body["apiVersion"], body["kind"], "delete", ContentError)
        super().delete(body, grace=grace)

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        self._need(api_version, kind, "get")
        return super().get(api_version, kind, name, namespace)

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, selector: str = ""
    ) -> list[dict[str, Any]]:
        found = super().list(api_version, kind, namespace, selector=selector)
        self._need(api_version, kind, "list")  # a kind that is not there is asked of nobody
        return found

    def logs(self, namespace: str, pod: str, **how: Any) -> str:
        self._take(Right("", "pods/log", "get"), ClusterNotReady)
        return super().logs(namespace, pod, **how)

    def add_ephemeral(self, namespace: str, pod: str, container: Object) -> None:
        self._take(Right("", "pods/ephemeralcontainers", "patch"), ClusterNotReady)
        super().add_ephemeral(namespace, pod, container)

    def prober(self) -> Prober:
        self._exec()
        return super().prober()

    def nodes(self, image: str) -> Prober:
        raise AssertionError("nobody enters the nodes of a cluster of somebody else")

    def programs(self) -> Exec:
        self._exec()
        return super().programs()

    def _exec(self) -> None:
        for right in EXEC:
            self._take(right, ClusterNotReady)

    def _need(
        self, version: str, kind: str, verb: str, fault: type[HarnessError] = ClusterNotReady
    ) -> None:
        group = version.partition("/")[0] if "/" in version else ""
        self._take(Right(group, plural(kind), verb), fault)

    def _take(self, right: Right, fault: type[HarnessError]) -> None:
        self.asked.add(right)
        if self.may is not None and right not in self.may:
            raise fault(f"the API server forbids it: {' '.join(right)}", where=self.where)


class LimitedLiving(Limited, LivingCluster):
    """The same, with agents that come back and a constant stream."""
