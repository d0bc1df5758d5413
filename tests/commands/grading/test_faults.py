"""A run that is stopped in mid-course goes on: nothing is lost, and nothing is graded twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main
from harness.exitcode import ExitCode

Class = Callable[[int], Path]
Results = Callable[[Path], dict[str, bytes]]
Capture = pytest.CaptureFixture[str]
STUDENTS = 30
ROOT = Path(__file__).parents[3]
PATIENCE = 60.0
"""Seconds in which a program that was stopped must be gone."""


def _words(course: Path, out: Path, *more: str) -> list[str]:
    return ["grade", "lab12", str(course), "--predict", "--out", str(out), *more]


def _stopped(course: Path, out: Path, number: int, *more: str) -> subprocess.CompletedProcess[str]:
    """Begin to grade in a process of its own, and send it a signal when some grades are there."""
    command = [sys.executable, "-m", "harness.cli", *_words(course, out, *more)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as started:
        try:
            _wait(lambda: len(_kept(out)) >= 3, "some grades are kept")
            # Ctrl-C reaches all processes of a terminal, and SIGKILL the one that it is for.
            (os.killpg if number == signal.SIGINT else os.kill)(started.pid, number)
            said, told = started.communicate(timeout=PATIENCE)
        except BaseException:
            # The end of `with` waits without a deadline.
            os.killpg(started.pid, signal.SIGKILL)
            raise
    _wait(lambda: not _alive(started.pid), "every process of it has ended")
    return subprocess.CompletedProcess(command, started.returncode, said, told)


def _wait(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, f"in {PATIENCE} s it did not come to this: {what}"
        time.sleep(0.005)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _kept(out: Path) -> dict[str, int]:
    """The grades that are whole, each with the time at which it was written."""
    return {path.name: path.stat().st_mtime_ns for path in (out / "kept").glob("[!.]*.json")}


@pytest.mark.usefixtures("not_measured")
@pytest.mark.parametrize(
    "how",
    [(signal.SIGKILL, "1"), (signal.SIGKILL, "2"), (signal.SIGINT, "1"), (signal.SIGINT, "2")],
    ids=["killed", "killed with 2 jobs", "Ctrl-C", "Ctrl-C with 2 jobs"],
)
def test_what_is_graded_stays_graded_and_the_rest_comes_out_the_same(
    how: tuple[int, str], class_of: Class, results: Results, tmp_path: Path, capsys: Capture
) -> None:
    (number, jobs), course, out = how, class_of(STUDENTS), tmp_path / "out"
    stopped = _stopped(course, out, number, "--jobs", jobs, "--seed", "spring")
    before = _kept(out)

    assert 3 <= len(before) < STUDENTS
    if number == signal.SIGINT:
        assert stopped.returncode == ExitCode.INTERRUPTED
        assert "the same command with --resume goes on" in stopped.stderr
        assert "Traceback" not in stopped.stderr
    more = ("--resume", "--seed", "spring")
    assert main(_words(course, out, *more)) is ExitCode.OK
    left = STUDENTS - len(before)
    told = f"{len(before)} submissions are graded already, {left} are left"
    assert told in capsys.readouterr().err
    assert _kept(out).items() >= before.items()
    assert main(_words(course, tmp_path / "undisturbed", *more)) is ExitCode.OK
    assert results(out) == results(tmp_path / "undisturbed")


def test_a_file_that_was_only_begun_is_taken_away_and_one_that_is_cut_off_is_told_of(
    class_of: Class, results: Results, tmp_path: Path, capsys: Capture
) -> None:
    course, out = class_of(4), tmp_path / "out"
    main(_words(course, out))
    whole = results(out)
    (out / "grades.json").write_text('{"schema', encoding="utf-8")
    (out / ".grades.csv.4711").write_text("id,", encoding="utf-8")
    first, second, *_ = sorted((out / "kept").iterdir())
    first.write_bytes(first.read_bytes()[:-30])
    second.write_text("[]", encoding="utf-8")
    (out / "kept" / f".{first.name}.4711").write_text("{", encoding="utf-8")
    capsys.readouterr()

    assert main(_words(course, out, "--resume")) is ExitCode.OK

    told = capsys.readouterr().err
    assert "2 submissions are graded already, 2 are left" in told
    for path in (first, second):
        assert f"{path} is not whole" in told.replace("\n", "")
    assert results(out) == whole


def test_only_one_student_is_graded_again_and_the_others_stay_in_the_results(
    class_of: Class, results: Results, tmp_path: Path, capsys: Capture
) -> None:
    course, out = class_of(5), tmp_path / "out"
    main(_words(course, out))
    before, whole = _kept(out), results(out)
    for name in ("student-01", "student-02"):
        shutil.copy(course / "student-00" / "policies.yaml", course / name)
    capsys.readouterr()

    assert main(_words(course, out, "--resume", "--only", "student-01")) is ExitCode.OK

    assert len(set(_kept(out).items()) - set(before.items())) == 1
    found = json.loads((out / "grades.json").read_text(encoding="utf-8"))["submissions"]
    # The second one has changed, and was not asked for: there is no grade of what it is now.
    names = [f"student-0{n}" for n in (0, 1, 3, 4)]
    assert [one["id"] for one in found] == names
    assert {one["id"]: one["score"] for one in found}["student-01"] == 100.0
    assert main(_words(course, out, "--resume")) is ExitCode.OK
    assert len(json.loads((out / "grades.json").read_text("utf-8"))["submissions"]) == 5
    assert results(out) != whole


def test_a_changed_assignment_grades_everybody_again(
    class_of: Class, tmp_path: Path, capsys: Capture
) -> None:
    course, out = class_of(2), tmp_path / "out"
    main(_words(course, out, "--seed", "spring"))
    capsys.readouterr()

    main(_words(course, out, "--resume", "--seed", "summer"))

    assert "0 submissions are graded already, 2 are left" in capsys.readouterr().err
