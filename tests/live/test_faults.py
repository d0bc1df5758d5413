"""On a live cluster: a tool that breaks gives no verdict, and never a denial."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.core.lab.documented import Row, parse_table
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.reader import parse
from harness.core.model import Protocol
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import JUDGE, Attempts, Item
from harness.core.probe.container import CONTAINER
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.api.client import KubeClient
from harness.edge.api.kubectl import Kubectl
from harness.edge.machine.process import run
from harness.edge.machine.wait import NotYet, wait_for
from harness.edge.play import Play
from harness.edge.probe.addresses import ByFamily
from harness.edge.probe.observe import Observer
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.bench import Bench
from harness.edge.stage.gate import CLIENT, Gate
from harness.edge.stage.stage import Stage
from harness.errors import ClusterNotReady, ProbeError
from harness.plays import Live
from tests.live.stages import web_pods

pytestmark = pytest.mark.live

SPACE = "policylab-faults"
WEB, OTHER = PodRef(SPACE, "web"), PodRef(SPACE, "other")
LIBRARY = {
    "pods": web_pods(SPACE, "web", "other"),
    "deny": parse(
        f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: deny, namespace: {SPACE}}}
spec: {{podSelector: {{}}, policyTypes: [Ingress, Egress]}}
""",
        origin="deny",
    ),
}


def replayer(live: Live) -> Replayer:
    cluster = live.cluster
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, cluster.context)
    return Replayer(kubectl, live.prober.names)


def kubectl(live: Live, *words: str) -> str:
    base: list[str | Path] = [
        live.cluster.kubectl,
        f"--kubeconfig={live.cluster.kubeconfig}",
    ]
    return run([*base, *words], timeout=30).stdout


def web_from_other(stage: Stage) -> Answer[Observation]:
    ask = Ask(OTHER, PodPort(WEB, 80, Protocol.TCP))
    return stage.observer.read([ask])[ask]


def connected(stage: Stage) -> bool:
    seen = web_from_other(stage).value
    return seen is not None and seen.reading.outcome is Outcome.CONNECTED


def test_server_that_answers_under_another_name_is_a_wrong_peer(
    stage: Stage, lab_live: Live
) -> None:
    class Crossed:
        """Addresses that take one pod for another."""

        def pod(self, ref: PodRef) -> ByFamily:
            return stage.addresses.pod(OTHER)

        def service(self, namespace: str, name: str) -> ByFamily:
            return {}

        def node(self, namespace: str, name: str) -> ByFamily:
            return {}

        def node_port(self, namespace: str, name: str, port: int, protocol: Protocol) -> int:
            return port

        def external(self, name: str, port: int | None) -> ByFamily:
            return {}

        def allow_question(self, name: str) -> None:
            return

        def backends(self, namespace: str, name: str) -> Sequence[PodRef]:
            return []

        def host_name(self, ref: PodRef) -> str:
            return ref.name

    ask = Ask(CLIENT, PodPort(WEB, 80, Protocol.TCP))

    seen = Observer(lab_live.prober, Crossed()).read([ask])[ask].unwrap()

    assert seen.reading.outcome is Outcome.WRONG_PEER


def test_prober_killed_in_mid_round_gives_no_verdict_and_comes_back(
    stage: Stage, lab_live: Live
) -> None:
    silent = Item(
        "a", "tcp", next(iter(stage.addresses.pod(WEB).values())), 80, offsets=(3.0,)
    )  # nothing happens for 3 s
    answers: list[Answer[Attempts]] = []
    lab_live.prober.hellos([OTHER])
    thread = threading.Thread(
        target=lambda: answers.append(lab_live.prober.round({OTHER: [silent]}, deadline=6.0)[OTHER])
    )
    thread.start()
    exec_in = ["exec", f"--namespace={SPACE}", "other", f"--container={CONTAINER}", "--"]
    kubectl(lab_live, *exec_in, "sh", "-c", "kill -9 -1 || true")
    thread.join(30)

    assert answers[0].problem, answers
    assert connected(stage)


def test_command_that_is_gone_is_not_a_denial(stage: Stage, lab_live: Live) -> None:
    exec_in = ["exec", f"--namespace={SPACE}", "other", "--"]
    kubectl(lab_live, *exec_in, "mv", "/usr/bin/curl", "/usr/bin/curl.gone")
    try:
        play = Play(
            stage,
            replayer(lab_live),
            Bench(lab_live.kube, lab_live.prober, stage, replayer(lab_live)),
            rows(),
        )
        play.run(threading.Event())
        with pytest.raises(ProbeError, match="did not run"):
            play.observe(rows()[0])
    finally:
        kubectl(lab_live, *exec_in, "mv", "/usr/bin/curl.gone", "/usr/bin/curl")


def rows() -> tuple[Row, ...]:
    return parse_table(
        f"""
step deny: pods, deny

| from    | to           | tutorial says | why |
|---------|--------------|---------------|-----|
| {OTHER} | pod/{WEB}:80 | timeout       | x   |
  $ curl --connect-timeout 1 10.0.0.1
""",
        source="faults#1",
    ).rows


def test_kubelet_stopped_in_mid_run_gives_no_verdict(stage: Stage, lab_live: Live) -> None:
    stage.enter(["pods"])
    assert connected(stage)
    node = f"{lab_live.cluster.name}-control-plane"
    run(["docker", "exec", node, "systemctl", "stop", "kubelet"], timeout=60)
    try:
        lab_live.prober.forget([OTHER])  # a stream that is open may outlive its kubelet
        seen = web_from_other(stage)
    finally:
        run(["docker", "exec", node, "systemctl", "start", "kubelet"], timeout=60)

    assert seen.problem

    def back() -> None:
        if not connected(stage):
            raise NotYet("the prober does not answer yet")

    wait_for("probes work again after the kubelet's return", back, seconds=90, every=1)


def test_row_is_settled_before_it_is_judged(stage: Stage, lab_live: Live) -> None:
    stage.enter(["pods"])
    entered = stage.enter(["pods", "deny"])
    began = time.monotonic()

    seen = web_from_other(stage).unwrap()

    assert seen.reading.outcome is Outcome.TIMEOUT
    assert len(seen.attempts) == len(JUDGE.offsets)
    assert seen.own == Reading(Outcome.CONNECTED)
    assert time.monotonic() - began >= JUDGE.deadline
    assert not entered.settled.missing
    stage.enter(["pods"])
    assert connected(stage)


class TakesNoPolicies(KubeClient):
    """A CNI that enforces nothing, seen from here: policies are accepted and have no effect."""

    def apply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(body) if body["kind"] in POLICY_KINDS else super().apply(body)


def test_gate_stops_where_policies_do_nothing(lab_live: Live) -> None:
    cluster = lab_live.cluster
    kube = TakesNoPolicies(cluster.kubeconfig, cluster.context, cluster.patience)
    assert cluster.internet is not None
    gate = Gate(
        kube,
        lab_live.prober,
        images=cluster.refs,
        internet=cluster.internet,
    )

    with pytest.raises(ClusterNotReady, match="the gate"):
        gate.prove()
