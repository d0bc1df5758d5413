"""On a live cluster: conformance with the shipped rights alone, and what it leaves behind.

It takes about 60 s on Calico.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli
from harness.commands.shared.access import Access
from harness.edge.api.kubectl import kubectl_base
from harness.edge.cluster.opening import Cluster
from harness.edge.conformance.others import left_behind
from harness.edge.machine.process import run
from harness.exitcode import ExitCode
from harness.plays import Live, doors_of

pytestmark = pytest.mark.live

RIGHTS = Path(__file__).parents[2] / "manifests" / "conformance" / "rbac.yaml"
ACCOUNT = ("policylab", "conformance")
CHOSEN = ("isolation/deny-both", "ports/name-with-two-numbers", "changes/relabel-a-namespace")
SERVICES = ("services/udp", "services/headless", "services/node-port", "changes/new-pod-as-subject")
HELD = "changes/established"


@pytest.fixture(scope="module")
def runner(lab_live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster, as the account of the shipped rights sees it: a context of its own."""
    cluster = lab_live.cluster
    base = kubectl_base(cluster.kubectl, cluster.kubeconfig, cluster.context)
    run([*base, "apply", "-f", str(RIGHTS)], timeout=60)
    namespace, name = ACCOUNT
    token = run([*base, "-n", namespace, "create", "token", name], timeout=60).stdout.strip()
    file = tmp_path_factory.mktemp("rights") / "kubeconfig"
    config: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    config["users"] = [{"name": name, "user": {"token": token}}]
    for context in config["contexts"]:
        context["context"]["user"] = name
    file.touch(mode=0o600)
    file.write_text(json.dumps(config), encoding="utf-8")
    yield replace(cluster, kubeconfig=file, owned=False)
    run([*base, "delete", "-f", str(RIGHTS), "--wait=false"], timeout=60)


def standing(cluster: Cluster) -> set[str]:
    """The namespaces of runs that are there, and not on their way out."""
    metas = [body["metadata"] for body in left_behind(doors_of(cluster).kube())]
    return {meta["name"] for meta in metas if "deletionTimestamp" not in meta}


def rights_of(cluster: Cluster) -> str:
    base = kubectl_base(cluster.kubectl, cluster.kubeconfig, cluster.context)
    return run([*base, "auth", "can-i", "--list"], timeout=60).stdout


def test_the_shipped_rights_suffice_and_nothing_stays(runner: Cluster, tmp_path: Path) -> None:
    access = Access(open=lambda *_: runner, doors=doors_of)
    before = standing(runner)
    only = [word for name in (*CHOSEN, *SERVICES, HELD) for word in ("--only", name)]
    words = ["conformance", "--context", "it", "--cni-name", runner.lane.cni, "--jobs", "2"]

    code = cli.main([*words, "--out", str(tmp_path), *only, "--fuzz", "4"], access)

    report = yaml.safe_load((tmp_path / "report.yaml").read_text(encoding="utf-8"))
    wrong = {row["name"]: row["why"] for row in report["rows"] if row["status"] != "passed"}
    assert wrong == {}
    assert code is ExitCode.OK
    assert {row["name"] for row in report["rows"]} >= {*CHOSEN, *SERVICES, HELD}
    assert standing(runner) == before


def test_the_shipped_rights_are_not_those_of_an_administrator(runner: Cluster) -> None:
    told = rights_of(runner)

    assert "networkpolicies.networking.k8s.io" in told
    assert "secrets" not in told
    assert "*.*" not in told
    assert not any("[*]" in line.split()[-1] for line in told.splitlines() if line.strip())
