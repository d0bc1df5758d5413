"""Where a flow is blocked: the probe and the CNI's counters, which lag behind it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core.documented import Row, parse_table
from harness.core.model import Direction
from harness.core.outcome import Outcome, Reading
from harness.core.record import Observation
from harness.core.target import PodRef
from harness.edge import judging
from harness.edge.bench import Bench
from harness.edge.cni import Dropped, Drops
from harness.edge.wait import wait_for
from harness.errors import NotSettled, ProbeError

TABLE = """
| step | apply | from     | to                      | outcome       | why     |
|------|-------|----------|-------------------------|---------------|---------|
| a    | base  | shop/web | blocked/pod/shop/api:80 | shows nothing | a fact  |
"""
ROW: Row = parse_table(TABLE, source="t#1").rows[0]
WEB, API = PodRef("shop", "web"), PodRef("shop", "api")


class Counters:
    """What is read in turn: packets dropped on leaving the client, and on entering the server."""

    def __init__(self, *reads: tuple[int, int]) -> None:
        self.reads = list(reads)

    def read(self, pods: Collection[PodRef]) -> Drops:
        assert set(pods) == {WEB, API}
        out, into = self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
        counts = {(WEB, Direction.EGRESS): out, (API, Direction.INGRESS): into}
        return {
            (pod, direction): Dropped(counts.get((pod, direction), 0), ("shop/deny",))
            for pod in pods
            for direction in Direction
        }


def found(outcome: Outcome, *reads: tuple[int, int]) -> Observation:
    def wait(what: str, check: Callable[[], Any], *, seconds: float) -> Any:
        return wait_for(what, check, seconds=min(seconds, 0.3), every=0.01)

    seen = Observation(Reading(outcome))
    bench = SimpleNamespace(
        kube=SimpleNamespace(wait=wait),
        observer=SimpleNamespace(read=lambda asks, *_: dict.fromkeys(asks, seen)),
        drops=Counters(*reads),
    )
    return judging.blocked(cast("Bench", bench), ROW)


@pytest.mark.parametrize(
    ("reads", "reading"),
    [
        ([(0, 0), (0, 0), (0, 5), (0, 5)], "Ingress by deny"),
        ([(0, 0), (0, 0), (5, 0), (5, 0)], "Egress by deny"),
        # Drops of an earlier state are still being told of.
        ([(8, 0), (8, 4), (8, 4), (13, 4), (13, 4)], "Egress by deny"),
        # Those of the probe come late, and not at once.
        ([(0, 0), (0, 0), (0, 0), (0, 0), (0, 2), (0, 5), (0, 5)], "Ingress by deny"),
    ],
)
def test_end_that_dropped_the_probe(reads: list[tuple[int, int]], reading: str) -> None:
    assert found(Outcome.TIMEOUT, *reads).reading == Reading(Outcome.SHOWS, reading)


def test_flow_that_passes_is_dropped_nowhere() -> None:
    assert found(Outcome.CONNECTED, (3, 3)).reading == Reading(Outcome.SHOWS, "nothing")


def test_silence_that_no_counter_knows_of_gives_no_verdict() -> None:
    with pytest.raises(NotSettled) as caught:
        found(Outcome.TIMEOUT, (3, 3))
    assert "no packet of the probe was counted" in caught.value.seen


@pytest.mark.parametrize(
    ("outcome", "reads"),
    [
        (Outcome.CONNECTED, [(0, 0), (0, 0), (0, 5), (0, 5)]),
        (Outcome.TIMEOUT, [(0, 0), (0, 0), (5, 5), (5, 5)]),
    ],
)
def test_witnesses_that_disagree_give_no_verdict(
    outcome: Outcome, reads: list[tuple[int, int]]
) -> None:
    with pytest.raises(ProbeError, match="disagree"):
        found(outcome, *reads)
