from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from harness.core.grading.model import Assignment, Submission
from harness.core.grading.submitting import read_submission
from harness.core.manifests.reader import File
from tests.fakes.hostile import ATTACKS, RIGHT, SAID, with_meta


@pytest.fixture
def submitted(assignment: Callable[[str], Assignment]) -> Callable[[bytes], Submission]:
    lab12 = assignment("lab12")
    return lambda data: read_submission(lab12, "eve", [File("eve.yaml", data)])


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_in_words_and_at_once(
    attack: str, submitted: Callable[[bytes], Submission]
) -> None:
    began = time.monotonic()

    found = submitted(ATTACKS[attack])

    assert SAID[attack] in found.problem
    assert not found.resources
    assert "eve.yaml" in found.problem or found.problem == "there is no policy in it"
    assert "Traceback" not in found.problem
    assert len(found.problem) < 25_000
    assert time.monotonic() - began < 10


def test_the_right_policy_next_to_all_attacks_is_taken(
    submitted: Callable[[bytes], Submission],
) -> None:
    assert submitted(RIGHT.encode()).problem == ""
    assert submitted(RIGHT.encode("utf-16")).problem == ""


def test_script_in_an_annotation_is_data(submitted: Callable[[bytes], Submission]) -> None:
    found = submitted(with_meta('name: a, annotations: {a: "<script>\\e[2J</script>"}'))

    assert found.problem == ""


def test_a_refusal_names_the_line_and_the_nearest_namespace(
    submitted: Callable[[bytes], Submission],
) -> None:
    problem = submitted(ATTACKS["a namespace misspelt"]).problem

    assert "eve.yaml:1" in problem
    assert "did you mean `secure-zone`?" in problem


def test_each_attack_has_its_words() -> None:
    assert SAID.keys() == ATTACKS.keys()
    assert len(ATTACKS) > 60
