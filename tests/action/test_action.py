"""The action for GitHub: its scripts are run, with the environment of a job."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.edge.cluster.lane import KUBERNETES
from harness.edge.cni.known import CNIS

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "policylab"
WORDS = """#!{python}
import json, os, sys
asked = [os.path.basename(sys.argv[0]), os.getcwd(), *sys.argv[1:]]
open({file!r}, "a").write(json.dumps(asked) + "\\n")
print("what the command says")
sys.exit({code})
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a runner, whose policylab only writes down what it is asked."""

    folder: Path

    @classmethod
    def begin(cls, folder: Path, *, code: int = 0) -> Job:
        job = cls(folder)
        (job.folder / "work").mkdir()
        for name in ("policylab", "pytest"):
            job.program(name, WORDS.format(python=sys.executable, file=str(job.asked), code=code))
        return job

    @property
    def asked(self) -> Path:
        return self.folder / "asked"

    def program(self, name: str, text: str) -> None:
        file = self.folder / "temp" / "policylab" / "bin" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    def run(self, script: str = "run.sh", **inputs: str) -> tuple[int, str]:
        """How a script ends, and what it says."""
        done = subprocess.run(
            [ACTION / script],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "GITHUB_ACTION_PATH": str(ACTION),
                "GITHUB_WORKSPACE": str(self.folder / "work"),
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                "RUNNER_TEMP": str(self.folder / "temp"),
                **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    @property
    def commands(self) -> list[list[str]]:
        """The programs that were run: name, folder, arguments."""
        lines = self.asked.read_text(encoding="utf-8").splitlines() if self.asked.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def outputs(self) -> dict[str, str]:
        text = (self.folder / "output").read_text(encoding="utf-8")
        return dict(line.split("=", 1) for line in text.splitlines())

    @property
    def results(self) -> str:
        return str(self.folder / "work" / "policylab-results")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job.begin(tmp_path)


def test_labs_of_policylab_run_in_its_clone(job: Job) -> None:
    code, _ = job.run(command="labs", cni="cilium", k8s="1.36")

    assert code == 0
    assert job.commands == [
        [
            *("pytest", str(ROOT), "labs/", f"--lab-report-dir={job.results}"),
            *("--lab-cni=cilium", "--lab-images=registry", "--lab-k8s=1.36"),
        ]
    ]
    assert job.outputs == {"exit-code": "0", "results": job.results}


def test_labs_of_somebody_else_run_in_the_workspace_on_their_cluster(job: Job) -> None:
    job.run(command="labs", path="course/labs", context="kind-kind", k8s="1.36", args="-k\nopen")

    [[program, folder, *arguments]] = job.commands
    assert (program, folder) == ("pytest", str(job.folder / "work"))
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
    assert (job.folder / "summary").read_text() == "```text\nwhat the command says\n```\n"


@pytest.mark.parametrize("code", [1, 3, 10])
def test_exit_code_is_that_of_the_command(tmp_path: Path, code: int) -> None:
    job = Job.begin(tmp_path, code=code)

    ended, said = job.run(command="check", assignment="lab12", path="policies")

    assert ended == code
    assert job.outputs["exit-code"] == str(code)
    assert "what the command says" in said
    assert "what the command says" in (job.folder / "summary").read_text()


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "one of labs, conformance, grade and check"),
        ({"command": "lint"}, "one of labs, conformance, grade and check"),
        ({"command": "conformance"}, "needs the input context"),
        ({"command": "grade", "path": "in"}, "needs the inputs assignment and path"),
        ({"command": "check", "assignment": "lab12"}, "needs the inputs assignment and path"),
    ],
)
def test_missing_input_is_refused_in_words(job: Job, inputs: dict[str, str], words: str) -> None:
    code, said = job.run(**inputs)

    assert code == 2
    assert "::error title=policylab::" in said
    assert words in said
    assert job.outputs == {"exit-code": "2"}
    assert job.commands == []


def test_no_text_of_an_input_is_a_command(job: Job) -> None:
    evil = '$(touch hit) `touch hit` "; touch hit; '

    job.run(command="check", assignment=evil, path=f"{evil}/p", cni=evil, args=f"{evil}\n{evil}")

    [[_, _, *arguments]] = job.commands
    assert arguments == ["check", evil, f"{evil}/p", "--cni", evil, evil, evil]
    assert not list(job.folder.rglob("hit"))


def test_output_that_cannot_be_written_is_a_fault(job: Job) -> None:
    (job.folder / "work" / "policylab-results" / "output.txt").mkdir(parents=True)

    assert job.run(command="check", assignment="lab12", path="policies")[0] == 10


def test_check_works_with_the_real_command(job: Job) -> None:
    job.program(
        "policylab",
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m harness.cli "$@"\n',
    )
    reference = ROOT / "assignments" / "lab12" / "reference.yaml"

    code, said = job.run(command="check", assignment="lab12", path=str(reference))

    assert code == 0, said
    assert "```text" in (job.folder / "summary").read_text()


def test_install_takes_the_lock_with_its_hashes_and_then_this_clone(tmp_path: Path) -> None:
    job = Job.begin(tmp_path)
    pip = tmp_path / "temp" / "policylab" / "bin" / "pip"
    job.program("pip", WORDS.format(python=sys.executable, file=str(job.asked), code=0))
    job.program("python", WORDS.format(python=sys.executable, file=str(job.asked), code=0))
    python = str(pip.with_name("python"))

    assert job.run("install.sh", python=python)[0] == 0
    assert job.run("install.sh", python=python)[0] == 0, "a second step of the job"

    home = str(tmp_path / "temp" / "policylab")
    assert [[name, *arguments] for name, _, *arguments in job.commands] == [
        ["python", "-m", "venv", home],
        ["pip", "install", "--quiet", "--require-hashes", "-r", str(ROOT / "requirements.lock")],
        ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)],
    ]


def action() -> dict[str, Any]:
    found = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_action_hands_every_input_over_by_the_environment_alone() -> None:
    steps = action()["runs"]["steps"]

    handed = {value for step in steps for value in step["env"].values()}
    assert handed == {f"${{{{ inputs.{name} }}}}" for name in action()["inputs"]}
    for step in steps:
        assert "${{" not in step["run"]
        script = re.fullmatch(r'"\$GITHUB_ACTION_PATH/(\w+\.sh)"', step["run"])
        assert script
        text = (ACTION / script[1]).read_text(encoding="utf-8")
        assert {name for name in step["env"] if name in text} == set(step["env"])


def examples() -> list[dict[str, Any]]:
    text = (ACTION / "README.md").read_text(encoding="utf-8")
    return [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def test_examples_use_inputs_that_are_there_and_lanes_that_can_be_made() -> None:
    commands = set()
    for job in (job for example in examples() for job in example["jobs"].values()):
        lanes = job.get("strategy", {}).get("matrix", {})
        assert set(lanes.get("cni", ())) <= set(CNIS)
        assert set(lanes.get("k8s", ())) <= set(KUBERNETES)
        for step in job["steps"]:
            if "policylab" in step.get("uses", ""):
                assert step["with"].keys() <= action()["inputs"].keys()
                commands.add(step["with"]["command"])

    assert commands == {"labs", "conformance", "grade", "check"}


def test_actions_of_other_people_are_pinned_by_their_commit() -> None:
    text = (ACTION / "README.md").read_text(encoding="utf-8")

    used = re.findall(r"uses: (?!OWNER/)(\S+)", text)
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each) for each in used)
