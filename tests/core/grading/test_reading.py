"""`assignment.yaml`: every fault has its file, its line, and the nearest right word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core.grading.model import Assignment
from harness.core.grading.reading import read_assignment
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import folder_of
from harness.errors import ContentError

TEXT = (folder_of("lab12") / "assignment.yaml").read_text(encoding="utf-8")
FAULTS = {
    "a word that is no part": ("  kinds:", "  kind:", "kinds"),
    "an outcome that is none": ("outcome: open", "outcome: opened", "open"),
    "a namespace that is not there": (
        "[frontend-zone, secure-zone]\n",
        "[frontend-zon]\n",
        "frontend-zone",
    ),
    "a kind that decides nothing": ("[NetworkPolicy]", "[NetworkPolice]", "NetworkPolicy"),
    "a CNI that is not known": ("[calico, cilium]", "[calico, psyllium]", "cilium"),
    "a pod that is not there": (
        "from: frontend-zone/web-server",
        "from: frontend-zone/web-serve",
        "frontend-zone/web-server",
    ),
    "a receiver that is not there": (
        "pod/secure-zone/payment-api:80",
        "pod/secure-zone/payment-ap:80",
        "secure-zone/payment-api",
    ),
    "a port that is none": ("payment-api:80", "payment-api:80000", ""),
    "points that are a text": ("points: 15", "points: many", ""),
    "points below nought": ("points: 15", "points: -1", ""),
    "two rows of one name": ("id: api-to-db", "id: web-to-api", ""),
    "a row called like the rest": ("id: api-to-db", "id: rest", ""),
    "no rest": ("rest:\n", "least_privilege:\n", ""),
    "no title": ("title:", "# title:", ""),
    "a default namespace of others": ("  broken_files: refuse", "  default_namespace: default", ""),
    "a word for broken files": ("refuse", "refuze", "refuse"),
}


def _read(text: str, like: Assignment) -> Assignment:
    return read_assignment(
        "lab12",
        text,
        origin="lab12",
        workloads=like.workloads,
        reference=like.reference,
        task=like.task,
        cnis=CNIS,
    )


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_has_its_line_and_the_nearest_word(
    what: str, assignment: Callable[[str], Assignment]
) -> None:
    right, wrong, near = FAULTS[what]
    text = TEXT.replace(right, wrong, 1)
    assert text != TEXT

    with pytest.raises(ContentError) as error:
        _read(text, assignment("lab12"))

    file, _, line = error.value.where.partition(":")
    assert file == "lab12/assignment.yaml"
    assert 1 <= int(line) <= len(text.splitlines())
    assert near in str(error.value)


def test_the_same_text_is_read_as_the_same_assignment(
    assignment: Callable[[str], Assignment],
) -> None:
    assert _read(TEXT, assignment("lab12")) == assignment("lab12")
