"""The measurements: each has a name and its times, or counts under load."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.pods import PORTS, others, refs, targets_of
from harness.core.model import (
    Direction,
    Namespace,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.probe.cells import Cell
from harness.core.probe.spread import Spread
from harness.core.target.ask import Flow
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.nodes.prober import NodeProber
from harness.edge.probe.observe import Observer
from harness.edge.probe.streams import StreamProber

REPEAT = 7
LOAD_PROBES = 10_000
LOAD_ENDS = 9
CROWD = 100
"""The number of policies, and of pods, in the measurement of the oracle."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement: seconds for each repetition, or counts."""

    name: str
    seconds: tuple[float, ...] = ()
    target: float | None = None
    counts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For results/bench.json; times in ms."""
        spread = Spread.of([s * 1000 for s in self.seconds]).as_evidence() if self.seconds else None
        return {
            "name": self.name,
            "spread_ms": spread,
            "target_ms": self.target and self.target * 1000,
            **self.counts,
        }


def timed(
    name: str, call: Callable[[], Any], *, target: float | None = None, repeat: int = REPEAT
) -> Figure:
    """The times of `repeat` calls."""
    taken = []
    for _ in range(repeat):
        before = time.perf_counter()
        call()
        taken.append(time.perf_counter() - before)
    return Figure(name, tuple(taken), target)


def rounds(
    prober: StreamProber | NodeProber,
    observer: Observer,
    ends: Sequence[Pod],
    ports: int,
    state: Verdict,
    *,
    target: float | None,
    repeat: int = REPEAT,
) -> Figure:
    """A matrix of these pods with `ports` ports each, in which every cell should show `state`."""
    wanted = targets_of(ends, PORTS[:ports])
    cells: list[Cell] = []
    voided = prober.voided
    name = f"{len(ends)} pods x {ports} ports, {len(ends) * len(wanted)} probes, all {state}"
    found = timed(
        name,
        lambda: cells.extend(others(observer.matrix(refs(ends), wanted))),
        target=target,
        repeat=repeat,
    )
    return replace(found, counts=_counts(cells, state, prober.voided - voided))


def _counts(cells: Sequence[Cell], state: Verdict, voided: int) -> dict[str, int]:
    """The counts of wrong cells and of cells without a verdict, which are not wrong."""
    return {
        "probes": len(cells),
        "wrong_verdicts": sum(cell.verdict not in (None, state) for cell in cells),
        "without_verdict": sum(cell.verdict is None for cell in cells),
        "void_rounds": voided,
    }


def streams(make: Callable[[], StreamProber], ends: Sequence[Pod]) -> Figure:
    """The time until streams to all these pods are open and all probers listen."""

    def once() -> None:
        with make() as prober:
            Observer(prober, PodAddresses(ends)).listen(targets_of(ends, PORTS))

    return timed(f"{len(ends)} streams opened and closed", once)


def oracle() -> Figure:
    """The oracle's decisions per second: all pods to all pods on a port, with random policies."""
    pick = random.Random(1)  # noqa: S311 - the same policies in every run
    ends = [
        Pod("bench", f"pod-{n}", {"app": f"a{n % 10}", "tier": f"t{n % 3}"}) for n in range(CROWD)
    ]
    topology = Topology({"bench": Namespace("bench", {})}, {str(pod): pod for pod in ends})
    policies = [_policy(n, pick) for n in range(CROWD)]
    flows = [Flow(a, b, port) for a in ends for b in ends for port in (80, 81)]

    def once() -> None:
        made = Oracle(topology, policies)
        for flow in flows:
            made.verdict(flow)

    found = timed(f"oracle: {len(flows)} decisions, {CROWD} policies x {CROWD} pods", once)
    rate = round(len(flows) / (Spread.of(found.seconds).median))
    return Figure(found.name, found.seconds, counts={"decisions_per_second": rate})


def _policy(number: int, pick: random.Random) -> NetworkPolicy:
    def chosen() -> Selector:
        key, most = pick.choice((("app", 10), ("tier", 3)))
        value = frozenset({f"{key[0]}{pick.randrange(most)}"})
        return Selector((Requirement(key, Operator.IN, value),))

    rule = Rule((Peer(pod_selector=chosen()),), (PortRule(Protocol.TCP, pick.choice((80, 81))),))
    both = frozenset(Direction)
    return NetworkPolicy("bench", f"policy-{number}", chosen(), both, (rule,), (rule,))


def under_load(
    prober: StreamProber, observer: Observer, ends: Sequence[Pod], state: Verdict
) -> Figure:
    """Half of `LOAD_PROBES` while a process keeps every core busy: the counts of wrong cells."""
    ends = ends[:LOAD_ENDS]
    wanted = targets_of(ends, PORTS)
    cells: list[Cell] = []
    voided = prober.voided
    taken = []
    with busy_cores() as cores:
        while len(cells) < LOAD_PROBES // 2:
            before = time.perf_counter()
            cells += others(observer.matrix(refs(ends), wanted))
            taken.append(time.perf_counter() - before)
    counts = {**_counts(cells, state, prober.voided - voided), "busy_processes": cores}
    return Figure(f"under load, all {state}", tuple(taken), counts=counts)


@contextmanager
def busy_cores() -> Iterator[int]:
    """One busy process for each core; the block's end ends them by their ids."""
    count = os.cpu_count() or 1
    children = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield count
    finally:
        for child in children:
            child.kill()
            child.wait()
