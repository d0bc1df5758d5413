"""The Job that grades a course in parts: what it may do, and that its command does the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from harness.core.manifests.reader import parse, policies_of
from harness.exitcode import ExitCode

ROOT = Path(__file__).parents[3]
HOME = ROOT / "manifests" / "grading"
TEXT = (HOME / "job.yaml").read_text(encoding="utf-8")


@pytest.fixture
def objects() -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in yaml.safe_load_all(TEXT)}


@pytest.fixture
def pod(objects: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = objects["Job"]["spec"]["template"]["spec"]
    return found


def test_the_job_has_as_many_completions_as_shards(
    objects: dict[str, dict[str, Any]], pod: dict[str, Any]
) -> None:
    job = objects["Job"]["spec"]
    (container,) = pod["containers"]
    env = {one["name"]: one.get("value") for one in container["env"]}

    assert (job["completionMode"], job["completions"]) == ("Indexed", 4)
    assert env["SHARDS"] == str(job["completions"])
    assert 1 <= job["parallelism"] <= job["completions"]
    assert pod["restartPolicy"] == "Never"
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert rule["onExitCodes"]["values"] == [ExitCode.USAGE]


def test_a_pod_of_the_job_may_do_nothing_but_write_its_part(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & pod.keys()
    assert {*container["resources"]["limits"], *container["resources"]["requests"]} == {
        "cpu",
        "memory",
    }
    writable = [one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")]
    assert writable == ["/course/parts"]
    assert pod["volumes"] == [{"name": "course", "persistentVolumeClaim": {"claimName": "course"}}]


def test_everything_is_in_one_restricted_namespace_in_which_nobody_reaches_anybody(
    objects: dict[str, dict[str, Any]],
) -> None:
    space = objects.pop("Namespace")["metadata"]

    assert space["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert {one["metadata"]["namespace"] for one in objects.values()} == {space["name"]}
    assert set(objects) == {"NetworkPolicy", "PersistentVolumeClaim", "Job"}
    (policy,) = policies_of(parse(TEXT, origin="job.yaml"))
    assert len(policy.policy_types) == 2
    assert policy.ingress == policy.egress == ()


def test_the_volume_on_kind_is_for_the_job_s_claim(objects: dict[str, dict[str, Any]]) -> None:
    volume = yaml.safe_load((HOME / "volume-on-kind.yaml").read_text(encoding="utf-8"))
    kind = yaml.safe_load((HOME / "kind.yaml").read_text(encoding="utf-8"))
    claim = objects["PersistentVolumeClaim"]

    assert volume["spec"]["claimRef"].items() <= claim["metadata"].items()
    assert volume["spec"]["accessModes"] == claim["spec"]["accessModes"]
    workers = [node for node in kind["nodes"] if node["role"] == "worker"]
    assert len(workers) == 2
    for node in workers:
        (mount,) = node["extraMounts"]
        assert mount["containerPath"] == volume["spec"]["hostPath"]["path"]


def test_the_command_of_each_index_grades_its_shard(
    pod: dict[str, Any],
    class_of: Callable[[int], Path],
    results: Callable[[Path], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    (container,), seed = pod["containers"], "spring and summer"
    class_of(4).rename(tmp_path / "submissions")
    (tmp_path / "assignment").symlink_to(ROOT / "assignments" / "lab12")
    program = tmp_path / "policylab"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m harness.cli "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    env |= {one["name"]: one["value"] for one in container["env"] if "value" in one}
    env |= {"COURSE": str(tmp_path), "SEED": seed}
    for index in range(4):
        subprocess.run(
            container["command"],
            env=env | {"JOB_COMPLETION_INDEX": str(index)},
            check=True,
            capture_output=True,
            timeout=120,
        )

    parts = [str(tmp_path / "parts" / str(number)) for number in (1, 2, 3, 4)]
    assert main(["grade", "merge", *parts, "--out", str(tmp_path / "merged")]) is ExitCode.OK
    words = [str(tmp_path / "assignment"), str(tmp_path / "submissions"), "--seed", seed]
    assert main(["grade", *words, "--predict", "--out", str(tmp_path / "one")]) is ExitCode.OK
    assert results(tmp_path / "merged") == results(tmp_path / "one")


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (2, 2), (3, 0), (10, 10), (130, 130)])
def test_what_was_not_checked_is_a_result_and_every_other_fault_is_one(
    code: int, ends: int, pod: dict[str, Any], tmp_path: Path
) -> None:
    program = tmp_path / "policylab"
    program.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "COURSE": "/", "SHARDS": "4"}
    done = subprocess.run(
        pod["containers"][0]["command"],
        env=env | {"JOB_COMPLETION_INDEX": "0"},
        check=False,
        timeout=60,
    )

    assert done.returncode == ends


def test_the_image_is_made_as_its_recipe_says() -> None:
    text = (HOME / "Dockerfile").read_text(encoding="utf-8")
    docs = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")

    commands = re.findall(r"^#   (.+)$", text, flags=re.MULTILINE)
    assert len(commands) == 3
    assert all(command in docs for command in commands)
    assert re.search(r"^USER 65532", text, flags=re.MULTILINE)
