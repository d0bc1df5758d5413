"""A submission's grade with all that reports tell of it, so that nobody reads it a second time."""

from __future__ import annotations

from dataclasses import replace

from harness.core.grading.judge import Judge
from harness.core.grading.marks import grade
from harness.core.grading.model import Grade, Submission
from harness.core.grading.randomised import USUAL, Names
from harness.core.grading.telling.causes import Causes, explained
from harness.core.grading.telling.sketch import sketch_of
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile


def graded(
    world: World,
    submission: Submission,
    judge: Judge,
    profile: CniProfile,
    drawn: Names = USUAL,
) -> Grade:
    """The grade, with the causes that are told, and the sketch by which alike ones are found.

    `drawn` are the names that were drawn for the student.
    """
    found = explained(grade(world, submission, judge), Causes(world, submission, profile))
    return replace(
        found, sketch=sketch_of(submission.files, submission.resources, drawn.back().tree)
    )
