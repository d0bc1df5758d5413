"""`--context NAME`: the verbs that read manifests read a cluster's objects in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness import cli
from harness.commands.shared.access import Access
from harness.core.manifests.reader import parse
from harness.exitcode import ExitCode
from tests.fakes.cluster import FakeCluster

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db, image: x, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]
"""
ABOVE = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "from-above", "namespace": ""},
    "spec": {"priority": 1},
}
FLOW = ("shop/web", "pod/shop/db:5432")


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    for resource in parse(SHOP, origin="shop.yaml"):
        made.apply(resource.body)
    made.clock.take(1.0)
    return made


def policylab(cluster: FakeCluster, *words: str) -> ExitCode:
    value = cluster.value()
    access = Access(owned=lambda: ["mine"], running=lambda _: value, doors=lambda _: cluster)
    return ExitCode(cli.main([*words, "--context", "mine"], access))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("explain", *FLOW), ExitCode.OK, "shop/db is selected by shop/db"),
        (("explain", "shop/web", "svc/shop/db:5432"), ExitCode.OK, "deny"),
        (("explain",), ExitCode.OK, "shop/db"),
        (("dns", "shop/web", "db"), ExitCode.OK, "db.shop.svc.cluster.local."),
        (("dns", "shop/web", "cache.shop.svc.cluster.local."), ExitCode.DIFFERS, "dns_nxdomain"),
        (("lint", "--sure", "possible"), ExitCode.DIFFERS, "shop/db"),
        (("matrix",), ExitCode.OK, "shop/web"),
        (("privilege", "--propose"), ExitCode.OK, "shop/web"),
    ],
)
def test_every_verb_reads_a_cluster(
    cluster: FakeCluster,
    capsys: pytest.CaptureFixture[str],
    words: Sequence[str],
    code: ExitCode,
    said: str,
) -> None:
    assert policylab(cluster, *words) == code

    assert said in capsys.readouterr().out


@pytest.mark.parametrize("verb", [("explain", *FLOW), ("dns", "shop/web"), ("lint",), ("matrix",)])
def test_files_and_a_cluster_at_once_are_a_wrong_command_line(
    cluster: FakeCluster, tmp_path: Path, verb: Sequence[str]
) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    files = (str(tmp_path),) if verb == ("lint",) else ("--manifests", str(tmp_path))

    assert policylab(cluster, *verb, *files) == ExitCode.USAGE


def test_policy_from_above_is_not_passed_over(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put(ABOVE)

    assert policylab(cluster, "explain", *FLOW) == ExitCode.OK

    said = capsys.readouterr().out
    assert said.splitlines()[0].endswith("undefined")
    assert "AdminNetworkPolicy from-above" in said


def test_policies_of_other_kinds_with_the_same_name_are_not_taken_for_ours(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.put(
        {
            "apiVersion": "crd.projectcalico.org/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "db-of-calico", "namespace": "shop"},
            "spec": {"order": 1},
        }
    )

    policylab(cluster, "explain", *FLOW)

    assert "NetworkPolicy shop/db-of-calico" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("explain", *FLOW, "-q"), "shop/web -> pod/shop/db:5432: deny"),
        (("dns", "shop/web", "db", "-q"), "db: resolved 10.96."),
        (("dns", "shop/web", "--quiet"), "10.96.0.10 over UDP: may be asked"),
    ],
)
def test_quiet_says_the_answer_only(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str], words: Sequence[str], line: str
) -> None:
    policylab(cluster, *words)

    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(line), said
    assert len(said) <= 2  # a name server is asked over UDP and over TCP
