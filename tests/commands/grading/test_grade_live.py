"""`policylab grade` on a cluster: what it writes, how it ends, and how it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.commands.shared.access import Access
from harness.core.grading.randomised import of_student
from harness.core.target.family import FAMILIES
from harness.edge.api.kube import Object
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import folder_of, load_assignment
from harness.errors import ClusterNotReady
from harness.exitcode import ExitCode
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import LetsNobodyIn

RIGHT = (folder_of("lab12") / "reference.yaml").read_text(encoding="utf-8")
POLICY = "NetworkPolicy"


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A right, a nearly right and a hostile submission."""
    home = tmp_path / "course"
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: secure-zone}\n"
    wrong = RIGHT.replace("port: 6379", "port: 5432")
    for name, text in (("alice", RIGHT), ("bob", wrong), ("carol", pod)):
        (home / name).mkdir(parents=True)
        (home / name / "policies.yaml").write_text(text, encoding="utf-8")
    return home


def run(cluster: FakeCluster, course: Path, out: Path, *more: str) -> ExitCode | int:
    access = Access(open=lambda *_: cluster.value(), doors=lambda _: cluster)
    return cli.main(["grade", "lab12", str(course), "--out", str(out), *more], access)


def grades(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    return found


def policies(cluster: FakeCluster) -> list[object]:
    return [key for key in cluster.objects if key[0] == POLICY and key[1] != "policylab-gate"]


@pytest.mark.parametrize("family", FAMILIES)
def test_live_grades_are_those_of_the_prediction(course: Path, tmp_path: Path, family: str) -> None:
    cluster = FakeCluster(families=FAMILIES[family])

    code = run(cluster, course, tmp_path / "live")

    run(cluster, course, tmp_path / "foretold", "--predict")
    live, foretold = grades(tmp_path / "live"), grades(tmp_path / "foretold")
    assert (code, live["mode"], foretold["mode"]) == (ExitCode.OK, "live", "predict")
    assert live["submissions"] == foretold["submissions"]
    assert policies(cluster) == []


def test_what_differs_is_held_back_and_asked_again_by_resume(course: Path, tmp_path: Path) -> None:
    code = run(FakeCluster(lie=LetsNobodyIn()), course, tmp_path)

    held = {one["id"]: one for one in grades(tmp_path)["submissions"]}
    assert code is ExitCode.NO_VERDICT
    assert held["alice"]["status"] == "not_checked"
    assert "the prediction is" in held["alice"]["problem"]
    assert run(FakeCluster(), course, tmp_path, "--resume") is ExitCode.OK
    assert {one["status"] for one in grades(tmp_path)["submissions"]} == {"graded", "ungradable"}


def test_resume_with_nothing_left_needs_no_cluster(course: Path, tmp_path: Path) -> None:
    run(FakeCluster(), course, tmp_path)
    before = grades(tmp_path)

    class Gone(FakeCluster):
        def kube(self) -> Any:
            raise ClusterNotReady("the Kubernetes API does not answer")

    assert run(Gone(), course, tmp_path, "--resume") is ExitCode.OK
    assert grades(tmp_path) == before


def test_interrupt_loses_nothing_and_leaves_no_policy(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(FakeCluster):
        made = 0

        def apply(self, body: Object) -> dict[str, Any]:
            found = super().apply(body)
            if body["kind"] == POLICY and body["metadata"]["namespace"] == "secure-zone":
                self.made += 1
                if self.made == count + 1:
                    raise KeyboardInterrupt
            return found

    count = RIGHT.count("namespace: secure-zone")
    cluster = Interrupted()

    assert run(cluster, course, tmp_path) is ExitCode.INTERRUPTED

    assert "--resume goes on" in "".join(capsys.readouterr())
    assert policies(cluster) == []
    kept = [json.loads(path.read_text()) for path in (tmp_path / "kept").iterdir()]
    assert [one["grade"]["id"] for one in kept] == ["alice"]
    assert run(FakeCluster(), course, tmp_path, "--resume") is ExitCode.OK
    assert len(grades(tmp_path)["submissions"]) == 3


def test_namespace_of_somebody_else_is_refused_in_words(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = FakeCluster()
    cluster.put({"kind": "Namespace", "metadata": {"name": "secure-zone", "labels": {}}})

    assert run(cluster, course, tmp_path) is ExitCode.USAGE

    assert "policylab did not make it" in "".join(capsys.readouterr())
    assert ("Namespace", "", "secure-zone") in cluster.objects


def test_each_student_of_a_seed_has_a_world_of_their_own(tmp_path: Path) -> None:
    assignment = load_assignment("lab12", CNIS)
    home, cluster = tmp_path / "course", FakeCluster()
    for student in ("alice", "bob"):
        for file in of_student(assignment, student, "spring").reference:
            (home / student).mkdir(parents=True)
            (home / student / "p.yaml").write_bytes(file.data)
    (home / "carol").mkdir()
    (home / "carol" / "p.yaml").write_bytes((home / "alice" / "p.yaml").read_bytes())

    code = run(cluster, home, tmp_path / "out", "--seed", "spring")

    found = {one["id"]: one for one in grades(tmp_path / "out")["submissions"]}
    assert code is ExitCode.OK
    assert [found[name]["score"] for name in ("alice", "bob")] == [100.0, 100.0]
    assert found["carol"]["status"] == "ungradable"
    left = {key[2] for key in cluster.objects if key[0] == "Namespace"}
    drawn = of_student(assignment, "alice", "spring").namespaces
    assert not drawn & left
