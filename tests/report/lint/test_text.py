"""The findings in words, as one line each, and as annotations of GitHub."""

from __future__ import annotations

import pytest

from harness.core.lint.finding import Finding, Fix, Spot, Sure
from harness.core.lint.linting import Linted
from harness.report.lint.github import workflow_commands
from harness.report.lint.text import WIDTH, brief, report, summary
from tests.core.lint.worlds import linted
from tests.report.lint.test_document import BAD


def words(*objects: str, sure: Sure = Sure.POSSIBLE) -> str:
    return "\n".join(text.plain for text in report(linted(*objects), sure))


def test_a_finding_says_file_line_rule_degree_object_field_flow_and_fix() -> None:
    text = words(*BAD)

    assert text.startswith("shop.yaml\n")
    assert "void-by-other-side (likely)  NetworkPolicy zone/a  spec.egress[0]" in text
    assert "flow: zone/api -> pod/zone/db:6379 is denied; with the fix it passes" in text
    assert "ingress DENIED: zone/db" in text
    assert "name: suggested-ingress" in text


def test_no_line_of_prose_is_wider_than_a_terminal() -> None:
    assert max(len(line) for line in words(*BAD).splitlines()) <= WIDTH


def test_the_last_line_counts_what_is_shown_hidden_and_ignored() -> None:
    found = linted(*BAD)

    assert summary(found, Sure.POSSIBLE) == (
        "1 finding in 4 policies: 1 likely. 1 finding ignored by comments."
    )
    assert summary(found, Sure.CERTAIN).startswith(
        "no findings in 4 policies. 1 less sure is not shown (--sure likely)."
    )


def test_notes_say_what_the_answer_rests_on() -> None:
    assert "assumed: CoreDNS as kubeadm installs it" in words(*BAD)


def test_a_brief_report_is_one_line_for_each_finding() -> None:
    (line,) = brief(linted(*BAD), Sure.POSSIBLE)

    assert line.startswith("shop.yaml:")
    assert ": void-by-other-side: Egress rule 1 of zone/a" in line


def annotation(spot: Spot, sure: Sure = Sure.LIKELY, what: str = "it happens") -> str:
    one = Finding("policy-types", spot, sure, what, None, Fix("mend it"))
    (line,) = workflow_commands(Linted((one,)), Sure.POSSIBLE)
    return line


@pytest.mark.parametrize(
    ("sure", "command"),
    [(Sure.CERTAIN, "error"), (Sure.LIKELY, "warning"), (Sure.POSSIBLE, "notice")],
)
def test_an_annotation_has_the_command_of_its_degree(sure: Sure, command: str) -> None:
    assert annotation(Spot("a.yaml", 3), sure) == (
        f"::{command} file=a.yaml,line=3,title=policy-types ({sure})::it happens. Fix: mend it."
    )


def test_what_would_end_an_annotation_is_escaped() -> None:
    line = annotation(Spot("a,b:c%.yaml", 3), what="one\ntwo: 50%, more")

    assert line.startswith("::warning file=a%2Cb%3Ac%25.yaml,line=3,")
    assert "::one%0Atwo: 50%25, more" in line
    assert "\n" not in line


def test_an_annotation_without_a_file_has_no_line() -> None:
    assert annotation(Spot("cluster", 0)).startswith("::warning title=")
