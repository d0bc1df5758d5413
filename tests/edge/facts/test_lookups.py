"""Which lines of CoreDNS's log belong to a measurement: those behind its own mark, however late."""

from __future__ import annotations

from harness.edge.facts.lookups import questions, questions_saved
from harness.edge.stage.bench import Bench
from tests.fakes.cluster import FakeCluster
from tests.fakes.lab import lab, library_of, row_of

SAVED = "fact/questions-saved/google.com"
PODS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: x}]}
"""


class LateReader(FakeCluster):
    """A node that reads the lines of earlier lookups only when the next line is written."""

    late = 44

    def write(self, namespace: str, pod: str, line: str) -> None:
        if "policylab-" in line:
            client = line.split()[1]
            for _ in range(self.late):
                old = f'[INFO] {client} - 1 "A IN google.com. udp 50 false 512" NOERROR qr 9 0.1s'
                super().write(namespace, pod, old)
        super().write(namespace, pod, line)


def measured(cluster: FakeCluster) -> Bench:
    made = lab(library_of({"base": PODS}), cluster)
    made.stage.enter(["base"])
    return made.bench


def test_questions_of_earlier_lookups_do_not_count_however_late_they_are_logged() -> None:
    for cluster in (FakeCluster(), LateReader()):
        seen = questions_saved(
            measured(cluster), row_of(SAVED, says="75 % fewer questions"), "google.com"
        )

        assert seen.notes == ("4 questions without the dot, 1 with it",)


def test_mark_is_no_question_of_the_measurement() -> None:
    seen = questions(measured(LateReader()), row_of("questions/google.com"), "google.com")

    assert {question["name"] for question in seen.evidence["questions"]} == {
        "google.com.shop.svc.cluster.local.",
        "google.com.svc.cluster.local.",
        "google.com.cluster.local.",
        "google.com.",
    }
