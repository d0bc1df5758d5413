"""A rollout under watch, on a cluster that does at once what it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.core.ask import Ask
from harness.core.manifests.library import in_force, rolled_out
from harness.core.manifests.reader import Resource
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import Scenario
from harness.core.probe.attempts import Pace
from harness.core.target import DnsQuery
from harness.edge.files.library import load
from harness.edge.machine.clock import MACHINE_CLOCK
from harness.edge.stage.rollback import roll_out
from harness.edge.stage.settling import Settled
from harness.edge.stage.stage import Entered
from harness.errors import ContentError, ManifestError, NotSettled, ProbeError

LIBRARY = load(Path(__file__).parents[3] / "manifests" / "production-isolation")
GOOD = (
    "01-workloads",
    "05-default-deny-all",
    "05-allow-dns",
    "03-allow-backend-ingress",
    "05-frontend-to-backend",
    "05-gateway",
)


class Cluster:
    """Stage, API and observer in one: flows do what the oracle says of what is there."""

    clock = MACHINE_CLOCK
    patience = 2.0  # seconds for a change that never comes

    def __init__(self) -> None:
        self.observer = self
        self.there: dict[tuple[str, str], Resource] = {}
        self.clean = True
        self.broken = False

    def enter(self, apply: Sequence[str]) -> Entered:
        for resource in in_force(LIBRARY, apply):
            self.apply(resource.body)
        return Entered(Scenario(self.there.values()), Settled(0.0, 0))

    def resources(self, apply: Sequence[str]) -> tuple[Resource, ...]:
        return in_force(LIBRARY, apply)

    def rolled_out(self, manifest: str) -> tuple[Resource, ...]:
        return rolled_out(LIBRARY, manifest)

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        self.clean = False
        yield
        self.clean = True

    def apply(self, body: Mapping[str, Any]) -> None:
        found = next(r for rs in LIBRARY.values() for r in rs if r.body == body)
        self.there[found.kind, f"{found.namespace}/{found.name}"] = found

    def delete(self, body: Mapping[str, Any]) -> None:
        meta = body["metadata"]
        del self.there[body["kind"], f"{meta['namespace']}/{meta['name']}"]

    def is_good(self) -> bool:
        good = {(r.kind, f"{r.namespace}/{r.name}"): r.body for r in in_force(LIBRARY, GOOD)}
        return {key: r.body for key, r in self.there.items()} == good

    def read(self, asks: Sequence[Ask], pace: Pace) -> dict[Ask, Answer[Observation]]:
        if self.broken and not self.clean:
            return dict.fromkeys(asks, Answer(problem=ProbeError("the prober is gone")))
        scenario = Scenario(self.there.values())
        return {ask: Answer(Observation(self.reading(scenario, ask))) for ask in asks}

    @staticmethod
    def reading(scenario: Scenario, ask: Ask) -> Reading:
        reading = scenario.predict(ask).reading
        assert reading is not None
        if isinstance(ask.target, DnsQuery) and reading.outcome is not Outcome.DNS_TIMEOUT:
            return Reading(Outcome.RESOLVED)
        return reading


def rolled(cluster: Any, manifest: str, good: Sequence[str] = GOOD) -> Observation:
    return roll_out(cluster, cluster, good, manifest)


def test_closed_flow_is_an_outage_and_is_restored() -> None:
    cluster = Cluster()

    seen = rolled(cluster, "08-broken-port")

    assert str(seen.reading) == "shows outage, restored"
    assert "develop/frontend -> pod/develop/backend:8080" in seen.evidence["flows"]["outage"]
    assert seen.evidence["windows_ms"]["outage"]["ms"] > 0
    assert cluster.is_good()


def test_opened_flow_is_a_leak_and_is_restored() -> None:
    cluster = Cluster()

    seen = rolled(cluster, "08-broken-allow-all")

    assert str(seen.reading) == "shows leak, restored"
    assert "develop/debug -> pod/develop/backend:8080" in seen.evidence["flows"]["leak"]
    assert cluster.is_good()


def test_harmless_change_is_no_trouble() -> None:
    seen = rolled(Cluster(), "03-allow-dns-egress")

    assert str(seen.reading) == "shows no trouble, restored"


def test_broken_prober_is_no_outage_and_the_good_state_comes_back() -> None:
    cluster = Cluster()
    cluster.broken = True

    with pytest.raises(ProbeError, match="prober is gone"):
        rolled(cluster, "08-broken-port")

    assert cluster.is_good()
    assert not cluster.clean


def test_more_than_policies_is_not_rolled_out() -> None:
    with pytest.raises(ContentError, match="policies only"):
        rolled(Cluster(), "01-workloads")


def test_state_that_is_not_good_is_not_rolled_out_from() -> None:
    with pytest.raises(NotSettled, match="nothing is amiss"):
        rolled(Cluster(), "08-broken-port", ("01-workloads",))


def test_state_without_a_list_of_wanted_flows_is_refused() -> None:
    with pytest.raises(ManifestError, match="which flows are wanted"):
        rolled(Cluster(), "08-broken-port", ("05-allow-dns",))
