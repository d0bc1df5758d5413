"""The gate: what a user reads whose cluster does not enforce policies, or not reliably."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from harness.core.observation import Phase
from harness.edge.internet.state import Internet, Server
from harness.edge.stage.gate import NAMESPACE, Gate
from harness.errors import ClusterNotReady
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import EnforcesNothing, Lie
from tests.fakes.packet import Met, Packet

FLOW = "policylab-gate/canary-client -> pod/policylab-gate/canary-server-0:8080"


@dataclass(frozen=True, slots=True)
class FallsSilent(Lie):
    """From a moment of the cluster's clock on, no pod of the gate answers another."""

    since: float = 0.0

    def met(self, packet: Packet, met: Met) -> Met:
        between_pods = packet.target[0] == NAMESPACE and packet.target != packet.source
        silent = between_pods and packet.at >= self.since
        return replace(met, phase=Phase.TIMEOUT, data=b"") if silent else met


def prove(cluster: FakeCluster) -> None:
    Gate(cluster, cluster.prober(), images={}, internet=None).prove()


def refused(cluster: FakeCluster) -> ClusterNotReady:
    with pytest.raises(ClusterNotReady) as raised:
        prove(cluster)
    return raised.value


def test_cluster_that_enforces_nothing_is_refused_with_the_flows_that_stayed_open() -> None:
    error = refused(FakeCluster("calico", EnforcesNothing()))

    assert "this cluster does not do what policies say" in error.what
    assert error.seen.startswith("under a policy that denies all ingress, ")
    assert f"{FLOW}: connected, not timeout" in error.seen
    assert "the network plugin (CNI) must enforce it" in error.try_


def test_canary_that_falls_silent_is_named_as_a_table_would_name_it() -> None:
    honest = FakeCluster("calico")
    prove(honest)
    last_look = honest.clock.monotonic() - 0.02  # after the state has settled

    error = refused(FakeCluster("calico", FallsSilent(since=last_look)))

    assert error.what == f"the gate: {FLOW} must be connected after the policy was removed"
    assert error.seen == "timeout"


def test_server_outside_that_pods_do_not_reach_stops_the_run() -> None:
    """On a dead server each policy would show that it blocks."""
    cluster = FakeCluster("calico")
    address = next(iter(cluster.internet.addresses.values()))
    outside = Internet(servers=(Server(address, 80), Server(address, 81)), asked=False)

    with pytest.raises(ClusterNotReady) as raised:
        Gate(cluster, cluster.prober(), images={}, internet=outside).prove()

    assert f"{address}:81 must accept connections" in raised.value.what
    assert "with no policy in the way" in raised.value.seen


def test_server_outside_that_pods_reach_lets_the_run_go_on() -> None:
    cluster = FakeCluster("calico")
    address = next(iter(cluster.internet.addresses.values()))
    outside = Internet(servers=(Server(address, 80), Server(address, 443)), asked=False)

    report = Gate(cluster, cluster.prober(), images={}, internet=outside).prove()

    assert report.nodes
