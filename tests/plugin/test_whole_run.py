"""`pytest labs/` from its options to its report: the labs of this checkout on a fake cluster."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.exitcode import ExitCode
from tests.fakes.run import TUTORIALS

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
CONFTEST = """
import sys

import pytest

sys.path.insert(0, {root!r})
from tests.fakes import lies
from tests.fakes.cluster import FakeCluster

pytest_plugins = ["harness.plugin.labs"]
CLUSTER = FakeCluster("{cni}", lies.{lie})


@pytest.fixture(scope="session")
def lab_cluster():
    return CLUSTER.value()


@pytest.fixture(scope="session")
def lab_doors():
    return CLUSTER
"""


def run(
    pytester: pytest.Pytester, lab: str, *args: str, cni: str = "calico", lie: str = "Lie()"
) -> pytest.RunResult:
    """A run of one tutorial's labs, with this lie."""
    tutorial = lab.replace("_", "-")
    shutil.copytree(ROOT / "labs" / lab, pytester.path / "labs" / lab)
    shutil.copytree(ROOT / "manifests" / tutorial, pytester.path / "manifests" / tutorial)
    pytester.makeconftest(CONFTEST.format(cni=cni, lie=lie, root=str(ROOT)))
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n")
    return pytester.runpytest_subprocess("labs", f"--lab-cni={cni}", *args)


def document(pytester: pytest.Pytester) -> dict[str, Any]:
    text = (pytester.path / "results" / "latest" / "labs.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def statuses(pytester: pytest.Pytester) -> Counter[str]:
    return Counter(row["status"] for row in document(pytester)["rows"])


@pytest.mark.parametrize(
    ("lab", "cni"), [("lab12_zero_trust", "calico"), ("cilium_fqdn", "cilium")]
)
def test_run_on_an_honest_cluster_passes_and_reports_every_row(
    pytester: pytest.Pytester, lab: str, cni: str
) -> None:
    result = run(pytester, lab, cni=cni)

    rows = TUTORIALS[lab.replace("_", "-")][cni]
    assert result.ret == ExitCode.OK, result.outlines
    refuted = sum(row.erratum is not None for row in rows)
    assert statuses(pytester) == {"pass": len(rows) - refuted, "erratum": refuted}
    found = document(pytester)
    assert found["gate"]["nodes"] == 2
    assert found["changes"]
    assert (pytester.path / "results" / "latest" / "report.html").exists()


def test_run_without_policies_turns_every_documented_denial_red(pytester: pytest.Pytester) -> None:
    result = run(pytester, "lab12_zero_trust", "--lab-policies=skip")

    assert result.ret == ExitCode.DIFFERS
    silent = [
        row
        for row in document(pytester)["rows"]
        if row["documented"] in ("timeout", "dns_timeout") and not row["erratum"]
    ]
    assert len(silent) > 20
    assert {row["status"] for row in silent} == {"fail"}


def test_cluster_that_enforces_nothing_stops_the_run_before_the_first_row(
    pytester: pytest.Pytester,
) -> None:
    result = run(pytester, "lab12_zero_trust", lie="EnforcesNothing()")

    assert result.ret == ExitCode.FAULT
    assert statuses(pytester).keys() == {"not_checked"}
    said = " ".join([*result.outlines, *result.errlines])
    assert "this cluster does not do what policies say" in said
