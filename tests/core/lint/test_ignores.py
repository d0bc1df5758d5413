"""Comments that ignore findings: where they count, and what is wrong with them."""

from __future__ import annotations

import pytest

from harness.core.lint.ignores import ignores_in
from tests.core.lint.worlds import DENY, linted, namespace, pod, policy

WORLD = (namespace("way"), pod("way/quiet", "app: quiet", "80"))
FAR = """\
apiVersion: v1
kind: Namespace
metadata:
  name: far
"""
RULE = "default-deny-missing"
REST = (pod("far/away", "app: away", "80"), policy("way/deny", DENY))


def rules(far: str) -> tuple[list[str], list[str]]:
    """The rules of the findings, and of those that a comment ignores."""
    found = linted(*WORLD, far, *REST)
    return (
        [finding.rule for finding in found.findings],
        [one.finding.rule for one in found.ignored],
    )


def test_without_a_comment_the_finding_stays() -> None:
    assert rules(FAR) == ([RULE], [])


@pytest.mark.parametrize(
    "far",
    [
        pytest.param(
            FAR.replace(
                "name: far", f"name: far  # policylab: ignore {RULE} it is open on purpose"
            ),
            id="behind the field",
        ),
        pytest.param(
            FAR.replace("  name: far", f"  # policylab: ignore {RULE} on purpose\n  name: far"),
            id="in the line above",
        ),
        pytest.param(
            FAR.replace(
                "  name: far", f"  # policylab: ignore {RULE} on purpose\n\n  # far\n  name: far"
            ),
            id="above another comment",
        ),
        pytest.param(f"# policylab: ignore {RULE} on purpose\n{FAR}", id="above the document"),
    ],
)
def test_a_comment_with_a_reason_ignores_the_finding(far: str) -> None:
    assert rules(far) == ([], [RULE])


def test_the_reason_is_kept() -> None:
    far = FAR.replace("name: far", f"name: far  # policylab: ignore {RULE} it is open on purpose")

    (one,) = linted(*WORLD, far, *REST).ignored

    assert one.ignore.reason == "it is open on purpose"


@pytest.mark.parametrize(
    ("comment", "rule"),
    [
        pytest.param(f"ignore {RULE}", "ignore-without-reason", id="no reason"),
        pytest.param("ignore default-deny-mising why", "ignore-unknown-rule", id="a slip"),
        pytest.param("ignore", "ignore-unknown-rule", id="no rule"),
        pytest.param("ignore dns-forgotten why", "ignore-unused", id="another rule"),
    ],
)
def test_a_comment_that_ignores_nothing_is_reported_and_the_finding_stays(
    comment: str, rule: str
) -> None:
    far = FAR.replace("name: far", f"name: far  # policylab: {comment}")

    assert rules(far) == (sorted([RULE, rule]), [])


def test_a_comment_in_another_line_is_not_about_the_finding() -> None:
    far = FAR.replace("kind: Namespace", f"kind: Namespace  # policylab: ignore {RULE} why")

    assert sorted(rules(far)[0]) == sorted([RULE, "ignore-unused"])


def test_a_slip_in_a_rule_is_answered_with_the_nearest_rule() -> None:
    far = FAR.replace("name: far", "name: far  # policylab: ignore default-deny-mising why")
    (finding,) = (f for f in linted(*WORLD, far, *REST).findings if f.rule == "ignore-unknown-rule")

    assert finding.fix.sentence == f"did you mean {RULE}?"


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  # policylab: ignore dns-forgotten why\n",
        "a: '# policylab: ignore dns-forgotten why'\n",
        'a: "x # policylab: ignore dns-forgotten why"\n',
        "a: b#policylab: ignore dns-forgotten why\n",
    ],
)
def test_text_that_only_looks_like_a_comment_is_none(text: str) -> None:
    assert ignores_in("a.yaml", text) == ()


def test_a_comment_above_a_document_ends_with_the_document() -> None:
    text = "# policylab: ignore dns-forgotten why\na: 1\n---\nb: 1\n"
    (one,) = ignores_in("a.yaml", text)

    assert one.covers("a.yaml", 2)
    assert not one.covers("a.yaml", 4)
    assert not one.covers("b.yaml", 2)


def test_broken_yaml_behind_a_comment_is_no_fault_of_the_comment() -> None:
    assert len(ignores_in("a.yaml", "a: 1 # policylab: ignore dns-forgotten why\nb: [\n")) == 1
