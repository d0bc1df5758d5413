"""Patience: every deadline is explained, multiplied, and kept in the one place."""

from __future__ import annotations

import re
from dataclasses import fields

from harness.edge.machine.patience import PATIENCE, Patience


def test_every_deadline_is_explained_in_the_docstring_and_no_other() -> None:
    explained = re.findall(r"(?m)^    `(\w+)`: ", Patience.__doc__ or "")

    assert explained == [each.name for each in fields(Patience)]


def test_every_deadline_is_multiplied() -> None:
    twice = PATIENCE.times(2)

    for each in fields(Patience):
        assert getattr(twice, each.name) == 2 * getattr(PATIENCE, each.name), each.name
