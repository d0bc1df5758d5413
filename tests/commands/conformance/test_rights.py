"""The rights that are shipped are those that a run asks for: each of them, and no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli
from harness.commands.shared.access import Access
from harness.core.conformance.row import Status
from harness.edge.cluster.foreign import open_foreign
from harness.edge.cni.known import PROFILES
from harness.edge.conformance.life.lifecycle import Plan, latency, lifecycle
from harness.exitcode import ExitCode
from harness.progress import Quiet
from tests.fakes.cluster import NODES
from tests.fakes.lies import LetsNobodyIn
from tests.fakes.rights import ROLLOUT, Limited, LimitedLiving, Right, rights_in

HOME = Path(__file__).parents[3] / "manifests" / "conformance"

CHOSEN = (
    *("isolation/deny-both", "services/node-port", "services/headless", "changes/new-namespace"),
    *("changes/established", "changes/pod-with-an-old-name", "changes/address-used-again"),
    "hosts/host-network-client",
)


@cache
def granted(name: str) -> frozenset[Right]:
    bodies = yaml.safe_load_all((HOME / name).read_text(encoding="utf-8"))
    return frozenset(right for body in bodies for right in rights_in(body.get("rules", ())))


def limited(kind: type[Limited], may: Iterable[Right], *made_of: Any) -> Limited:
    cluster = kind(*made_of)
    info = {"kubeletVersion": "v1.37.2"}
    for name in NODES:
        cluster.put({"kind": "Node", "metadata": {"name": name}, "status": {"nodeInfo": info}})
    cluster.asked.clear()
    cluster.may = frozenset(may)
    return cluster


def run(cluster: Limited, out: Path, *words: str) -> ExitCode:
    """A run on the cluster as on one of somebody else, with what opens it."""
    access = Access(
        open=lambda spec, progress, tools: open_foreign(
            replace(spec, kubectl_bin=Path("kubectl")),
            progress,
            replace(tools, connect=lambda *_: cluster),
        ),
        doors=lambda _: cluster,
    )
    fixed = ("conformance", "--context", "it", "--cni-name", cluster.cni.name, "--late", "0")
    return cli.main([*fixed, "--jobs", "1", "--out", str(out), *words], access)


def chosen(*names: str) -> list[str]:
    return [word for name in names for word in ("--only", name)]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> set[Right]:
    """What all that a run may do asks for, on two CNIs, with failures and their evidence."""
    out = tmp_path_factory.mktemp("rights")
    may, asked = granted("rbac.yaml"), set[Right]()
    for cni in ("calico", "cilium"):
        honest = limited(Limited, may, cni)
        assert run(honest, out, *chosen(*CHOSEN), "--fuzz", "5") is ExitCode.OK
        assert run(honest, out, "--sweep") is ExitCode.OK
        liar = limited(Limited, may, cni, LetsNobodyIn())
        assert run(liar, out, *chosen("peers/pods")) is ExitCode.DIFFERS
        asked |= honest.asked | liar.asked
    return asked | measured(may, Plan(restarts=False, quiet=1.0, churn=0.5, births=1))


def measured(may: Iterable[Right], plan: Plan) -> set[Right]:
    """What latency and the lifecycle ask for."""
    living = limited(LimitedLiving, may)
    assert isinstance(living, LimitedLiving)
    site, profile = living.site(shell=False), PROFILES["calico"]
    rows = [*latency(site, profile, Quiet(), flips=2), *lifecycle(site, profile, Quiet(), plan)]
    left_out = {row.name for row in rows if row.status is not Status.PASSED}
    assert left_out <= {
        "lifecycle/agent-killed",
        "lifecycle/node-drained",
        "lifecycle/node-readded",
    }
    assert {call.split()[0] for call in living.ran} <= {"rollout"}
    return living.asked | (set(ROLLOUT) if living.ran else set())


def test_the_shipped_rights_are_those_of_a_run_and_no_more(asked: set[Right]) -> None:
    assert asked == granted("rbac.yaml")


def test_the_lifecycle_needs_its_own_rights_beside_and_no_more(asked: set[Right]) -> None:
    may = granted("rbac.yaml") | granted("rbac-lifecycle.yaml")

    more = measured(may, Plan(quiet=1.0, churn=0.5, births=1))

    assert more - asked == granted("rbac-lifecycle.yaml")


def test_a_right_that_is_missing_is_noticed(tmp_path: Path) -> None:
    may = granted("rbac.yaml") - {Right("networking.k8s.io", "networkpolicies", "delete")}
    cluster = limited(Limited, may)

    assert run(cluster, tmp_path, *chosen("changes/delete")) is not ExitCode.OK
    assert cluster.asked - may == granted("rbac.yaml") - may
