"""A flow that differs from its prediction is asked once more, and never passes because of that."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from harness.core.ask import Ask
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.edge.play import Play
from harness.errors import ProbeError
from tests.fakes.lab import lab, library_of, row_of

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop}
spec: {containers: [{name: db, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""
SILENT, OPEN = Reading(Outcome.TIMEOUT), Reading(Outcome.CONNECTED)


class Scripted:
    """What the flow shows, one look after the other; the last reading stays."""

    def __init__(self, *readings: Reading) -> None:
        self.left = list(readings)

    def read(self, asks: Iterable[Ask], *_: object, **__: object) -> dict[Ask, Answer[Observation]]:
        reading = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return {ask: Answer(Observation(reading)) for ask in asks}


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [([SILENT], Outcome.TIMEOUT), ([OPEN, OPEN], Outcome.CONNECTED), ([OPEN, SILENT], None)],
    ids=["as predicted", "a difference that stays", "a difference that is gone"],
)
def test_difference_counts_only_if_it_is_there_twice(
    shown: list[Reading], verdict: Outcome | None
) -> None:
    made = lab(library_of({"base": SHOP}))
    row = row_of("pod/shop/db:80")
    scenario = made.stage.enter(["base"]).scenario
    play = Play(made.stage, made.bench.replayer, made.bench, [row])
    made.stage.observer = Scripted(*shown[1:] or shown)  # type: ignore[assignment]
    first = {row.ask: Answer(Observation(shown[0]))}

    found = {**first, **play._asked_again(first, scenario)}[row.ask]

    if verdict is None:
        with pytest.raises(ProbeError, match="the same twice") as caught:
            found.unwrap()
        assert caught.value.seen == "connected, and timeout when it was asked again"
    else:
        assert found.unwrap().reading.outcome is verdict
