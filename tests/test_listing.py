"""A list of which a message tells the first few: one shape, in every room."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import harness
from harness.listing import few

HOME = Path(harness.__file__).parent
ELSEWHERE = {
    "core/lint/wording.py": "it names one pod or two, or one and the others with their noun",
    "core/policy/reasons.py": "it names one object, and the verb belongs to that one",
    "report/grading/text.py": "the flows are told in groups, and came with their count",
}
"""Modules that count the rest of a list in their own way, and why."""


@pytest.mark.parametrize(
    ("things", "most", "text"),
    [
        ([], 3, ""),
        ("a", 3, "a"),
        ("abc", 3, "a, b, c"),
        ("abcd", 3, "a, b, c, and 1 more"),
        ("abcde", 3, "a, b, c, and 2 more"),
        ("abc", 1, "a, and 2 more"),
        ((number for number in range(4)), 2, "0, 1, and 2 more"),
    ],
)
def test_the_first_few_are_told_and_the_others_counted(
    things: Iterable[object], most: int, text: str
) -> None:
    assert few(things, most) == text


def test_the_count_is_a_part_of_the_list_like_the_others() -> None:
    assert few(["a, b", "c", "d"], 2, "; ") == "a, b; c; and 1 more"
    assert few("abc", 2, "\n") == "a\nb\nand 1 more"


def test_a_hint_follows_the_count_alone() -> None:
    assert few("abc", 2, hint=" (--all)") == "a, b, and 1 more (--all)"
    assert few("ab", 2, hint=" (--all)") == "a, b"


def test_there_is_no_second_way_to_count_the_others() -> None:
    found = {
        str(path.relative_to(HOME))
        for path in HOME.rglob("*.py")
        if re.search(r"and \{[^}]+\} more\b", path.read_text(encoding="utf-8"))
    }

    assert found == {"listing.py", *ELSEWHERE}
