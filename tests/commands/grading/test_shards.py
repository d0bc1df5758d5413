"""A course that is graded in parts has the marks of one that is graded in one piece."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.core.compare.sharding import shard_of
from harness.edge.grading.assignments import folder_of
from harness.edge.grading.shards import _not_graded
from harness.exitcode import ExitCode

Class = Callable[[int], Path]
Results = Callable[[Path], dict[str, bytes]]
Capture = pytest.CaptureFixture[str]


def _grade(course: Path, out: Path, *more: str, assignment: str = "lab12") -> ExitCode:
    return main(["grade", assignment, str(course), "--predict", "--out", str(out), *more])


def _shards(course: Path, home: Path, of: int, *more: str, **named: str) -> Iterator[str]:
    for number in range(1, of + 1):
        out = home / f"shard-{number}"
        assert _grade(course, out, "--shard", f"{number}/{of}", *more, **named) is ExitCode.OK
        yield str(out)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two halves of a course of four, graded once for all tests that spoil a copy of them."""
    home = tmp_path_factory.mktemp("halves")
    for number in range(4):
        (home / "course" / f"student-0{number}").mkdir(parents=True)
        shutil.copy(folder_of("lab12") / "reference.yaml", home / "course" / f"student-0{number}")
    assert len(list(_shards(home / "course", home, 2))) == 2
    return home


@pytest.fixture
def halves(made: Path, tmp_path: Path) -> list[str]:
    """The folders of the two halves."""
    names = ("shard-1", "shard-2")
    return [str(shutil.copytree(made / name, tmp_path / name)) for name in names]


def _merge(folders: list[str], out: Path, *more: str) -> ExitCode:
    return main(["grade", "merge", *folders, "--out", str(out), *more])


@pytest.mark.parametrize("seed", ["", "spring"])
def test_shards_that_are_merged_have_every_file_of_one_piece(
    seed: str, class_of: Class, results: Results, tmp_path: Path, capsys: Capture
) -> None:
    course = class_of(7)
    more = ("--seed", seed) if seed else ()
    assert _grade(course, tmp_path / "one", *more) is ExitCode.OK
    whole = capsys.readouterr().out.splitlines()

    folders = list(_shards(course, tmp_path, 3, *more))
    parts = capsys.readouterr().out
    code = _merge(folders[::-1], tmp_path / "merged")

    merged = capsys.readouterr().out.splitlines()
    assert code is ExitCode.OK
    assert results(tmp_path / "merged") == results(tmp_path / "one")
    assert merged[:8] == whole[:8]
    assert "this is shard 2 of 3: it has " in parts
    assert not seed or b"spring" not in b"".join(results(tmp_path / "shard-1").values())


def test_what_was_merged_can_be_resumed_in_one_piece(
    class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    course, out = class_of(3), tmp_path / "merged"
    _merge(list(_shards(course, tmp_path, 2, "--seed", "a")), out)

    assert _grade(course, out, "--resume", "--seed", "a") is ExitCode.OK

    assert "3 submissions are graded already, 0 are left" in capsys.readouterr().err


def test_a_shard_without_a_student_is_a_shard(class_of: Class, tmp_path: Path) -> None:
    course = class_of(1)
    folders = list(_shards(course, tmp_path, 4))

    assert _merge(folders, tmp_path / "out") is ExitCode.OK
    assert [one["id"] for one in _submissions(tmp_path / "out")] == ["student-00"]


def _submissions(out: Path) -> list[dict[str, Any]]:
    document = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = document["submissions"]
    return found


def test_shards_that_are_missing_are_named_and_marked_if_that_is_wanted(
    class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    folders = list(_shards(class_of(7), tmp_path, 4))
    (absent,) = {shard_of("student-00", 4)}
    del folders[absent - 1]

    assert _merge(folders, tmp_path / "out") is ExitCode.USAGE
    assert f"of 4 shards these are missing: {absent}\n" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert _merge(folders, tmp_path / "out", "--missing-ok") is ExitCode.NO_VERDICT

    found = {one["id"]: one for one in _submissions(tmp_path / "out")}
    assert len(found) == 7
    for name, one in found.items():
        assert (one["status"] == "not_checked") is (shard_of(name, 4) == absent)
    first = found["student-00"]
    assert (first["score"], first["max_score"], first["held"]) == (0, 0, 100)
    assert f"shard {absent} of 4" in first["problem"]


def test_a_student_whom_no_shard_graded_is_named(
    class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    course = class_of(3)
    first, *others = _shards(course, tmp_path, 2)
    late = next(n for n in range(99) if shard_of(f"late-{n}", 2) == 1)
    shutil.copytree(course / "student-00", course / f"late-{late}")
    assert _grade(course, Path(others[0]), "--shard", "2/2", "--resume") is ExitCode.OK

    code = _merge([first, *others], tmp_path / "out")

    assert code is ExitCode.USAGE
    assert f"late-{late} (shard 1)" in capsys.readouterr().err


def test_of_many_such_students_the_message_counts_those_that_it_does_not_name() -> None:
    seen = _not_graded([f"late-{number}" for number in range(11)], 1).seen

    assert seen.startswith("late-0 (shard 1), late-1 (shard 1), ")
    assert seen.endswith("late-9 (shard 1), and 1 more")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--seed", "another"), "the seed differs"),
        (("--cni", "cilium"), "the CNI differs"),
        (("--shard", "2/3"), "the number of shards differs"),
        (("--shard", "1/2"), "shard 1 of 2 is there twice"),
    ],
)
def test_parts_that_are_graded_otherwise_are_refused(
    more: tuple[str, ...], words: str, class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    course, one, two = class_of(2), tmp_path / "one", tmp_path / "two"
    _grade(course, one, "--shard", "1/2", "--seed", "spring")
    _grade(course, two, *("--shard", "2/2", "--seed", "spring"), *more)

    assert _merge([str(one), str(two)], tmp_path / "out") is ExitCode.USAGE

    err = capsys.readouterr().err
    assert words in err
    assert f"{one} and {two}" in err
    assert "spring" not in err


def test_parts_of_another_assignment_are_refused(
    class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    course, (one, two) = class_of(2), (tmp_path / "one", tmp_path / "two")
    mine = tmp_path / "lab12"
    shutil.copytree(folder_of("lab12"), mine)
    text = (mine / "assignment.yaml").read_text(encoding="utf-8")
    (mine / "assignment.yaml").write_text(text.replace("points: 15", "points: 16"), "utf-8")
    _grade(course, one, "--shard", "1/2")
    _grade(course, two, "--shard", "2/2", assignment=str(mine))

    assert _merge([str(one), str(two)], tmp_path / "out") is ExitCode.USAGE
    assert "the text of the assignment differs" in capsys.readouterr().err


def test_an_assignment_that_has_moved_is_named_and_one_that_has_changed_is_refused(
    class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    mine, moved = tmp_path / "a" / "mine", tmp_path / "b" / "mine"
    shutil.copytree(folder_of("lab12"), mine)
    folders = list(_shards(class_of(2), tmp_path, 2, assignment=str(mine)))
    moved.parent.mkdir()
    mine.rename(moved)

    assert _merge(folders, tmp_path / "out") is ExitCode.USAGE
    assert "there is no assignment" in capsys.readouterr().err
    assert _merge(folders, tmp_path / "out", "--assignment", str(moved)) is ExitCode.OK
    text = (moved / "assignment.yaml").read_text(encoding="utf-8")
    (moved / "assignment.yaml").write_text(text.replace("points: 15", "points: 16"), "utf-8")
    assert _merge(folders, tmp_path / "out", "--assignment", str(moved)) is ExitCode.USAGE
    assert "not the one by which these shards were graded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema_version": 2}, "the schema version of this shard is not 1"),
        ({"policylab": "9.9"}, "the version of policylab differs"),
        ({"mode": "live"}, "the way of judging differs"),
        ({"mode": "guess"}, "not the record of a shard"),
        ({"number": 7}, "not the record of a shard"),
        ({"students": None}, "not the record of a shard"),
        ({"more": 1}, "not the record of a shard"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_in_words(
    change: dict[str, Any], words: str, halves: list[str], tmp_path: Path, capsys: Capture
) -> None:
    record = Path(halves[1]) / "shard.json"
    document = json.loads(record.read_text(encoding="utf-8")) | change
    record.write_text(json.dumps(document), encoding="utf-8")

    assert _merge(halves, tmp_path / "out") is ExitCode.USAGE
    assert words in capsys.readouterr().err


def test_a_student_in_two_shards_is_refused(
    halves: list[str], tmp_path: Path, capsys: Capture
) -> None:
    folders = [Path(folder) for folder in halves]
    records = [json.loads((folder / "shard.json").read_text("utf-8")) for folder in folders]
    (folders[1] / "shard.json").write_text(
        json.dumps(records[1] | {"graded": [*records[1]["graded"], *records[0]["graded"]]}),
        encoding="utf-8",
    )
    for path in (folders[0] / "kept").iterdir():
        shutil.copy(path, folders[1] / "kept")

    assert _merge([str(folder) for folder in folders], tmp_path / "out") is ExitCode.USAGE

    err = capsys.readouterr().err
    assert any(f"`{name}` is in two shards" in err for name in records[0]["graded"])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda out: (out / "shard.json").unlink(), "was not graded to its end"),
        (shutil.rmtree, "there is no such folder"),
        (lambda out: shutil.rmtree(out / "kept"), "whose grades are not here"),
        (lambda out: (out / "shard.json").write_text("{", "utf-8"), "not the whole of it"),
        (lambda out: _cut(next((out / "kept").iterdir())), "this kept grade is not whole"),
    ],
)
def test_a_part_that_is_not_whole_is_refused_in_words(
    spoil: Callable[[Path], None], words: str, halves: list[str], tmp_path: Path, capsys: Capture
) -> None:
    spoil(Path(halves[0]))

    assert _merge(halves, tmp_path / "out") is ExitCode.USAGE
    assert words in capsys.readouterr().err


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def test_a_shard_that_did_not_end_is_none_until_it_is_resumed(
    class_of: Class, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = class_of(4)
    folders = list(_shards(course, tmp_path, 2))
    monkeypatch.setattr("harness.commands.grading.grade.write_reports", _interrupted)
    code = _grade(course, Path(folders[0]), "--shard", "1/2")
    monkeypatch.undo()

    assert code is ExitCode.INTERRUPTED
    assert _merge(folders, tmp_path / "out") is ExitCode.USAGE
    assert "--resume" in capsys.readouterr().err
    assert _grade(course, Path(folders[0]), "--shard", "1/2", "--resume") is ExitCode.OK
    assert _merge(folders, tmp_path / "out") is ExitCode.OK


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_one_student_is_graded_in_the_shard_that_has_the_student(
    class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    course = class_of(5)
    mine = shard_of("student-03", 2)
    only = ("--only", "student-03")

    assert _grade(course, tmp_path / "out", "--shard", f"{3 - mine}/2", *only) is ExitCode.USAGE
    assert f"`student-03` is in shard {mine} of 2" in capsys.readouterr().err
    assert _grade(course, tmp_path / "out", "--shard", f"{mine}/2", *only) is ExitCode.OK
    assert [one["id"] for one in _submissions(tmp_path / "out")] == ["student-03"]


def test_a_folder_called_merge_is_an_assignment_if_it_is_named_by_its_path(
    class_of: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    course = class_of(1)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder_of("lab12"), "merge")

    assert _grade(course, tmp_path / "out", assignment="./merge") is ExitCode.OK
    with pytest.raises(SystemExit) as ended:
        main(["grade", "--help"])

    assert ended.value.code == 0
    assert "is named ./merge" in " ".join(capsys.readouterr().out.split())
    assert _merge([str(course)], tmp_path / "merged") is ExitCode.USAGE
