"""The table of a course and the students' pages: what students wrote stays plain words."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from pathlib import Path

import pytest

from harness import cli
from harness.core.grading.model import Grade, Grades, Mode, Status
from harness.report.grading.sheets import cell, feedback_page, file_name, grades_csv, markdown

NOUGHT = Fraction(0)
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "|calc", "\t=1", "\r\n=cmd()", "  =1"])
def test_no_cell_begins_a_formula(text: str) -> None:
    assert cell(text).startswith("'")


def test_a_plain_name_stays_as_it_is() -> None:
    assert cell("Anna Ångström") == "Anna Ångström"


def test_table_has_a_line_for_each_student_even_with_line_ends_in_a_problem() -> None:
    bad = Grade("=cmd()", Status.UNGRADABLE, NOUGHT, NOUGHT, problem='a,\n"b"\u202e')
    text = grades_csv(Grades("lab12", "calico", Mode.PREDICT, (bad,)), ())

    assert list(csv.reader(io.StringIO(text)))[1:] == [
        ["'=cmd()", "ungradable", "0.0", "0.0", "0.0", 'a, "b"[U+202E]']
    ]


def test_names_of_files_are_safe_and_distinct() -> None:
    names = ["../../x", "a/b", "a b", "A b", "", "é", "-rf", "x" * 300]
    files = [file_name(name) for name in names]

    assert len(set(files)) == len(names)
    assert all(name.replace("-", "").isalnum() and len(name) < 60 for name in files)


def test_markup_of_a_student_is_shown_and_not_obeyed() -> None:
    assert markdown("<script>[x](y) `z`\n# h") == r"\<script\>\[x\]\(y\) \`z\` \# h"
    refused = Grade("<b>", Status.UNGRADABLE, NOUGHT, NOUGHT, problem="~~~~\n<script>")

    assert "<script>" not in feedback_page("t", refused)


def test_grade_writes_the_table_and_a_page_with_causes(tmp_path: Path) -> None:
    home = tmp_path / "in"
    home.mkdir()
    denied = ROOT / "manifests" / "lab12-zero-trust" / "02-default-deny.yaml"
    (home / "bob_lab12.yaml").write_bytes(denied.read_bytes())

    cli.main(["grade", "lab12", str(home), "--predict", "--out", str(tmp_path / "out")])

    head, bob = csv.reader(io.StringIO((tmp_path / "out" / "grades.csv").read_text()))
    assert bob[0] == "bob"
    assert len(head) == len(bob)
    for name in ("gradescope", "classroom50"):
        (result,) = (tmp_path / "out" / name).glob("*.json")
        assert json.loads(result.read_text(encoding="utf-8"))["tests"]
    assert (tmp_path / "out" / "junit.xml").read_text(encoding="utf-8").startswith("<?xml")
    (page,) = (tmp_path / "out" / "feedback").glob("*.md")
    assert "must be open" in (text := page.read_text(encoding="utf-8"))
    assert "because" in text
    assert "hint:" in text
