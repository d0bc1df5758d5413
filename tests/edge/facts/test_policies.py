"""What the cluster makes of policies, read from a fake API."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core.ask import Ask
from harness.core.lab.documented import Row, parse_table
from harness.core.manifests.reader import parse
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodRef
from harness.edge.facts.policies import (
    client_address,
    name_label,
    policies,
    takes_effect,
    unrestarted,
)
from harness.edge.machine.clock import MACHINE_CLOCK
from harness.edge.machine.patience import PATIENCE
from harness.edge.stage.bench import Bench
from harness.errors import ProbeError

TABLE = """
step a: base

| from     | to        | tutorial says | why    |
|----------|-----------|---------------|--------|
| shop/web | fact/policies | shows x   | a fact |
"""
ROW: Row = parse_table(TABLE, source="t#1").rows[0]
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
"""
PODS = "".join(
    f"""---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}
spec: {{containers: [{{name: c, image: nginx, ports: [{{containerPort: 80}}]}}]}}
"""
    for name in ("web", "db")
)
WEB, DB = PodRef("shop", "web"), PodRef("shop", "db")
LATE = "2026-01-01T00:00:09Z"


def bench(kube: Any, stage: Any = None) -> Bench:
    return Bench(kube, cast("Any", None), stage, cast("Any", None))


def listing(**kinds: list[dict[str, Any]]) -> Any:
    return SimpleNamespace(list=lambda api, kind, namespace=None: kinds.get(kind, []))


def policy(name: str, types: list[str]) -> dict[str, Any]:
    meta = {"name": name, "creationTimestamp": "2026-01-01T00:00:05Z"}
    return {"metadata": meta, "spec": {"policyTypes": types}}


def pod(started: str, restarts: int = 0) -> dict[str, Any]:
    status = {"restartCount": restarts, "state": {"running": {"startedAt": started}}}
    return {"metadata": {"name": "web"}, "status": {"containerStatuses": [status]}}


def test_policies_are_told_with_the_types_that_the_server_filled_in() -> None:
    kube = listing(NetworkPolicy=[policy("b", ["Ingress", "Egress"]), policy("a", ["Ingress"])])

    assert policies(bench(kube), ROW).reading.detail == "a (Ingress); b (Ingress, Egress)"
    assert policies(bench(listing()), ROW).reading.detail == "none"


def test_namespace_without_its_name_as_a_label_is_named() -> None:
    key = "kubernetes.io/metadata.name"
    good = {"metadata": {"name": "shop", "labels": {key: "shop"}}}
    bad = {"metadata": {"name": "old", "labels": {key: "other"}}}

    assert name_label(bench(listing(Namespace=[good])), ROW).reading.detail == "on every namespace"
    assert name_label(bench(listing(Namespace=[good, bad])), ROW).reading.detail == "not on old"


@pytest.mark.parametrize(
    ("running", "shown"),
    [
        (pod("2026-01-01T00:00:01Z"), "pods older than the policies, 0 restarts"),
        (pod("2026-01-01T00:00:01Z", 2), "pods older than the policies, 2 restarts"),
        (pod(LATE), "pods younger than the policies, 0 restarts"),
    ],
)
def test_age_of_pods_is_compared_with_the_policies(running: dict[str, Any], shown: str) -> None:
    kube = listing(NetworkPolicy=[policy("deny", ["Ingress"])], Pod=[running])

    assert unrestarted(bench(kube), ROW).reading.detail == shown


def test_age_says_nothing_where_there_is_no_policy() -> None:
    assert unrestarted(bench(listing(Pod=[pod(LATE)])), ROW).reading.detail == "no policy"


class FakeObserver:
    """Answers every ask alike, or as its script says; then silence."""

    def __init__(self, *script: Outcome) -> None:
        self.script = list(script)
        self.asked: list[Ask] = []

    def read(
        self, asks: list[Ask], pace: Any = None, *, closing: Any = ()
    ) -> dict[Ask, Answer[Observation]]:
        self.asked += asks
        outcome = self.script.pop(0) if self.script else Outcome.TIMEOUT
        return {ask: Answer(Observation(Reading(outcome))) for ask in asks}


def stage(observer: FakeObserver, text: str = PODS, *, keeps: bool = True) -> Any:
    return SimpleNamespace(
        observer=observer,
        keeps_policies=keeps,
        disturbed=contextlib.nullcontext,
        resources=lambda apply: parse(text, origin="f.yaml"),
        addresses=SimpleNamespace(
            pod=lambda ref: {WEB: "10.0.0.1", DB: "10.0.0.2"}[ref], host_name=lambda ref: ref.name
        ),
        pods=SimpleNamespace(known=(WEB, DB), as_applied=lambda body: body),
    )


def logging(*lines: str) -> Any:
    def logs(namespace: str, pod: str, **kwargs: Any) -> str:
        return "\n".join(f"2999-01-01T00:00:00Z {line}" for line in lines)

    def wait(condition: str, check: Callable[[], Any], **kwargs: Any) -> Any:
        return check()

    return SimpleNamespace(logs=logs, wait=wait, clock=MACHINE_CLOCK, patience=PATIENCE)


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        (['10.0.0.1 - - "HEAD / HTTP/1.0"', "start worker"], "the client's own address"),
        (['10.0.0.9 - - "HEAD / HTTP/1.0"'], "another address"),
        # The server's own request is the control of the probe.
        (['10.0.0.2 - - "HEAD /"', '10.0.0.1 - - "HEAD /"'], "the client's own address"),
    ],
)
def test_address_is_the_one_that_the_server_logged(logged: list[str], shown: str) -> None:
    observer = FakeObserver(Outcome.CONNECTED)

    seen = client_address(bench(logging(*logged), stage(observer)), ROW)

    assert seen.reading.detail == shown
    assert [str(ask.target.pod) for ask in observer.asked] == ["shop/db"]  # type: ignore[union-attr]


def test_server_that_was_not_reached_gives_no_verdict() -> None:
    with pytest.raises(ProbeError, match="not reached"):
        client_address(bench(logging(), stage(FakeObserver(Outcome.TIMEOUT))), ROW)


class Applying:
    """Counts what was applied and deleted."""

    clock = MACHINE_CLOCK
    patience = PATIENCE

    def __init__(self) -> None:
        self.done: list[str] = []

    def apply(self, body: dict[str, Any]) -> None:
        self.done.append(f"apply {body['metadata']['name']}")

    def delete(self, body: dict[str, Any]) -> None:
        self.done.append(f"delete {body['metadata']['name']}")


OPEN, SHUT = Outcome.CONNECTED, Outcome.TIMEOUT


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ([OPEN, SHUT] * 5, "no connection made later"),
        ([OPEN, SHUT] * 4 + [SHUT, OPEN, OPEN, SHUT], "connections made later"),
    ],
)
def test_one_connection_after_the_answer_refutes_at_once(script: list[Outcome], shown: str) -> None:
    kube = Applying()

    seen = takes_effect(bench(kube, stage(FakeObserver(*script), PODS + "---" + POLICY)), ROW)

    assert seen.reading.detail == shown
    assert kube.done == ["delete deny", "apply deny"] * 5


def test_run_without_policies_measures_none() -> None:
    with pytest.raises(ProbeError, match="no policies"):
        takes_effect(bench(Applying(), stage(FakeObserver(), keeps=False)), ROW)


def test_state_that_silences_nothing_gives_no_verdict() -> None:
    with pytest.raises(ProbeError, match="closes a connection"):
        takes_effect(bench(Applying(), stage(FakeObserver())), ROW)
