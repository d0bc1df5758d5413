"""The command: what it calls, and the exit code that it ends with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import cli
from harness.edge import images
from harness.edge.clusterstate import ClusterStatus
from harness.errors import ImageUnavailable


def test_saved_bundle_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(images, "save", lambda file, progress: file)

    assert cli.main(["images", "save", "room.tar.zst"]) == 0
    assert "room.tar.zst" in capsys.readouterr().err


def test_loaded_bundle_names_its_node_image(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(images, "load", lambda file, progress: SimpleNamespace(node="node:1"))

    assert cli.main(["images", "load", "room.tar.zst"]) == 0
    assert "node:1" in capsys.readouterr().err


def test_fault_is_one_message_and_exit_code_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(file: Path, progress: object) -> None:
        raise ImageUnavailable("the bundle is cut", where=str(file), try_="copy it again")

    monkeypatch.setattr(images, "load", refuse)

    assert cli.main(["images", "load", "room.tar.zst"]) == 1
    said = capsys.readouterr().err
    assert "the bundle is cut" in said
    assert "copy it again" in said
    assert "Traceback" not in said


def test_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(file: Path, progress: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "save", interrupt)

    assert cli.main(["images", "save", "room.tar.zst"]) == 130


@pytest.mark.parametrize(("healthy", "code"), [(True, 0), (False, 1)])
def test_status_says_by_its_exit_code_whether_labs_can_run(
    monkeypatch: pytest.MonkeyPatch, healthy: bool, code: int
) -> None:
    monkeypatch.setattr(cli, "status", lambda name: ClusterStatus(healthy, {"state": "x"}))

    assert cli.main(["cluster", "status", "mine"]) == code


def test_down_of_all_deletes_every_cluster_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    deleted: list[str] = []
    monkeypatch.setattr(cli, "owned_clusters", lambda: ["a", "b"])
    monkeypatch.setattr(cli, "delete_cluster", deleted.append)

    assert cli.main(["cluster", "down", "--all"]) == 0
    assert deleted == ["a", "b"]
