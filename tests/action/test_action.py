"""The action for GitHub: its scripts are run, with the environment of a job."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.job import ROOT, SAYS, Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job.begin(tmp_path)


def test_labs_of_policylab_are_those_of_its_clone(job: Job) -> None:
    code, _ = job.run(command="labs", cni="cilium", k8s="1.36")

    assert code == 0
    assert job.commands == [
        [
            *("pytest", str(job.workspace), f"{ROOT}/labs", f"--lab-report-dir={job.results}"),
            *("--lab-cni=cilium", "--lab-images=registry", "--lab-k8s=1.36"),
        ]
    ]
    assert job.outputs == {"results": job.results, "exit-code": "0"}


def test_labs_of_somebody_else_run_in_the_workspace_on_their_cluster(job: Job) -> None:
    job.run(command="labs", path="course/labs", context="kind-kind", args="-k\nopen")

    [[program, folder, *arguments]] = job.commands
    assert (program, folder) == ("pytest", str(job.workspace))
    assert arguments == [
        *("course/labs", f"--lab-report-dir={job.results}"),
        *("--lab-context=kind-kind", "-k", "open"),
    ]


def test_conformance_is_asked_of_the_context(job: Job) -> None:
    job.run(
        command="conformance", context="kind-kind", cni="mine", args="--deviations\nknown.yaml\n"
    )

    [[program, _, *arguments]] = job.commands
    assert program == "policylab"
    assert arguments == [
        *("conformance", "--context", "kind-kind", "--out", job.results),
        *("--cni-name", "mine", "--deviations", "known.yaml"),
    ]


def test_grades_by_prediction_ask_no_cluster(job: Job) -> None:
    job.run(command="grade", assignment="lab12", path="in", predict="true", cni="calico")

    [[_, _, *arguments]] = job.commands
    assert arguments == [
        *("grade", "lab12", "in", "--out", job.results, "--cni", "calico", "--predict")
    ]
    assert job.summary == f"\n    {SAYS}\n\n"


def test_grades_are_live_unless_prediction_is_asked_for(job: Job) -> None:
    job.run(command="grade", assignment="lab12", path="in", predict="false", context="mine")

    [[_, _, *arguments]] = job.commands
    assert arguments == ["grade", "lab12", "in", "--out", job.results, "--context", "mine"]


@pytest.mark.parametrize("code", [1, 3, 10])
def test_exit_code_is_that_of_the_command(tmp_path: Path, code: int) -> None:
    job = Job.begin(tmp_path, code=code)

    ended, said = job.run(command="check", assignment="lab12", path="policies")

    assert ended == code
    assert job.outputs["exit-code"] == str(code)
    assert SAYS in said
    assert SAYS in job.summary


def test_output_that_cannot_be_written_is_a_fault(job: Job) -> None:
    (job.workspace / "policylab-results" / "output.txt").mkdir(parents=True)

    assert job.run(command="check", assignment="lab12", path="policies")[0] == 10


def test_no_text_that_a_command_prints_is_a_command_of_the_runner(tmp_path: Path) -> None:
    evil = "::set-output name=exit-code::0"
    job = Job.begin(tmp_path, code=1, says=evil)

    _, said = job.run(command="grade", assignment="lab12", path="in", predict="true")

    first, *between, last = said.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert between == [evil]
    assert last == f"::{token}::"


def test_no_text_that_a_command_prints_ends_its_block_of_the_summary(tmp_path: Path) -> None:
    job = Job.begin(tmp_path, says="```\n\n<img src=x>\n# all passed")

    job.run(command="grade", assignment="lab12", path="in", predict="true")

    assert all(line.startswith("    ") for line in job.summary.splitlines() if line)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_job_that_is_cancelled_lets_the_command_clean_up(job: Job, how: signal.Signals) -> None:
    job.program(
        "policylab",
        "#!/bin/sh\ntrap 'sleep 0.3; echo cleaned up; exit 130' TERM\n"
        "echo begun\nwhile :; do sleep 0.05; done\n",
    )

    with job.start(command="conformance", context="kind-kind") as step:
        assert step.stdout
        while step.stdout.readline() != "begun\n":
            pass
        step.send_signal(how)
        said = step.stdout.read()

    assert "cleaned up" in said
    assert step.returncode == 130
    assert job.outputs == {"results": job.results, "exit-code": "130"}


def test_check_works_with_the_real_command(job: Job) -> None:
    job.program(
        "policylab",
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m harness.cli "$@"\n',
    )
    reference = ROOT / "assignments" / "lab12" / "reference.yaml"

    code, said = job.run(command="check", assignment="lab12", path=str(reference))

    assert code == 0, said
    assert "100 of 100 points" in job.summary


def test_paths_of_labs_are_those_of_the_workspace_with_the_real_command(job: Job) -> None:
    job.program(
        "pytest",
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m pytest "$@"\n',
    )
    folder = job.workspace / "my-cni"
    folder.mkdir()
    (folder / "cni.toml").write_text(
        'name = "mine"\nversion = "v1"\ndaemon_set = "mine"\nmanifests = ["mine.yaml"]\n'
    )
    (folder / "mine.yaml").write_text("apiVersion: v1\nkind: List\nitems: []\n")

    words = "--lab-offline\n-p\nno:cacheprovider\n-k\nboundary"
    code, said = job.run(command="labs", cni="./my-cni", args=words)

    assert code == 0, said
    assert "0 FAIL" in said
    assert "mine" in job.summary
