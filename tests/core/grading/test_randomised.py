from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import Assignment, Grade, Status
from harness.core.grading.randomised import key_of, names_for, of_student, randomised
from harness.core.grading.soundness import faults_of
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import fingerprint, world_of
from harness.core.manifests.reader import File
from harness.edge.cni.known import PROFILES
from harness.edge.grading.assignments import shipped

KEY = "de88794d14c36c7936f2"
SECURE_ZONE = "secure-zone-8rqp"
PORTS = {80: 7916, 6379: 2592}

Loaded = Callable[[str], Assignment]


def _grade(assignment: Assignment, files: tuple[File, ...]) -> Grade:
    world = world_of(assignment)
    submission = read_submission(assignment, "alice", files)
    return grade(world, submission, Predicted(PROFILES[assignment.cnis[0]]))


@pytest.mark.parametrize("name", sorted(shipped()))
@pytest.mark.parametrize("student", ["alice", "bob", "../Zoë\n"])
def test_a_right_solution_in_a_student_s_own_names_has_all_points(
    name: str, student: str, assignment: Loaded
) -> None:
    own = of_student(assignment(name), student, "spring")

    assert not list(faults_of(world_of(own), Predicted(PROFILES[own.cnis[0]])))
    assert _grade(own, own.reference).score == 100


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_neighbour_s_solution_loses(name: str, assignment: Loaded) -> None:
    alice, bob = (of_student(assignment(name), student, "spring") for student in ("alice", "bob"))

    for files in (bob.reference, assignment(name).reference):
        assert _grade(alice, files).status is Status.UNGRADABLE
        # A neighbour's labels and ports lose as well, if the namespaces are corrected.
        text = "\n---\n".join(file.data.decode() for file in files)
        theirs = (bob if files is bob.reference else assignment(name)).namespaces
        for mine, other in zip(sorted(alice.namespaces), sorted(theirs), strict=True):
            text = text.replace(other, mine)
        found = _grade(alice, (File("a.yaml", text.encode()),))
        assert found.status is Status.GRADED
        assert found.score < 100


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_same_student_has_the_same_names_again(name: str, assignment: Loaded) -> None:
    first, again = (of_student(assignment(name), "alice", "spring") for _ in range(2))
    other = of_student(assignment(name), "alice", "autumn")

    assert fingerprint(first) == fingerprint(again)
    assert (first.task, first.reference) == (again.task, again.reference)
    assert first.namespaces.isdisjoint(other.namespaces)


def test_names_are_what_they_were_for_handouts_of_last_week(assignment: Loaded) -> None:
    """A change of these names would make handouts wrong that students have already."""
    key = key_of(assignment("lab12"), "alice", "spring")

    assert key == KEY
    names = names_for(assignment("lab12"), key)
    assert names.words["secure-zone"] == SECURE_ZONE
    assert names.ports == PORTS


def test_a_student_s_key_alone_gives_the_student_s_form(assignment: Loaded) -> None:
    key = key_of(assignment("lab12"), "alice", "spring")

    assert fingerprint(randomised(assignment("lab12"), key)) == fingerprint(
        of_student(assignment("lab12"), "alice", "spring")
    )


def test_the_task_speaks_of_the_drawn_names_alone(assignment: Loaded) -> None:
    own = of_student(assignment("lab12"), "alice", "spring")
    names = names_for(assignment("lab12"), key_of(assignment("lab12"), "alice", "spring"))

    assert f"`{names.words['secure-zone']}`" in own.task
    assert "`secure-zone`" not in own.task
    assert f"TCP port {names.ports[6379]}" in own.task
    assert "port 53," in own.task
