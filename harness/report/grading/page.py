"""The ground of all pages of grading: templates in which every text is escaped and visible.

A page is one file that loads nothing and has no scripts, so that it opens without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.core.grading.model import Grade, Mode, digits
from harness.core.grading.telling.plain import plain
from harness.core.grading.telling.showing import Mark
from harness.report.grading.text import points_text, told

if TYPE_CHECKING:
    from jinja2 import Environment

MARKS: Mapping[str, str] = {Mark.FULL: "✓", Mark.LOST: "✗", Mark.HELD: "?"}
MODES: Mapping[Mode, str] = {
    Mode.PREDICT: "by prediction: no cluster was asked",
    Mode.LIVE: "live, on a cluster",
}


@dataclass(frozen=True, slots=True)
class Basis:
    """How the marks came about: `cni` and `mode` as in the grades, `date` as a text."""

    cni: str
    mode: Mode
    date: str

    @property
    def way(self) -> str:
        """The mode in words."""
        return MODES[self.mode]


def page(template: str, **words: Any) -> str:
    """A page from one of the templates."""
    return _templates().get_template(template).render(**words)


def percent(grade: Grade) -> float:
    """The score in percent of what could be had; 0 where nothing could."""
    return round(100 * float(grade.score / grade.max_score), 1) if grade.max_score else 0.0


def points(number: Fraction) -> str:
    """Points as pages show them."""
    return points_text(digits(number))


@cache
def _templates() -> Environment:
    # `policylab check` writes no page, and is to answer at once.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(plain=plain, points=points, told=told, percent=percent)
    found.globals.update(marks=MARKS)
    return found
