"""Made-up pods on a fake cluster: their prober, and the wait for the flows of a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import chain, repeat

import pytest

from harness.core.manifests.reader import Resource, parse
from harness.core.model import Protocol
from harness.core.outcome import Outcome, Reading
from harness.core.probe.container import prober_container
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.stage.trial import Trial
from tests.fakes.cluster import FakeCluster

SHUT, OPEN = Reading(Outcome.TIMEOUT), Reading(Outcome.CONNECTED)
WEB, API = PodRef("shop", "web"), PodRef("shop", "api")
ASK = Ask(WEB, PodPort(API, 8080, Protocol.UDP))
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}}
"""


LATE = 5.0


def workloads(team: str = "one") -> tuple[Resource, ...]:
    space = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{team: {team}}}}}\n"
    port = {"containerPort": 8080, "protocol": "UDP"}
    pods = [
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {pod.name}, namespace: shop}}\n"
        f"spec: {{containers: [{prober_container(ports=[port])}]}}\n"
        for pod in (WEB, API)
    ]
    return parse("---\n".join([space, *pods]), origin="pods")


@pytest.fixture
def cluster() -> FakeCluster:
    """Two changes of policies that are in force soon, and then changes that are late."""
    return FakeCluster(delays=chain([0.05, 0.05], repeat(LATE)))


@pytest.fixture
def trial(cluster: FakeCluster) -> Iterator[Trial]:
    with closing(Trial(cluster.value(), cluster, fence=lambda: cluster.clock.take(1.0))) as made:
        made.bring(workloads(), name="no policies")
        made.control([ASK])
        yield made


def denied(team: str = "one") -> tuple[Resource, ...]:
    return (*workloads(team), *parse(DENY, origin="deny"))


def shown(reading: Reading) -> Callable[[], Mapping[Ask, Reading]]:
    return lambda: {ASK: reading}


def test_the_prober_is_the_pods_only_container(cluster: FakeCluster, trial: Trial) -> None:
    assert not [call for call in cluster.calls if call.startswith("probe ")]
    assert not trial.uncontrolled([ASK])


def test_a_change_of_policies_is_timed_by_the_flow_that_flips_last(trial: Trial) -> None:
    trial.bring(denied(), name="deny", shown=shown(SHUT))

    soon = trial.bring(workloads(), name="open", shown=shown(OPEN))
    late = trial.bring(denied(), name="deny", shown=shown(SHUT))

    assert soon.in_force_ms is not None
    assert soon.in_force_ms < 1000
    assert late.in_force_ms is not None
    assert late.in_force_ms >= LATE * 1000
    assert not late.settled.missing


def test_flow_that_does_not_show_it_in_time_is_missing(trial: Trial) -> None:
    trial.bring(denied(), name="deny", shown=shown(SHUT))
    trial.bring(workloads(), name="open", shown=shown(OPEN))

    found = trial.bring(denied(), name="deny", patience=2.0, shown=shown(SHUT))

    assert f"{ASK}: connected, not timeout" in found.settled.missing
    assert found.in_force_ms is not None
    assert found.in_force_ms >= 2000


def test_what_more_than_policies_changed_is_not_timed_until_flows_have_shown_it(
    trial: Trial,
) -> None:
    trial.bring(workloads("two"), name="another label")

    untold = trial.bring(denied("two"), name="deny", shown=shown(SHUT))
    told = trial.bring(workloads("two"), name="open", shown=shown(OPEN))

    assert untold.in_force_ms is None
    assert told.in_force_ms is not None
