"""The command: what it calls, and the exit code that it ends with."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

import jsonschema
import pytest

from harness import cli
from harness.commands.shared.access import Access
from harness.core.manifests.reader import parse, policies_of
from harness.edge.cluster.lane import KUBERNETES, Lane
from harness.edge.cluster.state import ClusterSpec, ClusterStatus
from harness.edge.images import ClusterImages, Source
from harness.edge.images.model import LAB_IMAGES, LabArchive
from harness.errors import ImageUnavailable
from harness.exitcode import ExitCode
from tests.plugin.test_matrix_cli import schema


def test_saved_bundle_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    access = Access(save=lambda file, *_: file)

    assert cli.main(["images", "save", "room.tar.zst"], access) == 0
    assert "room.tar.zst" in capsys.readouterr().err


def test_loaded_bundle_names_its_node_image(capsys: pytest.CaptureFixture[str]) -> None:
    tool = Path("tool")
    found = ClusterImages(Source.BUNDLE, "node:1", {}, (), tool, tool, "v1.33.0", None, None, {})

    assert cli.main(["images", "load", "room.tar.zst"], Access(load=lambda *_: found)) == 0
    assert "node:1" in capsys.readouterr().err


def test_labs_images_go_to_a_cluster_with_a_bundle_or_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[str, Path]] = []
    home = Path("home")
    bundle = ClusterImages(
        Source.BUNDLE,
        "node:1",
        dict.fromkeys(LAB_IMAGES, "x:lab"),
        (),
        home / "kind",
        home / "kubectl",
        "v1.33.0",
        None,
        None,
        {},
    )

    def put(context: str, archive: LabArchive, *_: object) -> tuple[str, ...]:
        asked.append((context, archive.file))
        return ("school-control-plane",)

    access = Access(
        load=lambda *_: bundle,
        labs=lambda *_: nullcontext(LabArchive(Path("made.tar"), ("x:lab",))),
        load_into=put,
    )

    assert cli.main(["images", "load", "--into=kind-school"], access) == 0
    assert cli.main(["images", "load", "room.tar.zst", "--into=kind-school"], access) == 0
    assert asked == [
        ("kind-school", Path("made.tar")),
        ("kind-school", home / "lab-images.tar"),
    ]
    assert "school-control-plane" in capsys.readouterr().err


def test_load_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["images", "load"], Access()) == ExitCode.USAGE
    assert "--into=CONTEXT" in capsys.readouterr().err


def test_fault_of_the_machine_is_one_message_and_its_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(file: Path, progress: object) -> NoReturn:
        raise ImageUnavailable("the bundle is cut", where=str(file), try_="copy it again")

    assert cli.main(["images", "load", "room.tar.zst"], Access(load=refuse)) == ExitCode.FAULT
    said = capsys.readouterr().err
    assert "the bundle is cut" in said
    assert "copy it again" in said
    assert "Traceback" not in said


def test_interrupt_ends_with_130() -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    code = cli.main(["images", "save", "room.tar.zst"], Access(save=interrupt))
    assert code == ExitCode.INTERRUPTED


@pytest.mark.parametrize(("healthy", "code"), [(True, 0), (False, 10)])
def test_status_says_by_its_exit_code_whether_labs_can_run(healthy: bool, code: int) -> None:
    access = Access(status=lambda _: ClusterStatus(healthy, {"state": "x"}))

    assert cli.main(["cluster", "status", "mine"], access) == code


def test_down_of_all_deletes_every_cluster_of_ours() -> None:
    deleted: list[str] = []
    access = Access(owned=lambda: ["a", "b"], delete=deleted.append)

    assert cli.main(["cluster", "down", "--all"], access) == 0
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


def test_privilege_says_the_finding_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged("privilege") == ExitCode.DIFFERS

    said = capsys.readouterr().out
    assert said.splitlines()[0].startswith("No rule lets a flow pass that nobody wants. 2 groups")
    assert "  develop/allow-dns-egress, egress rule 1 peer 2\n" in said
    assert (
        "  develop/frontend, develop/frontend-primary (2 pods) -> "
        "develop/backend, develop/backend-primary (2 pods): TCP 8080\n"
    ) in said
    assert len(said.splitlines()) < 25


def test_privilege_takes_its_list_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text("- {from: traefik/gateway, to: pod/production/production-db:5432}\n")

    assert judged("privilege", "--wanted", str(wanted), "--quiet") == ExitCode.DIFFERS
    assert "There is no wanted flow that does not pass." in capsys.readouterr().out


def test_proposed_list_is_exactly_what_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judged("privilege", "--propose") == ExitCode.OK
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(capsys.readouterr().out)

    assert judged("privilege", "--wanted", str(wanted), "--format", "json") == ExitCode.OK

    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema("privilege")).validate(document)
    assert document["findings"] == []


@pytest.mark.parametrize("verb", [["cluster", "up"], ["images", "build"], ["fuzz"]])
def test_a_version_of_kubernetes_that_is_not_here_is_told_with_those_that_are(
    verb: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*verb, "--k8s=1.2"])

    assert ended.value.code == ExitCode.USAGE
    told = capsys.readouterr().err
    assert [name for name in KUBERNETES if name not in told] == []


@pytest.mark.parametrize("kubernetes", KUBERNETES)
def test_cluster_up_makes_the_lane_that_was_asked_for(
    kubernetes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[ClusterSpec] = []

    def refuse(spec: ClusterSpec, *_: object) -> NoReturn:
        asked.append(spec)
        raise ImageUnavailable("no images")

    cli.main(["cluster", "up", "--cni=cilium", f"--k8s={kubernetes}"], Access(open=refuse))

    assert asked == [ClusterSpec(Lane("cilium", kubernetes))]
    assert "no images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "variable", "taken"),
    [
        (["--registry=mirror.test/a/"], "other.test", "mirror.test/a"),
        ([], "other.test", "other.test"),
        ([], "", ""),
    ],
)
def test_cluster_up_takes_a_mirror_from_the_command_line_or_the_environment(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], variable: str, taken: str
) -> None:
    monkeypatch.setenv("POLICYLAB_REGISTRY", variable)
    asked: list[ClusterSpec] = []

    def refuse(spec: ClusterSpec, *_: object) -> NoReturn:
        asked.append(spec)
        raise ImageUnavailable("no images")

    cli.main(["cluster", "up", "--images=registry", *typed], Access(open=refuse))

    assert [(spec.registry, spec.images) for spec in asked] == [(taken, Source.REGISTRY)]


def test_names_that_a_mirror_must_have_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["images", "pull", "--list", "--cni=calico", "--registry=mirror.test/a"])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["debian:bookworm-slim", "mirror.test/a/library/debian:bookworm-slim"] in lines
    assert all(there == f"mirror.test/a/{name}" for name, there in lines if "/" in name)
