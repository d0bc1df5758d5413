"""A rollout under watch, on a cluster in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from harness.core.manifests.library import POLICY_KINDS, in_force
from harness.core.model import PodRef, Protocol
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import POLL, Pace
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.edge.stage.rollback import Watch, roll_out
from harness.errors import ContentError, ManifestError, NotSettled, ProbeError
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import Lab, lab
from tests.fakes.lies import Lie
from tests.fakes.packet import PodKey
from tests.fakes.run import library

LIBRARY = library("production-isolation")
GOOD = (
    "01-workloads",
    "05-default-deny-all",
    "05-allow-dns",
    "03-allow-backend-ingress",
    "05-frontend-to-backend",
    "05-gateway",
)


@dataclass(frozen=True, slots=True)
class BreaksUnder(Lie):
    """All probers are gone while the API has a policy of that name."""

    cluster: FakeCluster
    name: str

    def broken(self, pod: PodKey) -> str:
        there = {key[2] for key in self.cluster.objects if key[0] in POLICY_KINDS}
        return "the stream ended" if self.name in there else ""


def rolled(made: Lab, manifest: str, good: Sequence[str] = GOOD) -> Observation:
    return roll_out(made.stage, made.cluster, good, manifest)


def policies(cluster: FakeCluster) -> dict[tuple[str, str], object]:
    return {
        (namespace, name): body["spec"]
        for (kind, namespace, name), body in cluster.objects.items()
        if kind in POLICY_KINDS
    }


def is_good(cluster: FakeCluster) -> bool:
    good = [r for r in in_force(LIBRARY, GOOD) if r.kind in POLICY_KINDS]
    return policies(cluster) == {(r.namespace, r.name): r.body["spec"] for r in good}


def test_closed_flow_is_an_outage_and_is_restored() -> None:
    made = lab(LIBRARY)

    seen = rolled(made, "08-broken-port")

    assert str(seen.reading) == "shows outage, restored"
    assert "develop/frontend -> pod/develop/backend:8080" in seen.evidence["flows"]["outage"]
    assert seen.evidence["windows_ms"]["outage"]["ms"] > 0
    assert is_good(made.cluster)


def test_opened_flow_is_a_leak_and_is_restored() -> None:
    made = lab(LIBRARY)

    seen = rolled(made, "08-broken-allow-all")

    assert str(seen.reading) == "shows leak, restored"
    assert "develop/debug -> pod/develop/backend:8080" in seen.evidence["flows"]["leak"]
    assert is_good(made.cluster)


def test_harmless_change_is_no_trouble() -> None:
    seen = rolled(lab(LIBRARY), "03-allow-dns-egress")

    assert str(seen.reading) == "shows no trouble, restored"


def test_broken_prober_is_no_outage_and_the_good_state_comes_back() -> None:
    made = lab(LIBRARY)
    made.stage.enter(GOOD)
    made.cluster.lie = BreaksUnder(made.cluster, "allow-all")

    with pytest.raises(ProbeError, match="the stream ended"):
        rolled(made, "08-broken-allow-all")

    assert is_good(made.cluster)
    before = len(made.cluster.calls)
    made.stage.enter(GOOD)  # what is there is not known, so everything is applied again
    applied = {call for call in made.cluster.calls[before:] if call.startswith("apply Network")}
    assert len(applied) == len(policies(made.cluster))


def test_more_than_policies_is_not_rolled_out() -> None:
    with pytest.raises(ContentError, match="policies only"):
        rolled(lab(LIBRARY), "01-workloads")


def test_state_that_is_not_good_is_not_rolled_out_from() -> None:
    with pytest.raises(NotSettled, match="nothing is amiss"):
        rolled(lab(LIBRARY), "08-broken-port", ("01-workloads",))


def test_state_without_a_list_of_wanted_flows_is_refused() -> None:
    bare = {"bare": tuple(r for r in LIBRARY["01-workloads"] if r.kind != "ConfigMap")}

    with pytest.raises(ManifestError, match="which flows are wanted"):
        rolled(lab({**LIBRARY, **bare}), "08-broken-port", ("bare",))


class Differs:
    """A reader to whom every flow is open over IPv4 and silent over IPv6."""

    def read(
        self, asks: Iterable[Ask], pace: Pace = POLL, *, closing: frozenset[Ask] = frozenset()
    ) -> dict[Ask, Answer[Observation]]:
        seen = Observation(Reading(Outcome.FAMILIES_DIFFER, "IPv4 connected, IPv6 timeout"))
        return dict.fromkeys(asks, Answer(seen))


def test_a_change_that_reached_one_family_only_is_an_outage_and_a_leak() -> None:
    wanted, unwanted = (
        Ask(PodRef("shop", "web"), PodPort(PodRef("shop", name), 80, Protocol.TCP))
        for name in ("a", "b")
    )
    watch = Watch(Differs(), [wanted], [unwanted], FakeClock())

    watch.look()

    assert watch.looks[0].closed == {str(wanted)}
    assert watch.looks[0].opened == {str(unwanted)}
