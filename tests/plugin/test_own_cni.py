"""`--lab-cni=FOLDER`: the rows that the CNI's profile does not tell are left out, and no others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.lab.profile import LINES
from tests.edge.cni.test_folder import FACTS

HOME = Path(__file__).parents[2]


def run(folder: Path, *words: str, lab: str = "labs/netpol_by_example") -> str:
    command = [sys.executable, "-m", "pytest", lab, "--lab-offline", "-q"]
    command += [f"--lab-cni={folder}", f"--lab-report-dir={folder}/results", *words]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cni.toml").write_text(FACTS, encoding="utf-8")
    (tmp_path / "manifests.yaml").write_text("kind: DaemonSet\n", encoding="utf-8")
    return tmp_path


def test_rows_that_nobody_told_are_left_out(folder: Path) -> None:
    bare = run(folder, "--collect-only")
    lines = "\n".join(f'{line} = "timeout"' for line in LINES)
    (folder / "cni.toml").write_text(f"{FACTS}[profile]\n{lines}\n", encoding="utf-8")
    told = run(folder, "--collect-only")

    assert "deny-server-to-svc-server-80" not in bare
    assert "open-client-to-server-80" in bare
    assert "9 deselected" in bare
    assert "deny-server-to-svc-server-80" in told
    assert "deselected" not in told


def test_rows_about_counters_are_left_out_unless_policylab_knows_the_agent(folder: Path) -> None:
    lab = "labs/production_isolation/test_06_diagnosis.py"
    lines = "\n".join(f'{line} = "timeout"' for line in LINES)
    (folder / "cni.toml").write_text(f"{FACTS}[profile]\n{lines}\n", encoding="utf-8")
    bare = run(folder, "--collect-only", lab=lab)
    (folder / "cni.toml").write_text(
        f'{FACTS}agent = "calico"\n[profile]\n{lines}\n', encoding="utf-8"
    )
    known = run(folder, "--collect-only", lab=lab)

    assert "-blocked-" not in bare
    assert "5 deselected" in bare
    assert "-blocked-backend-8080" in known
    assert "deselected" not in known


def test_wrong_folder_is_told_before_anything_runs(folder: Path) -> None:
    (folder / "cni.toml").unlink()

    assert "there is no CNI in this place" in run(folder)
