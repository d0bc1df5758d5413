"""The files of a graded course: tables, pages for people, and the forms of learning platforms."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from harness.core.grading.model import Grades
from harness.core.grading.randomised import randomised
from harness.core.grading.telling.alike import alike
from harness.core.grading.telling.matrix import Matrices
from harness.core.grading.world import world_of
from harness.edge.grading.course import Course, write_json, write_text
from harness.report.grading.feedback import check_command, feedback_html
from harness.report.grading.page import Basis
from harness.report.grading.platforms import classroom50, gradescope, junit
from harness.report.grading.sheets import feedback_page, file_name, grades_csv
from harness.report.grading.summary import summary_html

TABLE, SUMMARY, JUNIT = "grades.csv", "summary.html", "junit.xml"
FEEDBACK, GRADESCOPE, CLASSROOM50 = "feedback", "gradescope", "classroom50"


def write_reports(course: Course, grades: Grades, *, seed: str = "") -> None:
    """Write all files beside `grades.json`; `seed` is told to the reader of the course's page.

    Raises:
        ContentError: a file cannot be written.
    """
    out, assignment = course.out, course.world.assignment
    now = datetime.now(UTC)
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    basis = Basis(grades.cni, grades.mode, f"{now:%Y-%m-%d %H:%M} UTC")
    write_text(out / TABLE, grades_csv(grades, assignment.all_rows))
    write_text(out / JUNIT, junit(grades))
    links = {found.id: f"{FEEDBACK}/{file_name(found.id)}.html" for found in grades.grades}
    same = alike(grades.grades)
    page = summary_html(
        assignment,
        grades,
        basis,
        same,
        seed=seed,
        drawn=bool(seed) or any(found.key for found in grades.grades),
        links=links,
    )
    write_text(out / SUMMARY, page)
    usual = Matrices(course.world)
    for found in grades.grades:
        name, key = file_name(found.id), found.key
        own = Matrices(world_of(randomised(assignment, key))) if key else usual
        page = feedback_html(
            own.world.assignment,
            found,
            own.of(found.flows),
            basis,
            check=check_command(assignment.name, key),
        )
        write_text(out / FEEDBACK / f"{name}.html", page)
        write_text(out / FEEDBACK / f"{name}.md", feedback_page(assignment.title, found))
        write_json(out / GRADESCOPE / f"{name}.json", gradescope(found))
        result = classroom50(found, at=at, env=os.environ)
        write_json(out / CLASSROOM50 / f"{name}.json", result)
