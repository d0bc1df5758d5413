"""Rows of the lifecycle and of latency, on a cluster in memory that does or does not stay true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from harness.core.conformance.row import Row, Status
from harness.core.observation import Phase
from harness.edge.cni.known import PROFILES
from harness.edge.conformance.life.birth import SECONDS
from harness.edge.conformance.life.constant import CALL_PORT
from harness.edge.conformance.life.ground import NAMESPACE
from harness.edge.conformance.life.lifecycle import Plan, latency, lifecycle
from harness.errors import ProbeError
from harness.progress import Quiet
from tests.fakes.lies import Lie
from tests.fakes.packet import InForce, Met, Packet, Policies
from tests.fakes.steady import LivingCluster

PLAN = Plan(quiet=1.0, churn=0.5, births=2)
PROFILE = PROFILES["calico"]


def rows(cluster: LivingCluster, plan: Plan = PLAN, *, shell: bool = True) -> dict[str, Row]:
    found = list(lifecycle(cluster.site(shell=shell), PROFILE, Quiet(), plan))
    assert len({row.name for row in found}) == len(found)
    return {row.name.partition("/")[2]: row for row in found}


def value(row: Row, name: str) -> float | None:
    [figure] = [figure for figure in row.figures if figure.name == name]
    return figure.value


def test_cluster_that_stays_true_passes_each_row_and_keeps_nothing_of_ours() -> None:
    cluster = LivingCluster()

    found = rows(cluster)

    assert {name: (row.status, row.why) for name, row in found.items()} == dict.fromkeys(
        [
            "quiet",
            "churn",
            "birth-init",
            "birth",
            "agent-deleted",
            "agent-killed",
            "agent-rolled",
            "node-drained",
            "node-readded",
        ],
        (Status.PASSED, ""),
    )
    assert [key for key in cluster.objects if NAMESPACE in key] == []
    assert [word for call in cluster.ran if (word := call.split()[0]) == "uncordon"]


@dataclass(frozen=True, slots=True)
class Forgets(Lie):
    """A CNI that enforces nothing while its agents are away."""

    times: list[tuple[float, float]]

    def enforced(self, states: Sequence[InForce], moment: float) -> Policies:
        return () if self._away(moment) else states[-1].policies

    def mood(self, states: Sequence[InForce], moment: float) -> bool:
        return self._away(moment)

    def _away(self, moment: float) -> bool:
        return any(begin <= moment < end for begin, end in self.times)


def test_leak_while_the_agents_are_away_is_measured_in_each_row() -> None:
    lie = Forgets([])
    cluster = LivingCluster(lie)

    def ends() -> None:
        now = cluster.clock.monotonic()
        lie.times.append((now + 0.5, now + 0.75))

    cluster.disturbed = ends
    found = rows(cluster)

    bad = {name for name, row in found.items() if row.status is not Status.PASSED}
    assert bad == {"agent-deleted", "agent-killed", "agent-rolled"}
    # One roll-out is one disturbance; the two agents of the other rows end one after the other.
    assert value(found["agent-rolled"], "leak") == 250
    assert value(found["agent-killed"], "leak") == 500
    assert value(found["agent-rolled"], "outage") == 0


def test_without_commands_on_nodes_the_rows_that_need_them_are_left_out() -> None:
    found = rows(LivingCluster(), shell=False)

    skipped = {name for name, row in found.items() if row.status is Status.SKIPPED}
    assert skipped == {"agent-killed", "node-drained", "node-readded"}


def test_plan_without_restarts_disturbs_nobody() -> None:
    cluster = LivingCluster()

    found = rows(cluster, Plan(restarts=False, quiet=1.0, churn=0.5, births=1))

    assert set(found) == {"quiet", "churn", "birth-init", "birth"}
    assert cluster.ran == []


def test_agent_that_does_not_come_back_leaves_no_verdict_and_the_others_are_measured() -> None:
    cluster = LivingCluster()
    cluster.disturbed = lambda: cluster.objects["DaemonSet", "kube-system", "calico-node"][
        "status"
    ].update(desiredNumberScheduled=3)

    found = rows(cluster)

    assert found["agent-deleted"].status is Status.NO_VERDICT
    assert "3 wanted" in found["agent-deleted"].why
    assert found["agent-rolled"].status is Status.PASSED


def test_latency_is_that_of_the_cluster_in_both_ways() -> None:
    cluster = LivingCluster()  # it programs a change 50 ms after it took it

    found = list(latency(cluster.site(), PROFILE, Quiet(), flips=20, threshold=60))

    assert [(row.name, row.status) for row in found] == [
        ("latency/closes", Status.PASSED),
        ("latency/opens", Status.PASSED),
    ]
    for row in found:
        assert 45 <= (value(row, "median") or 0) <= 55
        assert value(row, "flips") == 20  # ten changes this way, of two flows


def test_latency_over_the_threshold_is_red() -> None:
    found = list(latency(LivingCluster().site(), PROFILE, Quiet(), flips=20, threshold=40))

    assert {row.status for row in found} == {Status.FAILED}


@dataclass(frozen=True, slots=True)
class Nobody(Lie):
    """A network in which nobody begins a flow to a newborn pod, policies or not."""

    def met(self, packet: Packet, met: Met) -> Met:
        return Met(Phase.TIMEOUT) if packet.port == CALL_PORT else met


def test_newborn_that_cannot_be_called_without_policies_either_proves_nothing() -> None:
    with pytest.raises(ProbeError, match="gets no answer without policies either"):
        rows(LivingCluster(Nobody()))


@dataclass(frozen=True, slots=True)
class LateForTheNew(Lie):
    """No policy is applied to flows to a newborn pod."""

    def judges(self, packet: Packet) -> bool:
        return packet.port != CALL_PORT


def test_newborn_that_can_be_called_under_policies_leaks() -> None:
    found = rows(LivingCluster(LateForTheNew()), Plan(restarts=False, quiet=1, churn=0.5, births=1))

    assert {name for name, row in found.items() if row.status is Status.FAILED} == {
        "birth",
        "birth-init",
    }
    assert value(found["birth"], "leak") == SECONDS * 1000
