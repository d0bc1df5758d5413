"""Where a flow is blocked, asked of a CNI that knows a Deployment's pods by generated names."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from harness.core.lab.documented import Row, parse_table
from harness.core.model import Protocol
from harness.core.observation import Answer, Attempt, Observation, Phase
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodPort, PodRef
from harness.edge.api.livenames import LiveNames, LivePod
from harness.edge.cni import DropCounter
from harness.edge.cni.calico.felix import FelixCounters, interface
from harness.edge.cni.cilium.hubble import HubbleDrops
from harness.edge.facts.audits import blocked
from harness.edge.machine.patience import PATIENCE
from harness.edge.stage.bench import Bench
from tests.fakes.kube import FakeKube, agent_pod
from tests.fakes.kubectl import FakeExec, Said

TABLE = """
step a: base

| from       | to                             | tutorial says | why    |
|------------|--------------------------------|---------------|--------|
| shop/web-1 | blocked/pod/shop/deploy/api:80 | shows nothing | a fact |
"""
ROW: Row = parse_table(TABLE, source="t#1").rows[0]
LIVE = {PodRef("shop", "web-1"): "web-5d8-x7", PodRef("shop", "api-1"): "api-66c-q2"}
API = LivePod("shop", "api-66c-q2")
API_PORT = PodPort(PodRef("shop", "api-1"), 80, Protocol.TCP)
PORT = 40001

Answers = dict[str, list[str]]


def kubectl(answers: Answers) -> FakeExec:
    """Each program says the next of its answers, and the last one from then on."""

    def answer(_namespace: str, _pod: str, command: tuple[str, ...]) -> Said:
        texts = answers[command[0]]
        return Said(texts.pop(0) if texts[1:] else texts[0])

    return FakeExec(answer)


def felix(kube: FakeKube) -> FelixCounters:
    def saved(packets: int) -> str:
        chains = [
            f"[0:0] -A cali-{way}-{interface(LivePod('shop', name))} -j cali-pi-deny"
            for way in ("fw", "tw")
            for name in LIVE.values()
        ]
        end = "End of tier default. Drop if no policies passed packet"
        dropping = f"-A cali-tw-{interface(API)} -m comment --comment"
        return "\n".join(
            [
                *chains,
                f'[{packets}:0] {dropping} "{end}" -j DROP',
                '[0:0] -A cali-pi-deny -m comment --comment "Policy shop/knp.default.deny ingress"',
            ]
        )

    kube.put(agent_pod("agent", "calico-node", "one"))
    return FelixCounters(kube, kubectl({"iptables-nft-save": [saved(2), saved(7)]}))


def hubble(kube: FakeKube) -> HubbleDrops:
    drop = {
        "time": "2099-01-01T00:00:00Z",
        "uuid": "1",
        "drop_reason_desc": "POLICY_DENIED",
        "traffic_direction": "INGRESS",
        "destination": {"namespace": "shop", "pod_name": API.name},
        "l4": {"TCP": {"source_port": PORT}},
    }
    labels = {"io.cilium.k8s.policy.name": "deny", "io.cilium.k8s.policy.namespace": "shop"}
    policy = {
        "Subject": {"matchLabels": {"any:app": "api"}},
        "Ingress": True,
        "DefaultDeny": True,
        "Labels": [{"key": key, "value": value} for key, value in labels.items()],
    }
    answers = {
        "hubble": ["", json.dumps({"flow": drop})],
        "cilium-dbg": [json.dumps({"policy": json.dumps([policy])})],
    }
    kube.put(agent_pod("agent", "cilium", "one"))
    return HubbleDrops(kube, kubectl(answers))


@pytest.mark.parametrize("counter", [felix, hubble])
def test_pod_of_a_deployment_is_counted_under_its_live_name(
    counter: Callable[[FakeKube], DropCounter],
) -> None:
    kube, names = FakeKube(), LiveNames()
    for name in LIVE.values():
        meta = {"name": name, "namespace": "shop", "labels": {"app": name[:3]}}
        kube.put({"kind": "Pod", "metadata": meta, "spec": {"nodeName": "one"}})
    names.learn(LIVE)
    seen = Answer(Observation(Reading(Outcome.TIMEOUT), (Attempt(Phase.TIMEOUT, 40.0, port=PORT),)))
    bench = SimpleNamespace(
        kube=kube,
        prober=SimpleNamespace(names=names),
        observer=SimpleNamespace(read=lambda asks, *_: dict.fromkeys(asks, seen)),
        drops=counter(kube),
        patience=PATIENCE,
    )

    observed = blocked(cast("Bench", bench), ROW, API_PORT)

    assert observed.reading == Reading(Outcome.SHOWS, "Ingress by deny")
