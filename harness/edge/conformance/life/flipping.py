"""The latency of enforcement: a policy comes and goes, and a constant stream sees when it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from harness.core.conformance.lifecycle import Flow, Turned
from harness.core.conformance.series import settled
from harness.core.probe.latency import Way
from harness.edge.conformance.life.constant import Look
from harness.edge.conformance.life.ground import NAMESPACE, Aimed, Ground

SEED = 12
PAUSE = (0.02, 0.15)
"""Seconds between two changes, drawn anew each time: else they would beat with the agent's own
periods."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the policy: when it was asked for and acknowledged, in seconds of our clock."""

    way: Way
    asked: float
    acknowledged: float


@dataclass(frozen=True, slots=True)
class Flips:
    """All flips of a measurement.

    Attributes:
        turned: each flip of each flow.
        clocks_ms: how well the two clocks are known on each other.
        every: the median distance of two probes of a flow, in ms.
        lost: datagrams that the machine threw away.
        seconds: how long it took.
    """

    turned: tuple[Turned, ...]
    clocks_ms: float
    every: float
    lost: dict[str, int]
    seconds: float


def deny() -> dict[str, Any]:
    """The policy that comes and goes."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "flip", "namespace": NAMESPACE},
        "spec": {
            "podSelector": {"matchLabels": {"kind": "flip"}},
            "policyTypes": ["Ingress"],
            "ingress": [],
        },
    }


def flip(ground: Ground, changes: int, told: Callable[[int], None] = lambda _: None) -> Flips:
    """Let the policy come and go, `changes` times together; `told` hears of each change.

    A change that is not seen before the deadline of all changes counts as not seen.

    Raises:
        ProbeError: an agent of the stream broke.
    """
    servers = ["flip-near", *(["flip-far"] if ground.far else [])]
    flows = [Aimed(Flow(f"client -> {server}", is_open=True), server) for server in servers]
    made: list[_Change] = []
    looks: list[Look] = []

    def during(look: Callable[[], Look]) -> None:
        kube, clock = ground.site.kube, ground.site.kube.clock
        random = Random(SEED)  # noqa: S311 - a pause, no secret
        ground.wait_for(look, [True] * len(flows), "no policy")
        try:
            for number in range(changes):
                way = Way.OPENS if number % 2 else Way.CLOSES
                asked = clock.monotonic()
                if way is Way.CLOSES:
                    kube.apply(deny())
                else:
                    kube.delete(deny())
                made.append(_Change(way, asked, clock.monotonic()))
                _wait(ground, look, looks, [way is Way.OPENS] * len(flows))
                told(number)
                clock.sleep(random.uniform(*PAUSE))
        finally:
            kube.delete(deny())

    kept = ground.pour(flows, during)
    best = min(looks, key=lambda one: one.after - one.before)
    offset = best.ms / 1000 - (best.before + best.after) / 2
    turned = []
    ends = [*(change.asked for change in made[1:]), float("inf")]
    for change, end in zip(made, ends, strict=True):
        for line in kept.lines:
            part = line.series.between((change.asked + offset) * 1000, (end + offset) * 1000)
            seen = settled(part, is_open=change.way is Way.OPENS)
            since = (change.acknowledged + offset) * 1000
            turned.append(Turned(change.way, None if seen is None else seen - since))
    return Flips(
        tuple(turned),
        (best.after - best.before) * 500,
        max(line.series.every for line in kept.lines),
        dict(kept.lost),
        kept.seconds,
    )


def _wait(ground: Ground, look: Callable[[], Look], looks: list[Look], meant: list[bool]) -> None:
    """Look until the flows show the change, or until its deadline."""
    clock = ground.site.kube.clock
    end = clock.monotonic() + ground.site.kube.patience.settle
    while clock.monotonic() < end:
        looks.append(look())
        if looks[-1].shows(meant):
            return
        clock.sleep(0.01)
