"""Grades as files for people: a table of the course, and a page for each student.

Names and problems come from students' files: no cell of a table begins a formula, and nothing in a
page is markup.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from hashlib import sha256

from harness.core.grading.model import Grade, Grades, Row, digits
from harness.core.grading.telling.plain import plain
from harness.report.grading.text import feedback_text, summary_of

_FORMULA = ("=", "+", "-", "@", "|", "%")
"""What a spreadsheet takes for the beginning of a formula."""
_FENCE = "~~~~"
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")


def cell(text: str) -> str:
    """A text as a cell of a table: a spreadsheet never takes it for a formula."""
    kept = plain(text)
    return f"'{kept}" if kept.startswith(_FORMULA) else kept


def markdown(text: str) -> str:
    """A text as plain words in Markdown."""
    return _MARKUP.sub(r"\\\1", plain(text))


def file_name(student: str) -> str:
    """A name for a student's files: readable, safe, and another one for each student."""
    known = re.sub(r"[^A-Za-z0-9]+", "-", student).strip("-")[:40] or "student"
    return f"{known}-{sha256(student.encode(errors='replace')).hexdigest()[:8]}"


def grades_csv(grades: Grades, rows: Sequence[Row]) -> str:
    """A line for each submission, with the points of each row of the assignment."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    heads = ["id", "status", "score", "max_score", "not_checked", "problem"]
    table.writerow([*heads, *(cell(f"{row.id} ({digits(row.points):g})") for row in rows)])
    for grade in grades.grades:
        points = {found.row.id: digits(found.points) for found in grade.rows}
        table.writerow(
            [
                cell(grade.id),
                grade.status.value,
                digits(grade.score),
                digits(grade.max_score),
                digits(grade.held),
                cell(grade.problem),
                *(points.get(row.id, "") for row in rows),
            ]
        )
    return out.getvalue()


def feedback_page(title: str, grade: Grade) -> str:
    """A student's page, in Markdown: the marks, each lost point with its cause, and the hints."""
    lines = [f"# {markdown(title)}", "", f"{markdown(grade.id)}: {markdown(summary_of(grade))}", ""]
    told = [line.replace(_FENCE, "") for line in feedback_text(grade)]
    if told:
        lines += [f"{_FENCE}text", *told, _FENCE, ""]
        lines += ["`+` has all its points, `x` lost some, `?` was not checked.", ""]
    lines += [f"- {markdown(note)}" for note in grade.notes]
    return "\n".join(lines).rstrip() + "\n"
