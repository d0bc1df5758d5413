"""Patience: every deadline is explained, multiplied, and kept in the one place."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from harness import edge
from harness.edge.machine.patience import PATIENCE, Patience

NO_DEADLINES = {
    *("GRACE_SECONDS", "LOOK_SECONDS", "CALM_SECONDS", "TTL_SECONDS"),
    *("HELD_SECONDS", "JOIN_SECONDS"),
    *("AFTER_SECONDS", "CHURN_SECONDS", "QUIET_SECONDS", "SECONDS"),
    *("LOG_SECONDS", "LONGEST_SECONDS"),
}
"""Pauses between two steps of one thing, what a killed program's pipes get, the TTL of a name; how
long something is measured; how much of a log is read, and how long a prober of a node lives."""


def test_every_deadline_is_explained_in_the_docstring_and_no_other() -> None:
    explained = re.findall(r"(?m)^    `(\w+)`: ", Patience.__doc__ or "")

    assert explained == [each.name for each in fields(Patience)]


def test_every_deadline_is_multiplied() -> None:
    twice = PATIENCE.times(2)

    for each in fields(Patience):
        assert getattr(twice, each.name) == 2 * getattr(PATIENCE, each.name), each.name


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "more", ""])
def test_factor_that_is_not_a_number_above_zero_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number above 0"):
        PATIENCE.by(text)


def test_factor_may_be_a_fraction() -> None:
    assert PATIENCE.by("1.5") == PATIENCE.times(1.5)


def test_no_module_of_the_edge_has_a_deadline_of_its_own() -> None:
    found = {
        ast.unparse(target)
        for path in Path(edge.__path__[0]).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        for target in node.targets
    }

    assert {name for name in found if name.endswith("SECONDS")} == NO_DEADLINES
