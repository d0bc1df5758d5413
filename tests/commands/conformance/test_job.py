"""The Job that runs conformance in a cluster: its script is run, with stand-ins for programs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Any

import pytest
import yaml

from harness.cli import parser_of

HOME = Path(__file__).parents[3] / "manifests" / "conformance"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
REPORT = "apiVersion: policylab\nrows: []\n"


def template() -> dict[str, Any]:
    [job] = yaml.safe_load_all((HOME / "job.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = job["spec"]["template"]["spec"]
    return found


def container() -> dict[str, Any]:
    [found] = template()["containers"]
    return dict(found)


class Pod:
    """The Job's pod; `policylab` is what this program does there."""

    def __init__(self, folder: Path, policylab: str) -> None:
        self.home = folder / "results"
        self.home.mkdir()
        self._bin = folder / "bin"
        self._bin.mkdir()
        self.asked = folder / "asked"
        self._program("kubectl", "")
        self._program("policylab", policylab)

    def _program(self, name: str, does: str) -> None:
        file = self._bin / name
        note = f'for word in "{name}" "$@"; do printf "<%s>" "$word"; done >>{self.asked}'
        file.write_text(f"#!/bin/sh\n{note}; echo >>{self.asked}\n{does}\n", encoding="utf-8")
        file.chmod(0o755)

    @contextmanager
    def started(self, *args: str) -> Iterator[subprocess.Popen[str]]:
        """The pod's container, with these arguments in the place of those of the file."""
        words = [*container()["command"], *(args or container()["args"])]
        env = {"PATH": f"{self._bin}:/usr/bin:/bin", "HOME": str(self.home)}
        out, err = subprocess.PIPE, subprocess.STDOUT
        process = subprocess.Popen(words, env=env, cwd=self.home, stdout=out, stderr=err, text=True)
        with process:
            yield process

    def run(self, *args: str) -> tuple[int, str]:
        """How the container ends, and its log."""
        with self.started(*args) as process:
            log = process.communicate()[0]
        return process.returncode, log

    @property
    def calls(self) -> list[list[str]]:
        return [re.findall(r"<(.*?)>", line) for line in self.asked.read_text().splitlines()]


def writes(report: str) -> str:
    return f"cat >\"$HOME/report.yaml\" <<'END'\n{report}END\n"


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_log_ends_with_the_report_and_the_exit_code_is_that_of_the_run(
    tmp_path: Path, code: int
) -> None:
    pod = Pod(tmp_path, f"echo 5 passed\n{writes(REPORT)}exit {code}")

    ended, log = pod.run()

    assert ended == code
    assert log == f"5 passed\n{REPORT}"


def test_a_run_that_wrote_no_report_keeps_its_exit_code(tmp_path: Path) -> None:
    assert Pod(tmp_path, "exit 10").run() == (10, "")


def test_the_arguments_reach_the_command_as_they_stand_there(tmp_path: Path) -> None:
    pod = Pod(tmp_path, "exit 0")
    (pod.home / "ports").mkdir()
    (pod.home / "ports" / "here").touch()
    words = ["--only=ports/*", "--cni-name=a b", "$(touch hit)", "'--fuzz'"]

    pod.run(*words)

    *_, called = pod.calls
    assert called == [
        "policylab",
        "conformance",
        "--context",
        "here",
        "--out",
        str(pod.home),
        *words,
    ]
    assert not (pod.home / "hit").exists()


def test_the_arguments_of_the_file_are_options_of_the_command() -> None:
    found = parser_of(["conformance"]).parse_args(["conformance", *container()["args"]])

    assert (found.cni_name, found.cni_version, found.fuzz) == ("mine", "v1.0", 200)


def test_the_account_is_that_of_the_pod_and_its_token_stays_in_its_file(tmp_path: Path) -> None:
    pod = Pod(tmp_path, "exit 0")

    pod.run()

    config = [words for program, _, *words in pod.calls if program == "kubectl"]
    assert ["set", "users.account.tokenFile", f"{ACCOUNT}/token"] in config
    assert f"--certificate-authority={ACCOUNT}/ca.crt" in config[0]


def test_a_pod_that_is_deleted_lets_the_run_remove_its_namespaces(tmp_path: Path) -> None:
    cleans = f"trap 'sleep 0.3; {writes(REPORT)}exit 130' TERM"
    pod = Pod(tmp_path, f"{cleans}\necho begun\nwhile :; do sleep 0.05; done")

    with pod.started() as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        process.send_signal(SIGTERM)
        log = process.stdout.read()

    assert process.returncode == 130
    assert log == REPORT
    assert template()["terminationGracePeriodSeconds"] > 30, "the default is too short for that"


def test_the_job_has_no_right_on_its_node() -> None:
    pod, box = template(), container()["securityContext"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert box == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all(volume.keys() == {"name", "emptyDir"} for volume in pod["volumes"])
    written = {mount["mountPath"] for mount in container()["volumeMounts"]}
    assert {each["value"] for each in container()["env"] if each["name"] == "HOME"} <= written


def test_the_image_gets_packages_for_its_own_python() -> None:
    text = (HOME / "Dockerfile").read_text(encoding="utf-8")

    [asked] = re.findall(r"--python-version (\S+)", text)
    [base] = re.findall(r"^ARG BASE=\S+/python:([\d.]+)-slim$", text, re.MULTILINE)
    assert asked == base
    assert f"-t {container()['image']} " in text
    [user] = re.findall(r"^USER (\d+):", text, re.MULTILINE)
    assert int(user) == template()["securityContext"]["runAsUser"]
