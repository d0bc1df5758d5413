"""What the cluster makes of policies."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

import pytest

from harness.edge.facts.policies import (
    client_address,
    name_label,
    policies,
    takes_effect,
    unrestarted,
)
from harness.errors import ProbeError
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import Lab, lab, library_of, row_of
from tests.fakes.lies import Lie, Masquerades

BASE = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
""" + "".join(
    f"""---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}
spec: {{containers: [{{name: c, image: nginx, ports: [{{containerPort: 80}}]}}]}}
"""
    for name in ("web", "db")
)
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
"""
LIBRARY = library_of({"base": BASE, "deny": DENY})
ROW = row_of("fact/policies")
DENIED = row_of("fact/policies", apply="base, deny")


def entered(*apply: str, lie: Lie | None = None) -> Lab:
    made = lab(LIBRARY, FakeCluster(lie=lie))
    made.stage.enter(["base", *apply])
    return made


def listing(*bodies: dict[str, Any]) -> Lab:
    made = lab({})
    made.cluster.put(*bodies)
    return made


def policy(name: str, types: list[str]) -> dict[str, Any]:
    meta = {"namespace": "shop", "name": name, "creationTimestamp": "2026-01-01T00:00:05Z"}
    return {"kind": "NetworkPolicy", "metadata": meta, "spec": {"policyTypes": types}}


def pod(started: str, restarts: int = 0) -> dict[str, Any]:
    status = {"restartCount": restarts, "state": {"running": {"startedAt": started}}}
    meta = {"namespace": "shop", "name": "web"}
    return {"kind": "Pod", "metadata": meta, "status": {"containerStatuses": [status]}}


def test_policies_are_told_with_the_types_that_the_server_keeps() -> None:
    made = listing(policy("b", ["Ingress", "Egress"]), policy("a", ["Ingress"]))

    assert policies(made.bench, ROW).reading.detail == "a (Ingress); b (Ingress, Egress)"
    assert policies(listing().bench, ROW).reading.detail == "none"


def test_namespace_without_its_name_as_a_label_is_named() -> None:
    key = "kubernetes.io/metadata.name"
    bad = {"kind": "Namespace", "metadata": {"name": "old", "labels": {key: "other"}}}

    assert name_label(entered().bench, ROW).reading.detail == "on every namespace"
    assert name_label(listing(bad).bench, ROW).reading.detail == "not on old"


@pytest.mark.parametrize(
    ("running", "shown"),
    [
        (pod("2026-01-01T00:00:01Z"), "pods older than the policies, 0 restarts"),
        (pod("2026-01-01T00:00:01Z", 2), "pods older than the policies, 2 restarts"),
        (pod("2026-01-01T00:00:09Z"), "pods younger than the policies, 0 restarts"),
    ],
)
def test_age_of_pods_is_compared_with_the_policies(running: dict[str, Any], shown: str) -> None:
    made = listing(policy("deny", ["Ingress"]), running)

    assert unrestarted(made.bench, ROW).reading.detail == shown


def test_age_says_nothing_where_there_is_no_policy() -> None:
    made = listing(pod("2026-01-01T00:00:09Z"))

    assert unrestarted(made.bench, ROW).reading.detail == "no policy"


@pytest.mark.parametrize(
    ("lie", "shown"),
    # The server's log has its own address as well: it asks itself, as the control of the probe.
    [(None, "the client's own address"), (Masquerades(), "another address")],
)
def test_address_is_the_one_that_the_server_logged(lie: Lie | None, shown: str) -> None:
    made = entered(lie=lie)

    assert client_address(made.bench, ROW).reading.detail == shown


def test_server_that_was_not_reached_gives_no_verdict() -> None:
    made = entered("deny")

    with pytest.raises(ProbeError, match="not reached"):
        client_address(made.bench, DENIED)


@pytest.mark.parametrize(
    ("delays", "shown"),
    [
        ([], "no connection made later"),
        # The policy comes with the state; then it goes and comes five times, at last with delay.
        ([0.0] * 10 + [0.1], "connections made later"),
    ],
)
def test_one_connection_after_the_answer_refutes_at_once(delays: list[float], shown: str) -> None:
    cluster = FakeCluster(delays=chain(delays, repeat(0.0)))
    made = lab(LIBRARY, cluster)
    made.stage.enter(["base", "deny"])
    before = len(cluster.calls)

    seen = takes_effect(made.bench, DENIED)

    assert seen.reading.detail == shown
    changed = [call for call in cluster.calls[before:] if "NetworkPolicy" in call]
    assert changed == ["delete NetworkPolicy shop/deny", "apply NetworkPolicy shop/deny"] * 5


def test_run_without_policies_measures_none() -> None:
    made = lab(LIBRARY, policies=False)

    with pytest.raises(ProbeError, match="no policies"):
        takes_effect(made.bench, DENIED)


def test_state_that_silences_nothing_gives_no_verdict() -> None:
    made = entered()

    with pytest.raises(ProbeError, match="closes a connection"):
        takes_effect(made.bench, ROW)
