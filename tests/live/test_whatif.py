"""On a live cluster: the flows of which `whatif` says that they flip are the ones that do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import cli
from harness.core.compare.change import Turn, change_of
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import State
from harness.core.manifests.reader import parse, policies_of
from harness.core.model import Protocol
from harness.core.outcome import Verdict
from harness.core.target import PodPort
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.discovery import discover
from harness.edge.probe.observe import Observer
from harness.edge.stage.stage import Stage
from harness.plays import Live
from tests.live.stages import stage_on, web_pods

pytestmark = pytest.mark.live

SPACE = "policylab-whatif-live"
OLD = f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: db, namespace: {SPACE}}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  policyTypes: [Ingress]
  ingress: [{{from: [{{podSelector: {{matchLabels: {{app: web}}}}}}]}}]
"""
NEW = (
    OLD.replace("app: web", "app: api")
    + f"""---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: web, namespace: {SPACE}}}
spec:
  podSelector: {{matchLabels: {{app: web}}}}
  policyTypes: [Egress]
  egress: [{{to: [{{podSelector: {{matchLabels: {{app: api}}}}}}], ports: [{{port: 80}}]}}]
"""
)
LIBRARY = {
    "pods": web_pods(SPACE, "web", "api", "db"),
    "old": parse(OLD, origin="old"),
    "new": parse(NEW, origin="new"),
}
Pairs = set[tuple[str, str]]


@pytest.fixture(scope="module")
def stage(lab_live: Live) -> Iterator[Stage]:
    with stage_on(lab_live, LIBRARY) as made:
        yield made


def passing(live: Live) -> Pairs:
    """The pairs of pods of which the first reaches port 80 of the second."""
    pods = discover(live.kube, [SPACE]).pods
    targets = [PodPort(pod.ref, 80, Protocol.TCP) for pod in pods]
    seen = Observer(live.prober, PodAddresses(pods)).matrix([pod.ref for pod in pods], targets)
    cells = [(ask, cell) for ask, cell in seen if str(ask.source) not in str(ask.target)]
    assert all(cell.verdict is not None for _, cell in cells)
    return {
        (str(ask.source), ask.target.words.partition(":")[0])
        for ask, cell in cells
        if cell.verdict is Verdict.ALLOW
    }


def test_predicted_flips_are_the_observed_ones(stage: Stage, lab_live: Live) -> None:
    stage.enter(["pods", "old"])
    before = passing(lab_live)
    stage.enter(["pods", "new"])
    after = passing(lab_live)

    topology = discover(lab_live.kube, [SPACE]).topology
    old, new = (State(topology, policies_of(LIBRARY[name])) for name in ("old", "new"))
    change = change_of(old, new, Wishes({}))

    def told(turn: Turn) -> Pairs:
        return {
            (source, target)
            for bundle in change.turning(turn)
            if any(port.number == 80 and port.protocol is Protocol.TCP for port in bundle.ports)
            for sources in bundle.sources
            for source in sources.names
            for targets in bundle.targets
            for target in targets.names
            if source in topology.pods and target in topology.pods and source != target
        }

    assert before - after
    assert after - before
    assert told(Turn.CLOSES) == before - after
    assert told(Turn.OPENS) == after - before


def test_cluster_s_own_objects_give_the_matrix(
    stage: Stage, lab_live: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.enter(["pods", "new"])

    assert cli.main(["matrix", "--context", lab_live.cluster.name]) == 0

    assert f"{SPACE}/db: TCP 80" in capsys.readouterr().out
