"""kind as a program: what it is asked, what becomes of its words, and that it has a deadline."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.edge.cluster.kind import Kind
from harness.edge.cluster.state import Home
from harness.edge.machine.patience import PATIENCE, Patience
from harness.errors import ClusterNotReady, ToolMissing

NAME = "lab"
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443"}}]
users: [{name: u, user: {}}]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Home(NAME)
    made.path.mkdir(parents=True)
    made.kubeconfig.write_text(KUBECONFIG, encoding="utf-8")
    return made


def kind(home: Home, tmp_path: Path, script: str, patience: Patience = PATIENCE) -> Kind:
    """A program that writes down what it is asked, and then runs the script."""
    program = tmp_path / "kind with a blank"
    program.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/asked"\n{script}\n', encoding="utf-8")
    program.chmod(0o755)
    return Kind(NAME, home, program, patience)


def asked(tmp_path: Path) -> list[str]:
    return (tmp_path / "asked").read_text(encoding="utf-8").splitlines()


def test_cluster_is_made_loaded_and_deleted_by_its_name(home: Home, tmp_path: Path) -> None:
    made = kind(home, tmp_path, "")

    made.create(tmp_path / "kind.yaml", "node:1")
    made.load("nginx:1")
    made.load_archive(tmp_path / "own.tar")
    made.delete()

    config = f"--kubeconfig={home.kubeconfig}"
    assert asked(tmp_path) == [
        "get clusters",
        f"create cluster --name=lab {config} --image=node:1 --config {tmp_path}/kind.yaml",
        "load docker-image --name lab nginx:1",
        f"load image-archive {tmp_path}/own.tar --name=lab",
        f"delete cluster --name=lab {config}",
    ]


def test_nothing_is_left_in_the_working_directory(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    kind(home, tmp_path, "").delete()

    assert list(elsewhere.iterdir()) == []


def test_kind_that_made_the_cluster_is_remembered(home: Home, tmp_path: Path) -> None:
    made = kind(home, tmp_path, "")

    made.create(tmp_path / "kind.yaml", "node:1")

    assert home.kind.resolve() == made.program
    Kind(NAME, home, home.kind).delete()
    assert asked(tmp_path)[-1].startswith("delete cluster")


def test_failure_is_told_in_the_words_of_kind(home: Home, tmp_path: Path) -> None:
    home.log.write_text("of an earlier call\n", encoding="utf-8")
    made = kind(home, tmp_path, '[ "$1" = get ] || { echo "ERROR: port is taken" >&2; exit 1; }')

    with pytest.raises(ClusterNotReady, match="kind could not create the cluster") as caught:
        made.create(tmp_path / "kind.yaml", "node:1")

    assert caught.value.seen == "ERROR: port is taken"
    assert caught.value.where == str(home.log)


def test_archive_that_kind_refuses_is_told_in_the_words_of_kind(home: Home, tmp_path: Path) -> None:
    made = kind(home, tmp_path, "echo 'ERROR: no such file' >&2; exit 1")

    with pytest.raises(ClusterNotReady, match="could not load the images of") as caught:
        made.load_archive(tmp_path / "own.tar")

    assert caught.value.seen == "ERROR: no such file"


def test_messages_of_kind_go_to_the_log_and_not_to_the_terminal(
    home: Home, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kind(home, tmp_path, "echo Deleting >&2").delete()

    assert capfd.readouterr() == ("", "")
    assert home.log.read_text(encoding="utf-8") == "Deleting\n"


def test_kind_that_is_not_done_in_time_is_ended(home: Home, tmp_path: Path) -> None:
    hasty = replace(PATIENCE, kind_delete=1.5)
    began = time.monotonic()

    with pytest.raises(ClusterNotReady, match=r"did not end within 1\.5 s"):
        kind(home, tmp_path, "exec sleep 30", hasty).delete()

    assert time.monotonic() - began < 20


def test_archive_that_is_not_loaded_in_time_ends_kind(home: Home, tmp_path: Path) -> None:
    hasty = replace(PATIENCE, kind_load=1.5)
    began = time.monotonic()

    with pytest.raises(ClusterNotReady, match=r"did not end within 1\.5 s"):
        kind(home, tmp_path, "exec sleep 30", hasty).load_archive(tmp_path / "own.tar")

    assert time.monotonic() - began < 20


def test_without_pytest_kind_an_error_says_how_to_get_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pytest_kind.cluster", None)

    with pytest.raises(ToolMissing, match="pytest-kind") as caught:
        kind(home, tmp_path, "").create(tmp_path / "kind.yaml", "node:1")

    assert "policylab[kind]" in caught.value.try_
    assert not (tmp_path / "asked").exists()
