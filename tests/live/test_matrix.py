"""On a live cluster: the matrix of `policylab probe`, and what a receiver heard of UDP."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness import cli
from harness.core.manifests.reader import parse
from harness.core.model import Protocol
from harness.core.outcome import Outcome, Verdict
from harness.core.policy.reachability import Matrix
from harness.core.probe.cells import Cell
from harness.core.target import PodPort
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.discovery import discover
from harness.edge.probe.observe import Observer
from harness.edge.stage.stage import Stage
from harness.plays import Live
from tests.live.stages import web_pods

pytestmark = pytest.mark.live

SPACE = "policylab-probe-live"
PORT = 5353
DENY = f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: only-from-api, namespace: {SPACE}}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  policyTypes: [Ingress]
  ingress:
    - from: [{{podSelector: {{matchLabels: {{app: api}}}}}}]
"""
LIBRARY = {
    "pods": web_pods(SPACE, "web", "api", "db"),
    "deny": parse(DENY, origin="deny"),
}


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "deny.yaml").write_text(DENY)
    return tmp_path


def udp(live: Live, *, answers: bool) -> Matrix[Cell]:
    """Everybody to everybody's UDP listener."""
    pods = discover(live.kube, [SPACE]).pods
    observer = Observer(live.prober, PodAddresses(pods))
    targets = [PodPort(pod.ref, PORT, Protocol.UDP) for pod in pods]
    assert observer.listen(targets, answers=answers) == []
    return observer.matrix([pod.ref for pod in pods], targets)


def test_cluster_does_what_the_policies_say(
    stage: Stage, lab_live: Live, policies: Path, tmp_path: Path
) -> None:
    stage.enter(["pods", "deny"])
    picture = tmp_path / "matrix.svg"

    command = ["probe", SPACE, "--name", lab_live.cluster.name, "--expect", str(policies)]

    assert cli.main([*command, "--svg", str(picture)]) == 0
    assert f"{SPACE}/web to {SPACE}/db:80: blocked (timeout)" in picture.read_text()


def test_missing_policy_is_a_difference(
    stage: Stage, lab_live: Live, policies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.enter(["pods"])

    code = cli.main(["probe", SPACE, "--name", lab_live.cluster.name, "--expect", str(policies)])

    assert code == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"{SPACE}/web -> pod/{SPACE}/db:80: expected deny, observed allow" in said
    assert "1 differ," in said


def test_udp_answer_names_its_pod_and_the_probe(stage: Stage, lab_live: Live) -> None:
    stage.enter(["pods"])

    for ask, cell in udp(lab_live, answers=True):
        assert cell.outcome is Outcome.CONNECTED, (ask, cell)
        assert isinstance(ask.target, PodPort)
        assert cell.peer == str(ask.target.pod)


def test_datagram_that_arrives_is_told_from_one_that_is_dropped(
    stage: Stage, lab_live: Live
) -> None:
    """Mute listeners: the clients see silence everywhere, and only the receivers know."""
    stage.enter(["pods", "deny"])

    seen = udp(lab_live, answers=False)

    shown = {str(ask): cell.outcome for ask, cell in seen}
    db = f"pod/{SPACE}/db:{PORT}/udp"
    assert shown[f"{SPACE}/web -> {db}"] is Outcome.TIMEOUT
    assert shown[f"{SPACE}/api -> {db}"] is Outcome.ONE_WAY
    assert shown[f"{SPACE}/web -> pod/{SPACE}/api:{PORT}/udp"] is Outcome.ONE_WAY


def test_round_of_all_pods_takes_one_deadline(stage: Stage, lab_live: Live) -> None:
    stage.enter(["pods", "deny"])
    pods = discover(lab_live.kube, [SPACE]).pods
    sources = [pod.ref for pod in pods]
    targets = [PodPort(pod, 80, Protocol.TCP) for pod in sources]
    observer = Observer(lab_live.prober, PodAddresses(pods))
    observer.matrix(sources, targets)  # opens the streams

    began = time.monotonic()
    seen = observer.matrix(sources, targets)

    assert time.monotonic() - began < 2.0
    assert [cell.verdict for _, cell in seen].count(Verdict.DENY) == 1
