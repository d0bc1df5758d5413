from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.edge.grading.assignments import folder_of, shipped
from harness.exitcode import ExitCode

ENOUGH_WRONG, ENOUGH_RIGHT = 40, 15
Capture = pytest.CaptureFixture[str]


def _document(*words: str, capsys: Capture) -> tuple[ExitCode, dict[str, Any]]:
    code = main(["assignment", "check", *words, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_our_grader_catches_every_wrong_variant_and_rejects_no_right_one(
    name: str, capsys: Capture
) -> None:
    # A part of them, of every rule: `make variants` asks about all, and no coverage slows it down.
    code, document = _document(name, "--most", "90", capsys=capsys)

    bad = [one for one in document["variants"] if one["found"] in ("missed", "rejected", "unsure")]
    assert bad == []
    assert document["counts"]["caught"] >= ENOUGH_WRONG
    assert document["counts"]["accepted"] >= ENOUGH_RIGHT
    assert document["remarks"] == []
    assert code is ExitCode.OK


def test_several_variants_at_a_time_have_the_same_answers(capsys: Capture) -> None:
    one, two = (
        _document("cilium-fqdn", "--most", "12", "--jobs", jobs, capsys=capsys) for jobs in "12"
    )

    assert one == two
    assert main(["assignment", "check", "cilium-fqdn", "--jobs", "0"]) is ExitCode.USAGE


def test_a_long_check_says_how_far_it_is(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.commands.grading.trial.EVERY", 0.0)

    main(["assignment", "check", "cilium-fqdn", "--most", "3", "--jobs", "2"])

    assert re.search(r"5 of [0-9]+ variants, about [0-9]+ s are left", capsys.readouterr().err)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of an assignment, to be spoiled."""
    return Path(shutil.copytree(folder_of("netpol-by-example"), tmp_path / "mine"))


def _spoil(folder: Path, name: str, before: str, after: str) -> int:
    """Replace the first such text; the number of its line."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return text[: text.index(before)].count("\n") + 1


def test_a_required_flow_that_the_reference_closes_is_told_with_its_line(
    folder: Path, capsys: Capture
) -> None:
    _spoil(folder, "reference.yaml", "{protocol: TCP, port: 53}", "{protocol: TCP, port: 54}")

    code = main(["assignment", "check", str(folder)])

    out = capsys.readouterr().out
    assert code is ExitCode.DIFFERS
    assert "assignment.yaml:" in out
    assert "the row `dns` wants" in out
    assert "contradicts itself" in out


def test_a_hidden_row_without_a_topic_is_told_with_its_line(folder: Path, capsys: Capture) -> None:
    text = (folder / "assignment.yaml").read_text(encoding="utf-8")
    before = text.index("shown: false")
    topic = text.rindex("topic:", 0, before + 200) if "topic:" in text[:before] else 0
    line = text[topic:].splitlines()[0]
    (folder / "assignment.yaml").write_text(text.replace(line, "topic: ''", 1), encoding="utf-8")

    code = main(["assignment", "check", str(folder), "--most", "1"])

    out = capsys.readouterr().out
    assert code is ExitCode.DIFFERS
    assert "has no topic" in out
    assert "assignment.yaml:" in out


def test_points_that_come_to_no_whole_number_are_told(folder: Path, capsys: Capture) -> None:
    _spoil(folder, "assignment.yaml", "points: 15", "points: 15.5")

    code = main(["assignment", "check", str(folder), "--most", "1"])

    assert code is ExitCode.DIFFERS
    assert "no whole number" in capsys.readouterr().out


def test_a_workload_that_a_row_names_and_that_is_missing_is_told(
    folder: Path, capsys: Capture
) -> None:
    _spoil(folder, "workloads.yaml", "name: othernspod", "name: someone")

    code = main(["assignment", "check", str(folder)])

    err = capsys.readouterr().err
    assert code is ExitCode.USAGE
    assert "assignment.yaml:" in err
    assert "othernspod" in err


def _grader(tmp_path: Path, text: str) -> str:
    """A grader in shell: it is started for each variant, and a shell starts at once."""
    path = tmp_path / "a grader.sh"
    path.write_text(text, encoding="utf-8")
    return f"sh '{path}' {{dir}}"


def _asked(tmp_path: Path, text: str, *more: str, capsys: Capture) -> dict[str, int]:
    _, document = _document(
        "cilium-fqdn", "--grader", _grader(tmp_path, text), "--most", "6", *more, capsys=capsys
    )
    counts: dict[str, int] = document["counts"]
    return counts


def test_a_grader_that_accepts_everything_catches_nothing(tmp_path: Path, capsys: Capture) -> None:
    counts = _asked(tmp_path, "test $# = 1", capsys=capsys)

    assert (counts["caught"], counts["rejected"], counts["unsure"]) == (0, 0, 0)
    assert counts["missed"] > 3


def test_a_grader_that_rejects_everything_rejects_what_is_right(
    tmp_path: Path, capsys: Capture
) -> None:
    counts = _asked(tmp_path, "exit 1", capsys=capsys)

    assert (counts["missed"], counts["accepted"]) == (0, 0)
    assert counts["rejected"] >= ENOUGH_RIGHT


def test_a_score_in_json_counts_and_not_the_exit_code(tmp_path: Path, capsys: Capture) -> None:
    text = """
ls "$1"/* >/dev/null && echo '{"score": 10, "max_score": 10}'
exit 1
"""
    counts = _asked(tmp_path, text, capsys=capsys)

    assert (counts["rejected"], counts["unsure"]) == (0, 0)
    assert counts["accepted"] >= ENOUGH_RIGHT


def test_a_grader_that_does_not_end_gives_no_answer(tmp_path: Path, capsys: Capture) -> None:
    text = 'test ! -e "$1/policies.json" || exec sleep 60'
    counts = _asked(tmp_path, text, "--deadline", "1", capsys=capsys)

    assert counts["unsure"] == 1


def test_the_case_that_was_missed_is_printed_with_its_flow(tmp_path: Path, capsys: Capture) -> None:
    code = main(
        ["assignment", "check", "cilium-fqdn", "--grader", _grader(tmp_path, ""), "--most", "4"]
    )

    out = capsys.readouterr().out
    assert code is ExitCode.DIFFERS
    assert "not caught: policy-dropped." in out
    assert "the policies say" in out
    assert "It caught 0 of" in out


@pytest.mark.parametrize(
    ("command", "words"),
    [("./verify.sh", "{dir}"), ("./verify.sh '{dir}", "split into words"), ("", "")],
)
def test_a_command_that_cannot_work_is_refused(command: str, words: str, capsys: Capture) -> None:
    if not command:
        command, words = "no-such-program-here {dir}", "cannot start"

    code = main(["assignment", "check", "cilium-fqdn", "--grader", command, "--most", "1"])

    assert code in (ExitCode.USAGE, ExitCode.FAULT)
    assert words in capsys.readouterr().err
