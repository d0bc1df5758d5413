"""The last words of a container that crashes, while the kubelet starts it again."""

from __future__ import annotations

from typing import Any

import pytest

from harness.edge.facts.deployments import last_words
from harness.errors import ClusterNotReady
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import lab, library_of, row_of

LOOP = """
apiVersion: v1
kind: Namespace
metadata: {name: loop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: dns, namespace: loop}
spec:
  selector: {matchLabels: {app: dns}}
  template:
    metadata: {labels: {app: dns}}
    spec: {containers: [{name: dns, image: x}]}
"""
LOG = ".:53\n[FATAL] plugin/loop: Loop (127.0.0.1) detected\n"


class Restarting(FakeCluster):
    """Its pods have crashed; the first looks at their log find what `early` says."""

    def __init__(self, *early: str) -> None:
        super().__init__()
        self._early = list(early)
        self.asked: list[bool] = []

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, *, selector: str = ""
    ) -> list[dict[str, Any]]:
        found = super().list(api_version, kind, namespace, selector=selector)
        for body in found if kind == "Pod" else ():
            for status in body.get("status", {}).get("containerStatuses", []):
                again = len(self.asked) > 0
                status["state"] = {"running": {}} if again else {"terminated": {"exitCode": 1}}
                status["lastState"] = {"terminated": {"exitCode": 1}} if again else {}
        return found

    def logs(self, *_: Any, previous: bool = False, **__: Any) -> str:
        self.asked.append(previous)
        said = self._early.pop(0) if self._early else LOG
        if said == "gone":
            raise ClusterNotReady("the kubelet gives no log", seen="container is starting")
        return said


def measured(cluster: Restarting) -> str:
    made = lab(library_of({"base": LOOP}), cluster)
    made.stage.enter(["base"])
    row = row_of("fact/last-words", source="loop/dns")
    return str(last_words(made.bench, row).reading)


@pytest.mark.parametrize("early", [(), ("",), ("gone",), ("", "gone", ".:53\n")])
def test_container_that_started_again_told_its_last_words_in_the_previous_log(
    early: tuple[str, ...],
) -> None:
    cluster = Restarting(*early)

    assert measured(cluster) == "shows [FATAL] plugin/loop: Loop"
    assert cluster.asked == [False, *[True] * len(early)]


def test_container_without_last_words_is_told_with_its_log() -> None:
    with pytest.raises(ClusterNotReady, match="has its last words") as caught:
        measured(Restarting(*[".:53\n"] * 10_000))

    assert ".:53" in caught.value.seen
