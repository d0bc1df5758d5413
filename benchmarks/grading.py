"""What a course costs by prediction: from the submissions to every file of its results."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, timed
from harness.commands.grading.reports import write_reports
from harness.core.grading.judge import Predicted
from harness.core.grading.model import Mode
from harness.core.grading.mutation.trial import Trial
from harness.core.grading.soundness import must_be_sound
from harness.core.grading.world import world_of
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.assignments import load_assignment
from harness.edge.grading.course import Course
from harness.edge.grading.submissions import handed_in
from harness.progress import Quiet

STUDENTS = 100
TARGET = 5.0
"""Seconds for a course of lab12, with all reports, in one process."""


def grading() -> Iterator[Figure]:
    """A course of wrong and right variants of lab12's solution, in one process and in two."""
    with TemporaryDirectory() as folder:
        course, out = Path(folder, "course"), Path(folder, "out")
        _hand_in(course)
        for jobs in (1, 2):
            name = f"grade lab12 --predict, {STUDENTS} submissions, all reports, --jobs {jobs}"
            yield timed(name, partial(_grade, course, out, jobs), target=TARGET)


def _hand_in(course: Path) -> None:
    """Every third submission is right, each in other words; the others have one mistake each."""
    assignment = load_assignment("lab12", CNIS)
    trial = Trial(world_of(assignment), PROFILES[assignment.cnis[0]])
    rights = cycle(trial.right)
    step = len(trial.wrong) // STUDENTS
    for number, wrong in enumerate(islice(trial.wrong, 0, None, step)):
        if number == STUDENTS:
            break
        for name, data in (wrong if number % 3 else next(rights)).files:
            path = course / f"student-{number:03}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _grade(course: Path, out: Path, jobs: int) -> None:
    assignment = load_assignment("lab12", CNIS)
    profile = PROFILES[assignment.cnis[0]]
    world = world_of(assignment)
    must_be_sound(world, Predicted(profile))
    found = Course(world, profile, Mode.PREDICT, out)
    write_reports(found, found.grades(handed_in([course]), Quiet(), jobs=jobs))
