"""Two runs of the labs on one cluster: the second is refused at once, with words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.edge.cluster.lane import Lane
from harness.edge.cluster.state import ClusterSpec
from harness.edge.cluster.turn import turn
from harness.errors import EnvironmentFault
from harness.exitcode import ExitCode
from tests.plugin.test_plugin import HONEST, project, run

pytest_plugins = ["pytester"]

CALICO = ClusterSpec(Lane("calico"))


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_second_run_on_a_cluster_is_refused_before_anything_is_touched(
    pytester: pytest.Pytester,
) -> None:
    project(pytester, HONEST)

    with turn(CALICO):
        result = run(pytester, "--lab-cni=calico")

    assert result.ret == ExitCode.FAULT
    said = result.stdout.str()
    assert "another run uses the cluster policylab-calico" in said
    assert "--cluster-name" in said
    assert not (pytester.path / "results").exists()


def test_next_run_has_its_turn_when_the_first_is_over(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)

    first, second = run(pytester), run(pytester)

    assert (first.ret, second.ret) == (0, 0)


@pytest.mark.parametrize("option", ["--lab-cni=cilium", "--cluster-name=mine", "--lab-offline"])
def test_run_elsewhere_needs_no_turn(pytester: pytest.Pytester, option: str) -> None:
    project(pytester, HONEST)

    with turn(CALICO):
        result = run(pytester, option)

    assert result.ret == 0, json.dumps(result.outlines)


def test_context_with_any_letters_is_a_cluster_like_any_other() -> None:
    context = ClusterSpec(context="arn:aws:eks:../x/../y")

    with turn(context), pytest.raises(EnvironmentFault, match="arn:aws:eks"), turn(context):
        pass
