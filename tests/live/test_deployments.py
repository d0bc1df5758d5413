"""Deployments on the live cluster: numbered pods, a rollout, and what is left after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.core.lab.documented import parse_table
from harness.core.manifests.reader import parse
from harness.core.model import Protocol
from harness.core.outcome import Outcome
from harness.core.target import Blocked, PodPort, PodRef, ServiceAddress
from harness.core.target.ask import Ask
from harness.edge.facts.registry import measure
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.bench import Bench
from harness.edge.stage.stage import Stage
from harness.plays import Live
from tests.live.stages import stage_on

pytestmark = pytest.mark.live

SPACE = "policylab-deployments"
WEB = [PodRef(SPACE, "web-1"), PodRef(SPACE, "web-2")]
PODS = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {SPACE}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web, version: old}}}}
    spec:
      automountServiceAccountToken: false
      containers:
        - name: nginx
          image: localhost/policylab/nginx:lab
          imagePullPolicy: IfNotPresent
          ports: [{{containerPort: 80}}]
"""
LIBRARY = {
    "base": parse(
        f"""
apiVersion: v1
kind: Namespace
metadata: {{name: {SPACE}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {SPACE}}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
""",
        origin="base",
    ),
    "old": parse(PODS, origin="old"),
    "new": parse(PODS.replace("old", "new"), origin="new"),
    "deny": parse(
        f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: deny, namespace: {SPACE}}}
spec: {{podSelector: {{}}, policyTypes: [Ingress]}}
""",
        origin="deny",
    ),
}
TABLE = f"""
step deny: base, old, deny

| from          | to                               | tutorial says         | why               |
|---------------|----------------------------------|-----------------------|-------------------|
| {SPACE}/web-1 | blocked/pod/{SPACE}/web-2:80     | shows Ingress by deny | web-2 is isolated |
"""


@pytest.fixture
def stage(lab_live: Live) -> Iterator[Stage]:
    """For each test a new one: rollouts leave pods behind."""
    with stage_on(lab_live, LIBRARY) as made:
        yield made


def answers(stage: Stage) -> dict[str, str]:
    """Who answers each pod and the Service, asked from the other pod."""
    one, two = WEB
    asks = [
        Ask(one, PodPort(two, 80, Protocol.TCP)),
        Ask(two, PodPort(one, 80, Protocol.TCP)),
        Ask(one, ServiceAddress(SPACE, "web", 80, Protocol.TCP)),
    ]
    found = {}
    for ask, answer in stage.observer.read(asks).items():
        seen = answer.unwrap()
        assert seen.reading.outcome is Outcome.CONNECTED, seen
        found[str(ask.target)] = seen.peer
    return found


def test_numbers_stand_for_the_pods_of_the_newest_template(stage: Stage, lab_live: Live) -> None:
    stage.enter(["base", "old"])
    old = answers(stage)
    entered = stage.enter(["base", "new"])
    new = answers(stage)

    assert set(old.values()).isdisjoint(new.values())
    assert entered.settled.missing == ""
    left = {body["metadata"]["name"] for body in lab_live.kube.list("v1", "Pod", SPACE)}
    assert left == {stage.addresses.host_name(ref) for ref in WEB}

    stage.enter(["base"])

    assert lab_live.kube.list("v1", "Pod", SPACE) == []
    assert stage.pods.known == ()


def test_policy_that_blocks_a_numbered_pod_is_found_in_the_cnis_counters(
    stage: Stage, lab_live: Live
) -> None:
    (row,) = parse_table(TABLE, source="deployments#1").rows
    assert isinstance(row.target, Blocked)
    programs = lab_live.doors.programs()
    counter = lab_live.cluster.lane.value.drops
    assert counter is not None
    replayer = Replayer(programs, lab_live.prober.names, lab_live.cluster.patience)
    drops = counter(lab_live.kube, programs)
    bench = Bench(lab_live.kube, lab_live.prober, stage, replayer, drops=drops)
    stage.enter(row.apply)

    assert measure(bench, row, row.target).reading == row.documented
