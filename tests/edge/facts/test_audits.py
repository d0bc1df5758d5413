"""Where a flow is blocked: the probe and the CNI's account of its drops, which lags behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count

import pytest

from harness.core.model import Direction, Protocol
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodPort, PodRef
from harness.edge.api.livenames import LivePod
from harness.edge.cni.drops import DropCounter, Drops
from harness.edge.facts.audits import blocked
from harness.errors import ClusterNotReady, ProbeError
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import Lab, lab, library_of, row_of
from tests.fakes.lies import Lie, SilentCounters
from tests.fakes.packet import Drop

BASE = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
""" + "".join(
    f"""---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}
spec: {{containers: [{{name: c, image: nginx, ports: [{{containerPort: 80}}]}}]}}
"""
    for name in ("web", "api")
)
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: deny, namespace: shop}}
spec: {{podSelector: {{matchLabels: {{app: {0}}}}}, policyTypes: [{1}]}}
"""
LIBRARY = library_of(
    {
        "base": BASE,
        "ingress": POLICY.format("api", "Ingress"),
        "egress": POLICY.format("web", "Egress"),
    }
)
WEB, API = ("shop", "web"), ("shop", "api")
EARLIER = 39000
"""A port from which no probe of these tests comes."""


class Lagging:
    """An account that comes late: of so many reads after the first, each is as old as the first."""

    def __init__(self, real: DropCounter, late: int) -> None:
        self._real = real
        self._late = late
        self._reads = count()
        self._first: Drops = {}

    def read(self, pods: Collection[LivePod]) -> Drops:
        number = next(self._reads)
        if number == 0:
            self._first = self._real.read(pods)
        return self._first if number <= self._late else self._real.read(pods)

    def tell(self, pods: Collection[PodRef]) -> Mapping[str, str]:
        return self._real.tell(pods)


def made(*apply: str, cni: str = "calico", lie: Lie | None = None) -> Lab:
    found = lab(LIBRARY, FakeCluster(cni, lie))
    found.stage.enter(["base", *apply])
    return found


def found(made: Lab, *, late: int = 0) -> Observation:
    assert made.bench.drops is not None
    bench = made.counted_by(Lagging(made.bench.drops, late))
    row = row_of("blocked/pod/shop/api:80")
    return blocked(bench, row, PodPort(PodRef(*API), 80, Protocol.TCP))


def dropped_meanwhile(made: Lab, direction: Direction, port: int) -> None:
    """A packet from web to api is dropped while somebody waits for the account to stand still."""
    pod = WEB if direction is Direction.EGRESS else API
    at = made.cluster.clock.monotonic()
    drop = Drop(at, pod, direction, WEB, API, "tcp", port)
    made.cluster.clock.later = [lambda: made.cluster.dropped(drop)]


@pytest.mark.parametrize("cni", ["calico", "cilium"])
@pytest.mark.parametrize("late", [0, 1, 2])
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_end_that_dropped_the_probe(cni: str, late: int, direction: str) -> None:
    observed = found(made(direction, cni=cni), late=late)

    assert observed.reading == Reading(Outcome.SHOWS, f"{direction.title()} by deny")


def test_packets_of_an_earlier_probe_do_not_count_where_the_cni_tells_ports() -> None:
    lab_ = made("egress", cni="cilium")
    dropped_meanwhile(lab_, Direction.INGRESS, EARLIER)

    assert found(lab_).reading == Reading(Outcome.SHOWS, "Egress by deny")


def test_flow_that_passes_is_dropped_nowhere() -> None:
    assert found(made()).reading == Reading(Outcome.SHOWS, "nothing")


def test_silence_that_no_counter_knows_of_gives_no_verdict() -> None:
    with pytest.raises(ClusterNotReady) as caught:
        found(made("ingress", lie=SilentCounters()))
    assert "no packet of the probe was counted" in caught.value.seen


@pytest.mark.parametrize("apply", [(), ("egress",)])
def test_witnesses_that_disagree_give_no_verdict(apply: tuple[str, ...]) -> None:
    """A drop at the server is counted, where the flow passes or the client's end drops it."""
    lab_ = made(*apply)
    dropped_meanwhile(lab_, Direction.INGRESS, EARLIER)

    with pytest.raises(ProbeError, match="disagree"):
        found(lab_)
