"""The action's own files: how it is installed, its inputs and outputs, the examples of its page."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.edge.cluster.lane import KUBERNETES
from harness.edge.cni.known import CNIS
from tests.fakes.job import ACTION, ROOT, Job

LOCK = str(ROOT / "requirements.lock")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    job = Job.begin(tmp_path)
    for name in ("pip", "python"):
        job.notes(name)
    return job


def programs(job: Job) -> list[list[str]]:
    return [[name, *words] for name, _, *words in job.commands if "-c" not in words]


def test_install_takes_the_lock_with_its_hashes_and_then_this_clone(job: Job) -> None:
    python = str(job.bin / "python")

    assert job.run("install.sh", python=python)[0] == 0
    assert job.run("install.sh", python=python)[0] == 0, "a second step of the job"

    assert programs(job) == [
        ["python", "-m", "venv", "--clear", str(job.bin.parent)],
        ["pip", "install", "--quiet", "--require-hashes", "-r", LOCK],
        ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)],
    ]


def test_another_commit_or_another_python_is_installed_anew(job: Job) -> None:
    (job.bin.parent / ".ready").write_text("/another/commit python3")

    assert job.run("install.sh", python=str(job.bin / "python"))[0] == 0
    other = job.notes("python3.13")
    assert job.run("install.sh", python=str(other))[0] == 0

    assert [name for name, *_ in programs(job)] == [
        *("python", "pip", "pip"),
        *("python3.13", "pip", "pip"),
    ]


def test_fault_of_pip_is_no_verdict(job: Job) -> None:
    job.notes("pip", code=1)

    code, said = job.run("install.sh", python=str(job.bin / "python"))

    assert code == 10
    assert "::error title=policylab::pip did not install what policylab needs" in said
    assert job.outputs == {"exit-code": "10"}
    assert not (job.bin.parent / ".ready").exists()


@pytest.mark.parametrize("name", ["python-that-is-nowhere", "false"])
def test_python_that_is_none_is_a_wrong_input(job: Job, name: str) -> None:
    code, said = job.run("install.sh", python=name)

    assert code == 2
    assert "::error title=policylab::the input python is no Python from 3.11 on" in said
    assert job.outputs == {"exit-code": "2"}


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
        assert step["shell"] == "bash"
        # The runner interrupts the shell that it started, so the script takes its place.
        script = re.fullmatch(r'exec "\$GITHUB_ACTION_PATH/(\w+\.sh)"', step["run"])
        assert script
        text = (ACTION / script[1]).read_text(encoding="utf-8")
        [names] = re.findall(r'^inputs="(.*)"$', text, re.MULTILINE) or [""]
        read = {f"INPUT_{name.upper()}" for name in names.split()}
        assert {name for name in step["env"] if name in text} | read == set(step["env"])
        assert (ACTION / script[1]).stat().st_mode & 0o111


def test_outputs_are_those_of_steps_that_write_them() -> None:
    steps = {step["id"]: step["run"] for step in action()["runs"]["steps"]}

    for each in action()["outputs"].values():
        uses = re.findall(r"steps\.(\w+)\.outputs\.([\w-]+)", each["value"])
        assert uses
        for step, output in uses:
            [script] = re.findall(r"(\w+\.sh)", steps[step])
            assert f'echo "{output}=' in (ACTION / script).read_text(encoding="utf-8")


def examples() -> list[dict[str, Any]]:
    text = (ACTION / "README.md").read_text(encoding="utf-8")
    return [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def jobs() -> list[dict[str, Any]]:
    return [job for example in examples() for job in example["jobs"].values()]


def test_examples_use_inputs_that_are_there_and_lanes_that_can_be_made() -> None:
    commands = set()
    for job in jobs():
        lanes = job.get("strategy", {}).get("matrix", {})
        assert set(lanes.get("cni", ())) <= set(CNIS)
        assert set(lanes.get("k8s", ())) <= set(KUBERNETES)
        for step in job["steps"]:
            if "policylab" in step.get("uses", ""):
                assert step["with"].keys() <= action()["inputs"].keys()
                commands.add(step["with"]["command"])

    assert commands == {"labs", "conformance", "grade", "check"}


def test_scripts_take_the_inputs_of_each_example(tmp_path: Path) -> None:
    steps = [step for job in jobs() for step in job["steps"] if "/policylab/" in str(step)]

    for number, step in enumerate(steps):
        (tmp_path / str(number)).mkdir()
        job = Job.begin(tmp_path / str(number))
        inputs = {name: str(value) for name, value in step["with"].items()}
        words = {"true": "true", "false": "false"}
        inputs = {name: words.get(text.lower(), text) for name, text in inputs.items()}

        code, said = job.run(**inputs)

        assert (code, len(job.commands)) == (0, 1), said


def test_examples_keep_the_results_of_a_run_that_failed_and_ask_for_few_rights() -> None:
    for example in examples():
        assert example["permissions"] == {"contents": "read"}
        for job in example["jobs"].values():
            assert job["timeout-minutes"]
            [ours] = [step for step in job["steps"] if "policylab" in step.get("uses", "")]
            kept = [step for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
            assert bool(kept) == (ours["with"]["command"] != "check")
            for step in kept:
                # A command that was never begun has no results, and an artifact needs a path.
                assert step["if"] == f"always() && steps.{ours['id']}.outputs.results"
                assert f"${{{{ steps.{ours['id']}.outputs.results }}}}" in step["with"]["path"]


def test_actions_of_other_people_are_pinned_by_their_commit() -> None:
    files = [ACTION / "README.md", ACTION / "action.yml"]
    files += (ROOT / ".github" / "workflows").glob("*.yml")
    texts = [file.read_text(encoding="utf-8") for file in files]

    used = set(chain.from_iterable(re.findall(r"uses: (?!OWNER/)(.+)", text) for text in texts))

    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", each) for each in used)
    # One commit for each: a page that is behind would name an older one.
    assert len(used) == len({each.partition("@")[0] for each in used})
