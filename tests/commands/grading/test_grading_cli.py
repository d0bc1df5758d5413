from __future__ import annotations

import json
import shlex
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.core.grading.randomised import key_of, of_student
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import folder_of, load_assignment
from harness.exitcode import ExitCode

REFERENCE = folder_of("lab12") / "reference.yaml"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A right, a nearly right and a broken submission, as a folder, a folder and a loose file."""
    home = tmp_path / "course"
    right = REFERENCE.read_text(encoding="utf-8")
    for name, text in (
        ("alice/policies.yaml", right),
        ("bob/a.yaml", right.replace("port: 6379", "port: 5432")),
        ("carol.yaml", "a: ["),
    ):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (home / "bob" / "conftest.py").write_text("raise SystemExit(3)", encoding="utf-8")
    return home


def _grades(out: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    assert document["mode"] == "predict"
    return {one["id"]: one for one in document["submissions"]}


def _grade(course: Path, out: Path, *more: str) -> ExitCode:
    return main(["grade", "lab12", str(course), "--predict", "--out", str(out), *more])


def test_a_course_is_graded_by_what_the_policies_do(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _grade(course, tmp_path / "out")

    found = _grades(tmp_path / "out")
    assert code is ExitCode.OK
    assert {name: one["status"] for name, one in found.items()} == {
        "alice": "graded",
        "bob": "graded",
        "carol": "ungradable",
    }
    assert (found["alice"]["score"], found["bob"]["score"]) == (100.0, 80.0)
    assert {flow["port"] for flow in found["bob"]["flows"]} == {6379, 5432}
    assert "carol.yaml:" in found["carol"]["problem"]
    assert "conftest.py" in " ".join(found["bob"]["notes"])
    assert "carol: ungradable" in capsys.readouterr().out


def test_one_at_a_time_and_several_at_a_time_give_the_same_document(
    course: Path, tmp_path: Path
) -> None:
    _grade(course, tmp_path / "one")
    _grade(course, tmp_path / "two", "--jobs", "2")

    texts = [(tmp_path / out / "grades.json").read_bytes() for out in ("one", "two")]
    assert texts[0] == texts[1]


def test_a_run_that_goes_on_grades_only_what_has_changed(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    _grade(course, out)
    before = (out / "grades.json").read_bytes()
    shutil.copy(REFERENCE, course / "carol.yaml")

    _grade(course, out, "--resume")

    assert "2 submissions are graded already, 1 are left" in capsys.readouterr().err
    assert (out / "grades.json").read_bytes() != before
    assert _grades(out)["carol"]["score"] == 100.0


def test_a_grade_that_was_cut_off_is_made_again(course: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _grade(course, out)
    before = (out / "grades.json").read_bytes()
    for kept in (out / "kept").iterdir():
        kept.write_bytes(kept.read_bytes()[:40])

    _grade(course, out, "--resume")

    assert (out / "grades.json").read_bytes() == before


def test_only_the_named_students_are_graded(course: Path, tmp_path: Path) -> None:
    assert _grade(course, tmp_path / "out", "--only", "bob") is ExitCode.OK
    assert list(_grades(tmp_path / "out")) == ["bob"]
    assert _grade(course, tmp_path / "out", "--only", "bobby") is ExitCode.USAGE


@pytest.mark.parametrize(
    ("name", "words"), [("lab21", "did you mean `lab12`?"), ("nothing-like-it", "cilium-fqdn")]
)
def test_an_unknown_assignment_is_answered_with_the_known_ones(
    name: str, words: str, course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["grade", name, str(course), "--predict", "--out", str(tmp_path)])

    assert code is ExitCode.USAGE
    assert words in capsys.readouterr().err


def test_an_assignment_that_contradicts_itself_is_refused(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(folder_of("lab12"), folder)
    file = folder / "assignment.yaml"
    text = file.read_text(encoding="utf-8").replace("secure-db:6379", "secure-db:6380")
    file.write_text(text, encoding="utf-8")

    code = main(["grade", str(folder), str(course), "--predict", "--out", str(tmp_path / "out")])

    line = next(n for n, row in enumerate(text.splitlines(), 1) if "id: api-to-db" in row)
    assert code is ExitCode.USAGE
    assert f"assignment.yaml:{line}: the row `api-to-db` wants" in capsys.readouterr().err


def test_a_student_sees_rows_flows_causes_and_hints(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", "lab12", str(course / "bob")])

    out = capsys.readouterr().out
    assert code is ExitCode.DIFFERS
    assert "secure-zone/secure-db on TCP 6379 is closed, and must be open" in out
    assert "lacks the port TCP 6379" in out
    assert "hint: Both pods" in out


def test_a_right_solution_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "lab12", str(REFERENCE)]) is ExitCode.OK
    assert "100 of 100 points" in capsys.readouterr().out


def test_a_check_shows_nothing_of_hidden_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder_of("netpol-by-example") / "reference.yaml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        text.replace("{project: debug}", "{kubernetes.io/metadata.name: myhackns}"),
        encoding="utf-8",
    )

    code = main(["check", "netpol-by-example", str(mine)])

    out = capsys.readouterr().out
    assert code is ExitCode.OK
    assert "another-debug" not in out
    assert "Hidden rows are left out here" in out


def test_a_file_that_cannot_be_read_is_the_check_s_answer(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "lab12", str(course / "carol.yaml")]) is ExitCode.USAGE
    assert "ungradable" in capsys.readouterr().out


def test_the_shipped_assignments_are_listed_and_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["assignment", "list"]) is ExitCode.OK
    listed = capsys.readouterr().out
    assert main(["assignment", "show", "lab12"]) is ExitCode.OK
    shown = capsys.readouterr().out

    assert [line.partition(":")[0] for line in listed.splitlines()] == [
        *("cilium-fqdn", "lab12", "netpol-by-example", "production-isolation")
    ]
    assert "- web-to-api: open, 15 points" in shown
    assert "all points: 100" in shown


def test_a_handout_has_all_that_a_student_needs_and_no_more(tmp_path: Path) -> None:
    out = tmp_path / "alice"
    more = ["--student", "alice", "--seed", "spring"]
    code = main(["assignment", "handout", "netpol-by-example", "--out", str(out), *more])

    files = {str(p.relative_to(out)): p.read_text(encoding="utf-8") for p in _files(out)}
    assert code is ExitCode.OK
    assert sorted(files) == ["README.md", "flows.svg", "policies/policies.yaml", "workloads.yaml"]
    everything = "\n".join(files.values())
    assert "another-debug" not in everything  # a hidden row's
    assert "NetworkPolicy\nmetadata" not in everything
    assert "spring" not in everything
    assert "a debug pod that is deployed later" in files["README.md"]
    assert files["flows.svg"].count("must be open") > 3


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_right_solution_of_a_handout_passes_the_check_and_the_grading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = of_student(load_assignment("lab12", CNIS), "alice", "spring")
    course = tmp_path / "course"
    for name in ("alice", "bob"):
        (course / name).mkdir(parents=True)
        (course / name / "a.yaml").write_bytes(own.reference[0].data)
    out = tmp_path / "out"

    code = _grade(course, out, "--seed", "spring")

    grades = _grades(out)
    assert code is ExitCode.OK
    assert grades["alice"]["score"] == 100.0
    assert grades["bob"]["score"] == 0.0
    key = key_of(load_assignment("lab12", CNIS), "alice", "spring")
    capsys.readouterr()
    assert main(["check", "lab12", "--key", key, str(course / "alice")]) is ExitCode.OK


def test_the_commands_of_a_page_show_in_a_handout_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handout, out = tmp_path / "handout", tmp_path / "out"
    more = ["--student", "bob", "--seed", "spring"]
    main(["assignment", "handout", "lab12", "--out", str(handout), *more])
    own = of_student(load_assignment("lab12", CNIS), "bob", "spring")
    wrong = own.reference[0].data.replace(b'"port": 53', b'"port": 54')
    mine = handout / "policies" / "policies.yaml"
    mine.write_bytes(wrong)
    (tmp_path / "course" / "bob").mkdir(parents=True)
    shutil.copy(mine, tmp_path / "course" / "bob")
    _grade(tmp_path / "course", out, "--seed", "spring")
    (page,) = (out / "feedback").glob("*.html")
    text = page.read_text(encoding="utf-8").partition("<pre>")[2].partition("</pre>")[0]
    monkeypatch.chdir(handout)

    check, together, *explain = (
        line.removeprefix("$ ") for line in unescape(text).strip().splitlines()
    )

    capsys.readouterr()
    assert main(shlex.split(check)[1:]) is ExitCode.DIFFERS
    assert "name resolution: 0 of 20 points" in capsys.readouterr().out
    assert together == "mkdir -p together/ && cp workloads.yaml policies/* together/"
    shutil.copytree("policies", "together")
    shutil.copy("workloads.yaml", "together")
    assert {command.rpartition(":")[2] for command in explain} == {"53", "54"}
    for command in explain:
        assert main(shlex.split(command)[1:]) is ExitCode.OK
        closed = "coredns:53" in command
        assert ("DENIED" if closed else "nothing blocks it") in capsys.readouterr().out


def test_a_handout_with_a_seed_needs_a_student_and_a_new_folder(tmp_path: Path) -> None:
    command = ["assignment", "handout", "lab12", "--out", str(tmp_path / "a")]

    assert main([*command, "--seed", "spring"]) is ExitCode.USAGE
    assert main(command) is ExitCode.OK
    assert main(command) is ExitCode.USAGE


def test_a_copy_of_an_assignment_is_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine"

    assert main(["assignment", "new", str(mine), "--from", "lab12"]) is ExitCode.OK
    assert main(["check", str(mine), str(REFERENCE)]) is ExitCode.OK
    assert main(["assignment", "new", str(mine), "--from", "lab12"]) is ExitCode.USAGE


@pytest.mark.parametrize(
    "name", ["lab12", "netpol-by-example", "production-isolation", "cilium-fqdn"]
)
def test_workloads_and_a_right_solution_are_proposed_as_an_assignment(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for file in ("workloads.yaml", "reference.yaml"):
        shutil.copy(folder_of(name) / file, parts / file)
    mine = tmp_path / "mine"

    assert main(["assignment", "new", str(mine), "--from", str(parts)]) is ExitCode.OK
    assert main(["check", str(mine), str(parts / "reference.yaml")]) is ExitCode.OK
    if name == "lab12":
        text = (mine / "assignment.yaml").read_text(encoding="utf-8")
        assert 'to: ["pod/secure-zone/secure-db:6379"]' in text
        assert 'from: ["frontend-zone/*", "secure-zone/*"]\n    to: ["dns"]' in text
        wrong = REFERENCE.read_text(encoding="utf-8").replace("port: 6379", "port: 5432")
        (tmp_path / "wrong.yaml").write_text(wrong, encoding="utf-8")
        assert main(["check", str(mine), str(tmp_path / "wrong.yaml")]) is ExitCode.DIFFERS


def test_a_folder_without_a_solution_is_no_beginning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    shutil.copy(folder_of("lab12") / "workloads.yaml", parts)

    assert main(["assignment", "new", str(tmp_path / "a"), "--from", str(parts)]) is ExitCode.USAGE
    assert "no policy" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
