"""docs/conformance.md: its tables have every test and tag of the other suites, each with a case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from harness.core.conformance.features import FEATURES
from harness.edge.conformance.shipped import shipped

DOCUMENT = Path(__file__).parents[3] / "docs" / "conformance.md"
ELSEWHERE = yaml.safe_load(Path(__file__).with_name("elsewhere.yaml").read_text(encoding="utf-8"))
CASES = {case.name: case for case in shipped()}


def rows(title: str) -> dict[str, list[str]]:
    """The table whose first column has this title: each name, and its cases."""
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition(f"| {title} |")[2].partition("\n\n")[0]
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", table, flags=re.MULTILINE)
    return {name: cases.split(", ") for name, cases in found if not name.startswith("---")}


@pytest.mark.parametrize(
    ("title", "suite"), [("test of Kubernetes", "kubernetes"), ("tag of Cyclonus", "cyclonus")]
)
def test_what_another_suite_checks_has_a_case_that_there_is(title: str, suite: str) -> None:
    found = rows(title)

    assert list(found) == ELSEWHERE[suite]
    assert all(cases and CASES.keys() >= {*cases} for cases in found.values())


def test_what_no_other_suite_checks_has_a_case_that_there_is() -> None:
    found = rows("beyond them")

    assert found
    assert all(cases and CASES.keys() >= {*cases} for cases in found.values())


def test_a_tag_of_ours_that_sounds_like_one_of_cyclonus_is_of_one_of_its_cases() -> None:
    alike = {"ingress", "egress", "tcp", "udp", "sctp", "named-port", "end-port", "allow-all"}
    found = rows("tag of Cyclonus")

    assert alike <= FEATURES.keys() & found.keys()
    for tag in alike:
        assert any(tag in CASES[name].features for name in found[tag]), tag
