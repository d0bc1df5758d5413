"""The command: what it calls, and the exit code that it ends with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import cli
from harness.commands import cluster
from harness.core.manifests.reader import parse, policies_of
from harness.edge import images
from harness.edge.cluster.state import ClusterStatus
from harness.errors import ImageUnavailable
from harness.exitcode import ExitCode


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


def test_fault_of_the_machine_is_one_message_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(file: Path, progress: object) -> None:
        raise ImageUnavailable("the bundle is cut", where=str(file), try_="copy it again")

    monkeypatch.setattr(images, "load", refuse)

    assert cli.main(["images", "load", "room.tar.zst"]) == ExitCode.FAULT
    said = capsys.readouterr().err
    assert "the bundle is cut" in said
    assert "copy it again" in said
    assert "Traceback" not in said


def test_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(file: Path, progress: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "save", interrupt)

    assert cli.main(["images", "save", "room.tar.zst"]) == ExitCode.INTERRUPTED


@pytest.mark.parametrize(("healthy", "code"), [(True, 0), (False, 10)])
def test_status_says_by_its_exit_code_whether_labs_can_run(
    monkeypatch: pytest.MonkeyPatch, healthy: bool, code: int
) -> None:
    monkeypatch.setattr(cluster, "status", lambda name: ClusterStatus(healthy, {"state": "x"}))

    assert cli.main(["cluster", "status", "mine"]) == code


def test_down_of_all_deletes_every_cluster_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    deleted: list[str] = []
    monkeypatch.setattr(cluster, "owned_clusters", lambda: ["a", "b"])
    monkeypatch.setattr(cluster, "delete_cluster", deleted.append)

    assert cli.main(["cluster", "down", "--all"]) == 0
    assert deleted == ["a", "b"]


TEXT = Path(__file__).parents[2] / "manifests" / "production-isolation"
BASELINE = "01-workloads,02-default-deny,03-allow-backend-ingress,03-allow-dns-egress"


def judged(*words: str) -> int:
    where = ["--manifests", str(TEXT), "--apply", BASELINE]
    return cli.main([words[0], *where, *words[1:]])


def test_diagnosis_is_yaml_that_can_be_applied(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged("explain", "develop/frontend", "pod/develop/backend:8080") == 0

    said = capsys.readouterr().out
    (suggested,) = policies_of(parse(said, origin="stdout"))
    assert suggested.namespace == "develop"
    assert "# Egress: dropped by develop/default-deny-all, develop/allow-dns-egress" in said
    assert "the port TCP 8080" in said


def test_diagnosis_of_an_open_flow_suggests_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged("explain", "traefik/gateway", "net/google.com:80") == 0

    said = capsys.readouterr().out
    assert "nothing blocks it" in said
    assert policies_of(parse(said, origin="stdout")) == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "develop/nobody", "pod/develop/backend:8080"), "no manifest in force"),
        (("explain", "develop/frontend", "lookup/google.com"), "is not a flow"),
        (
            ("explain", "develop/frontend", "net/nowhere.example:80"),
            "is neither an address nor a name of the simulated internet",
        ),
        (("privilege", "--wanted", "/nowhere/wanted.yaml"), "cannot be read"),
    ],
)
def test_wrong_words_are_one_message(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judged(*words) == ExitCode.USAGE
    assert said in " ".join(capsys.readouterr().err.split())


def test_privilege_names_the_unused_selector(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged("privilege") == 0

    said = capsys.readouterr().out
    assert "1 parts of rules that no wanted flow uses\n  develop/allow-dns-egress egress" in said
    assert "  traefik/gateway -> pod/production/production-db:5432\n" in said
    assert "  develop/frontend -> pod/develop/backend:8080\n" in said


def test_privilege_takes_its_list_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text("- {from: traefik/gateway, to: pod/develop/backend:8080}\n")

    assert judged("privilege", "--wanted", str(wanted)) == 0
    assert "0 wanted flows that do not pass" in capsys.readouterr().out
