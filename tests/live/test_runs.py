"""Whole runs of the labs, as a student or a CI job starts them, and how they go wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.edge.machine.wait import NotYet, wait_for
from harness.exitcode import ExitCode

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
SILENT = ("timeout", "dns_timeout")
RUN_SECONDS = 240


def labs(
    reports: Path, *args: str, lab: str = "lab12_zero_trust", cni: str = "calico"
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", f"labs/{lab}"]
    command += [f"--lab-cni={cni}", f"--lab-report-dir={reports}"]
    return subprocess.Popen(
        [*command, *args], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def rows(reports: Path) -> list[dict[str, Any]]:
    found = document(reports)["rows"]
    assert isinstance(found, list)
    return found


def document(reports: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((reports / "latest" / "labs.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize(
    ("lab", "cni", "count"),
    [
        ("lab12_zero_trust", "calico", 25),
        ("netpol_by_example", "cilium", 20),
        ("cilium_fqdn", "cilium", 6),
        ("production_isolation", "calico", 20),
    ],
)
def test_without_the_policies_every_denied_row_turns_red(
    tmp_path: Path, lab: str, cni: str, count: int
) -> None:
    """The mutation check: a row that is green without its policy would prove nothing."""
    run = labs(tmp_path, "--lab-policies=skip", lab=lab, cni=cni)
    output, _ = run.communicate(timeout=RUN_SECONDS)

    assert run.returncode == 1, output
    denied = [
        row
        for row in rows(tmp_path)
        if row["documented"] in SILENT and not row["erratum"]
        # Silent without any policy: what a CNI does with a port that no Service serves.
        if row["predicted"] or not row["flow"]["to"].startswith("svc/")
    ]
    assert len(denied) >= count
    assert {row["status"] for row in denied} == {"fail"}, output
    still_open = [row for row in rows(tmp_path) if row["documented"] == "connected"]
    assert {row["status"] for row in still_open if not row["erratum"]} == {"pass"}


def interrupted(reports: Path, number: signal.Signals, *args: str) -> subprocess.Popen[str]:
    """A run of the labs that got this signal once its first rows were written."""
    run = labs(reports, *args)

    def first_rows() -> None:
        if run.poll() is not None:
            pytest.fail(f"the run ended by itself: {run.communicate()[0]}")
        written = (reports / "latest" / "labs.json").exists()
        if not written or not [r for r in rows(reports) if r["status"] == "pass"]:
            raise NotYet("no row has passed yet")

    wait_for("the first rows are written", first_rows, seconds=RUN_SECONDS)
    run.send_signal(number)
    return run


def test_interrupt_keeps_what_was_found_and_the_cluster_and_the_next_run_is_whole(
    tmp_path: Path,
) -> None:
    first = interrupted(tmp_path / "first", signal.SIGINT)
    output, _ = first.communicate(timeout=60)

    assert first.returncode == ExitCode.INTERRUPTED, output
    assert_kept(tmp_path / "first")

    second = labs(tmp_path / "second", "-k", "default_deny")
    output, _ = second.communicate(timeout=RUN_SECONDS)

    assert second.returncode == 0, output
    assert {row["status"] for row in rows(tmp_path / "second")} == {"pass", "erratum"}


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["one process", "workers"])
def test_run_that_is_told_to_end_ends_as_by_ctrl_c(tmp_path: Path, workers: list[str]) -> None:
    run = interrupted(tmp_path, signal.SIGTERM, *workers)
    output, _ = run.communicate(timeout=60)

    assert run.returncode == ExitCode.INTERRUPTED, output
    assert_kept(tmp_path)


@pytest.mark.parametrize("cni", ["calico", "cilium"])
def test_workers_share_one_cluster_and_write_one_report(tmp_path: Path, cni: str) -> None:
    run = labs(tmp_path, "labs/production_isolation", "-n2", "-k", "default_deny", cni=cni)
    output, _ = run.communicate(timeout=RUN_SECONDS)

    assert run.returncode == 0, output
    tutorials = {row["tutorial"] for row in rows(tmp_path)}
    assert tutorials == {"lab12-zero-trust", "production-isolation"}
    assert {row["status"] for row in rows(tmp_path)} == {"pass", "erratum"}
    assert document(tmp_path)["environment"]["cni"] == cni
    assert document(tmp_path)["gate"]


def assert_kept(reports: Path) -> None:
    statuses = [row["status"] for row in rows(reports)]
    assert document(reports)["interrupted"] is True
    assert "pass" in statuses
    assert "not_checked" in statuses
    assert "fail" not in statuses
    assert (reports / "latest" / "report.html").exists()
