from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import Assignment, Grade
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import World, world_of
from harness.core.manifests.reader import File
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.assignments import load_assignment

Marks = Callable[..., Grade]


@cache
def _loaded(name: str) -> Assignment:
    return load_assignment(name, CNIS)


@cache
def _world(name: str) -> World:
    return world_of(_loaded(name))


@pytest.fixture
def assignment() -> Callable[[str], Assignment]:
    return _loaded


@pytest.fixture
def marks() -> Marks:
    """The grade of a text, or of several, as a submission for a shipped assignment."""

    def marked(name: str, *texts: str, cni: str = "") -> Grade:
        world = _world(name)
        files = [File(f"{number}.yaml", text.encode()) for number, text in enumerate(texts)]
        submission = read_submission(world.assignment, "alice", files)
        return grade(world, submission, Predicted(PROFILES[cni or world.assignment.cnis[0]]))

    return marked


@pytest.fixture
def reference() -> Callable[[str], str]:
    """The text of a shipped assignment's right solution."""

    def text(name: str) -> str:
        return "\n---\n".join(file.data.decode() for file in _loaded(name).reference)

    return text
