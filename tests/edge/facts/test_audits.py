"""Where a flow is blocked: the probe and the CNI's counters, which lag behind it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core.lab.documented import Row, parse_table
from harness.core.model import Direction, Protocol
from harness.core.observation import Answer, Attempt, Observation, Phase
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodPort, PodRef
from harness.edge.api.livenames import LiveNames, LivePod
from harness.edge.cni import Dropped, Drops
from harness.edge.facts.audits import blocked
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.wait import wait_for
from harness.edge.stage.bench import Bench
from harness.errors import NotSettled, ProbeError

TABLE = """
step a: base

| from     | to                      | tutorial says | why    |
|----------|-------------------------|---------------|--------|
| shop/web | blocked/pod/shop/api:80 | shows nothing | a fact |
"""
ROW: Row = parse_table(TABLE, source="t#1").rows[0]
WEB, API = LivePod("shop", "web"), LivePod("shop", "api")

API_PORT = PodPort(PodRef("shop", "api"), 80, Protocol.TCP)
PORTS, EARLIER = (40001, 40002), 39000
Read = tuple[dict[int, int], dict[int, int]]


class Counters:
    """What is read in turn: packets by their ports, leaving the client and entering the server."""

    def __init__(self, *reads: Read, by_port: bool = True) -> None:
        self.reads = list(reads)
        self.by_port = by_port

    def read(self, pods: Collection[LivePod]) -> Drops:
        assert set(pods) == {WEB, API}
        out, into = self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
        counts = {(WEB, Direction.EGRESS): out, (API, Direction.INGRESS): into}
        return {
            (pod, direction): self._dropped(counts.get((pod, direction), {}))
            for pod in pods
            for direction in Direction
        }

    def _dropped(self, counts: dict[int, int]) -> Dropped:
        by_port = counts if self.by_port else None
        return Dropped(sum(counts.values()), ("shop/deny",), by_port)


def found(outcome: Outcome, counters: Counters) -> Observation:
    attempts = tuple(Attempt(Phase.TIMEOUT, 40.0, port=port) for port in PORTS)

    def wait(what: str, check: Callable[[], Any], *, seconds: float) -> Any:
        return wait_for(what, check, seconds=min(seconds, 0.3), every=0.01)

    seen = Answer(Observation(Reading(outcome), attempts))
    bench = SimpleNamespace(
        kube=SimpleNamespace(wait=wait),
        prober=SimpleNamespace(names=LiveNames()),
        observer=SimpleNamespace(read=lambda asks, *_: dict.fromkeys(asks, seen)),
        drops=counters,
        patience=PATIENCE,
    )
    return blocked(cast("Bench", bench), ROW, API_PORT)


NONE: Read = ({}, {})
OUT: Read = ({PORTS[0]: 3, PORTS[1]: 2}, {})
INTO: Read = ({}, {PORTS[0]: 3, PORTS[1]: 2})


@pytest.mark.parametrize("by_port", [True, False])
@pytest.mark.parametrize(
    ("reads", "reading"),
    [
        ([NONE, INTO], "Ingress by deny"),
        ([NONE, OUT], "Egress by deny"),
        # The account comes late, and not at once.
        ([NONE, NONE, NONE, ({}, {PORTS[0]: 1}), INTO], "Ingress by deny"),
    ],
)
def test_end_that_dropped_the_probe(reads: list[Read], reading: str, by_port: bool) -> None:
    observed = found(Outcome.TIMEOUT, Counters(*reads, by_port=by_port))
    assert observed.reading == Reading(Outcome.SHOWS, reading)


def test_packets_of_an_earlier_probe_do_not_count() -> None:
    late = ({EARLIER: 8, PORTS[0]: 3}, {EARLIER: 4})
    observed = found(Outcome.TIMEOUT, Counters(NONE, ({EARLIER: 8}, {}), late))
    assert observed.reading == Reading(Outcome.SHOWS, "Egress by deny")


def test_flow_that_passes_is_dropped_nowhere() -> None:
    observed = found(Outcome.CONNECTED, Counters(({EARLIER: 3}, {EARLIER: 3})))
    assert observed.reading == Reading(Outcome.SHOWS, "nothing")


def test_silence_that_no_counter_knows_of_gives_no_verdict() -> None:
    with pytest.raises(NotSettled) as caught:
        found(Outcome.TIMEOUT, Counters(({EARLIER: 3}, {EARLIER: 3})))
    assert "no packet of the probe was counted" in caught.value.seen


@pytest.mark.parametrize(
    ("outcome", "reads"),
    [
        (Outcome.CONNECTED, [NONE, INTO]),
        (Outcome.TIMEOUT, [NONE, (OUT[0], INTO[1])]),
    ],
)
def test_witnesses_that_disagree_give_no_verdict(outcome: Outcome, reads: list[Read]) -> None:
    with pytest.raises(ProbeError, match="disagree"):
        found(outcome, Counters(*reads))
