"""docs/conformance.md: its tables name cases that there are, and leave no row without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.edge.conformance.shipped import shipped

DOCUMENT = Path(__file__).parents[3] / "docs" / "conformance.md"
NAMES = {case.name for case in shipped()}
TESTS_OF_KUBERNETES, TAGS_OF_CYCLONUS = 48, 48


def rows(title: str) -> dict[str, list[str]]:
    """The table whose first column has this title: each name, and its cases."""
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition(f"| {title} |")[2].partition("\n\n")[0]
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", table, flags=re.MULTILINE)
    return {name: cases.split(", ") for name, cases in found if not name.startswith("---")}


@pytest.mark.parametrize(
    ("title", "count"),
    [("test of Kubernetes", TESTS_OF_KUBERNETES), ("tag of Cyclonus", TAGS_OF_CYCLONUS)],
)
def test_every_row_names_cases_that_there_are(title: str, count: int) -> None:
    found = rows(title)

    assert len(found) == count
    dangling = {case for cases in found.values() for case in cases} - NAMES
    assert dangling == set()
