"""A listener that was too late to answer makes its round void; the next round may tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from harness.core.model import Protocol
from harness.core.observation import Answer
from harness.core.outcome import Outcome
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.probe.observe import ROUNDS_AGAIN
from harness.errors import StarvedListenerError
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import Lab, lab, library_of

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop, labels: {app: job}}
spec: {containers: [{name: job, image: x}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}}
"""
WEB = PodRef("shop", "web")
PORT = PodPort(WEB, 5353, Protocol.UDP)
ASK = Ask(PodRef("shop", "job"), PORT)


def made(monkeypatch: pytest.MonkeyPatch, rounds: int) -> tuple[Lab, list[int]]:
    """A lab whose listener heard the datagram late in so many rounds."""
    cluster = FakeCluster()
    found = lab(library_of({"base": WORLD}), cluster)
    found.stage.enter(["base"])
    assert not found.stage.observer.listen([PORT])
    left = [rounds]

    class Late(dict[str, float]):
        def get(self, key: str, default: object = None) -> float:
            return 363.0

    def heard(pods: Iterable[PodRef]) -> Mapping[PodRef, Answer[Mapping[str, float]]]:
        left[0] -= 1
        return {pod: Answer(Late() if left[0] >= 0 else {}) for pod in pods}

    monkeypatch.setattr(found.stage.observer._prober, "heard", heard)
    return found, left


@pytest.mark.parametrize("rounds", [0, 1, ROUNDS_AGAIN])
def test_round_of_a_starved_listener_is_made_again(
    monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    found, left = made(monkeypatch, rounds)

    seen = found.stage.observer.read([ASK])[ASK].unwrap()

    assert seen.reading.outcome is Outcome.TIMEOUT
    assert left == [-1]


def test_listener_that_is_always_starved_gives_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    found, left = made(monkeypatch, 100)

    with pytest.raises(StarvedListenerError, match="starved"):
        found.stage.observer.read([ASK])[ASK].unwrap()

    assert left == [100 - 1 - ROUNDS_AGAIN]
