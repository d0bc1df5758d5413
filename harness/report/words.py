"""`labs/WORDS.md`: the page that explains every word that a table of a lab may use."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.core.lab.profile import LINES, PREFIX, CniProfile
from harness.core.lab.words import KINDS
from harness.core.outcome import MEANING, Outcome
from harness.core.target import FACTS, FORMS

UNWRITTEN = frozenset({Outcome.UNSTABLE})
"""Outcomes that a table may not document."""


def page(profiles: Mapping[str, CniProfile]) -> str:
    """The page as Markdown; `profiles` are the CNIs', by their names."""
    templates = Environment(  # noqa: S701 - Markdown of our own words
        loader=PackageLoader("harness.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["cell"] = lambda text: text.replace("|", r"\|")
    templates.filters["tick"] = lambda text: f"`{text}`"
    return templates.get_template("words.md.j2").render(
        kinds=KINDS.values(),
        forms=FORMS,
        outcomes={word: text for word, text in MEANING.items() if word not in UNWRITTEN},
        prefix=PREFIX,
        lines=LINES,
        profiles=profiles,
        facts=FACTS,
    )
