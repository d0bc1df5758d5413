"""How the questions of a lookup add up, as glibc asks them."""

from __future__ import annotations

import pytest

from harness.core.dns.question import Question, query_plan
from harness.core.dns.resolver import walk
from harness.core.outcome import Outcome, Reading

SEARCH = ("shop.svc.cluster.local", "svc.cluster.local")
ADDRESS = Reading(Outcome.RESOLVED, "192.0.2.1")
ANSWERS = {
    "R": Reading(Outcome.DNS_REFUSED),
    "S": Reading(Outcome.DNS_SERVFAIL),
    "T": Reading(Outcome.DNS_TIMEOUT),
    "X": Reading(Outcome.DNS_NXDOMAIN),
    "N": Reading(Outcome.DNS_NODATA),
    "A": ADDRESS,
}


def walked(name: str, answers: str) -> tuple[str, int]:
    """The outcome, and how many questions it took; one letter an answer, in the plan's order."""
    plan = query_plan(name, search=SEARCH, ndots=5)
    told = dict(zip(plan, answers, strict=True))
    reading, asked = walk(plan, f"{name.rstrip('.')}.", lambda q: ANSWERS[told[q]])
    return str(reading.outcome), len(asked)


@pytest.mark.parametrize(
    ("answers", "outcome", "count"),
    [
        ("AXX", "resolved", 1),
        ("XXA", "resolved", 3),
        ("NXA", "resolved", 3),
        ("XXX", "dns_nxdomain", 3),
        ("XNX", "dns_nodata", 3),
        # After a refusal only the name as it is is still asked.
        ("RAA", "resolved", 2),
        ("RAX", "dns_refused", 2),
        ("XRA", "resolved", 3),
        ("RXR", "dns_refused", 2),
        ("TXT", "dns_timeout", 2),
        # A server that fails is no reason to stop searching.
        ("SAX", "resolved", 2),
        ("SXX", "dns_servfail", 3),
        ("SXR", "dns_servfail", 3),
    ],
)
def test_lookup_goes_through_its_questions_as_glibc_does(
    answers: str, outcome: str, count: int
) -> None:
    assert walked("kubernetes.io", answers) == (outcome, count)


def test_name_with_a_trailing_dot_is_asked_once() -> None:
    assert walked("kubernetes.io.", "R") == ("dns_refused", 1)


def test_attempts_that_disagree_are_no_answer_to_go_on_from() -> None:
    plan = query_plan("kubernetes.io", search=SEARCH, ndots=5)
    unstable = Reading(Outcome.UNSTABLE)

    reading, asked = walk(plan, "kubernetes.io.", lambda _: unstable)

    assert (reading, asked) == (unstable, (Question("kubernetes.io.shop.svc.cluster.local."),))
