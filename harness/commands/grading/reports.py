"""The files of a graded course: tables, pages for students, and the forms of learning platforms."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from harness.core.grading.model import Grades
from harness.edge.grading.course import Course, write_json, write_text
from harness.report.grading.platforms import classroom50, gradescope, junit
from harness.report.grading.sheets import feedback_page, file_name, grades_csv

TABLE, JUNIT = "grades.csv", "junit.xml"
FEEDBACK, GRADESCOPE, CLASSROOM50 = "feedback", "gradescope", "classroom50"


def write_reports(course: Course, grades: Grades) -> None:
    """Write all files beside `grades.json`.

    Raises:
        ContentError: a file cannot be written.
    """
    out, assignment = course.out, course.world.assignment
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    write_text(out / TABLE, grades_csv(grades, assignment.all_rows))
    write_text(out / JUNIT, junit(grades))
    for found in grades.grades:
        name = file_name(found.id)
        write_text(out / FEEDBACK / f"{name}.md", feedback_page(assignment.title, found))
        write_json(out / GRADESCOPE / f"{name}.json", gradescope(found))
        result = classroom50(found, at=now, env=os.environ)
        write_json(out / CLASSROOM50 / f"{name}.json", result)
