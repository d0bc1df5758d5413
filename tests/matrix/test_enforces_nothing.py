"""`make matrix`: flannel alone enforces no policy, and a run on it ends at the gate, in words."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.edge.cluster.state import owned_clusters
from harness.exitcode import ExitCode

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
CNI = "docs/cni/flannel"
CLUSTER_SECONDS, GATE_SECONDS = 600, 60


def run(seconds: float, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )


def test_run_on_flannel_alone_ends_at_the_gate(tmp_path: Path) -> None:
    up = run(CLUSTER_SECONDS, "harness.cli", "cluster", "up", f"--cni={CNI}")
    assert up.returncode == ExitCode.OK, up.stderr

    begun = time.monotonic()
    reports = f"--lab-report-dir={tmp_path}"
    labs = run(CLUSTER_SECONDS, "pytest", "labs/", f"--lab-cni={CNI}", "--lab-keep=never", reports)
    took = time.monotonic() - begun

    said = labs.stdout + labs.stderr
    assert labs.returncode == ExitCode.FAULT, said
    assert "this cluster does not do what policies say" in said
    assert "under a policy that denies all ingress" in said
    assert "connected, not timeout" in said
    assert "the network plugin (CNI) must enforce it" in said
    assert took < GATE_SECONDS, said
    document = json.loads((tmp_path / "latest" / "labs.json").read_text(encoding="utf-8"))
    assert {row["status"] for row in document["rows"]} == {"not_checked"}
    assert "policylab-flannel" not in owned_clusters()
