"""`policylab doctor`: what it prints, and its exit codes."""

from __future__ import annotations

import json

import jsonschema
import pytest

from harness import cli
from harness.commands.shared.access import Access
from harness.edge.machine import apt
from harness.exitcode import ExitCode
from tests.fakes.docker import FakeEngine
from tests.fakes.machine import CONFIG, FakeMachine
from tests.plugin.test_matrix_cli import schema

Say = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "sources_for", lambda _: "deb")


def doctor(machine: FakeMachine, *words: str) -> ExitCode:
    access = Access(looks=machine, docker=FakeEngine().docker)
    return cli.main(["doctor", *words], access)


def test_good_machine_is_told_so(capsys: Say) -> None:
    assert doctor(FakeMachine()) == ExitCode.OK
    said = capsys.readouterr().out
    assert "✓   Docker engine" in said
    assert "This machine has what the labs need (" in said


def test_lack_is_told_first_with_its_cure(capsys: Say) -> None:
    lacking = FakeMachine().having({"/proc/config.gz": CONFIG.replace("VETH=y", "VETH=n")})
    assert doctor(lacking) == ExitCode.FAULT
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert "kernel: VETH" in lines[2]
    assert lines[2].strip().startswith("✗")
    assert "-> boot a kernel that has CONFIG_VETH" in " ".join(lines)
    assert lines[-1].startswith("This machine lacks 1 thing that the labs need (")


def test_what_could_not_be_checked_gives_no_verdict(capsys: Say) -> None:
    machine = FakeMachine().without("/proc/meminfo")
    assert doctor(machine, "--quiet") == ExitCode.NO_VERDICT
    said = capsys.readouterr().out
    assert said.startswith("Nothing is known to be lacking, but 1 could not be checked")
    assert len(said.splitlines()) == 1


def test_only_the_named_cni_counts() -> None:
    machine = FakeMachine().having({"/proc/config.gz": CONFIG.replace("CLS_BPF=y", "CLS_BPF=n")})
    assert doctor(machine, "--cni=calico") == ExitCode.OK
    assert doctor(machine, "--cni=cilium") == ExitCode.FAULT
    assert doctor(machine) == ExitCode.FAULT


def test_document_is_valid_by_its_schema(capsys: Say) -> None:
    assert doctor(FakeMachine(uid=1000), "--format=json", "--images=build") == ExitCode.FAULT
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("doctor"))
    assert found["summary"]["lack"] == 1
    (lack,) = [each for each in found["findings"] if each["state"] == "lack"]
    assert lack["finding"] == "only root can build images"
    assert lack["cure"].startswith("run as root")
