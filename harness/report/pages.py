"""Reports for people, made from the document of `harness.report.document.to_json`.

`markdown` is the summary for a CI job. `html` is one file to mail or to keep: it has no scripts and
loads nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from harness.core.lab.record import Status
from harness.core.probe.latency import Bar, Way, histogram, latencies
from harness.core.probe.spread import Spread
from harness.report import view

ICONS = {Status.PASS: "✓", Status.FAIL: "✗", Status.ERRATUM: "!", Status.NOT_CHECKED: "?"} | {
    Status.NOT_OBSERVED: "○",
    Status.NOT_CHECKED_OFFLINE: "?",
}
PLOT_WIDTH = 420
"""The width of the longest bar, in pixels."""

LABEL_WIDTH, WORDS_WIDTH = 170, 250
"""The width of the texts to the left and to the right of a plot, in pixels."""

_MARKDOWN = re.compile(r"([\\`*_\[\]|~#])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True)
class Box:
    """The spread of one measurement as a box plot; all lengths are pixels from the left.

    Attributes:
        label: the name of the measurement.
        left: the least value.
        right: the greatest value.
        median: the median.
        box: the first and the third quartile; None if they are not known.
        words: the numbers in words.
    """

    label: str
    left: float
    right: float
    median: float
    box: tuple[float, float] | None
    words: str


@dataclass(frozen=True, slots=True)
class Latency:
    """The time until policy changes came into force.

    Attributes:
        way: whether the changes closed or opened flows.
        words: the times in words.
        bars: the times as a histogram.
    """

    way: Way
    words: str
    bars: tuple[Bar, ...]

    @property
    def title(self) -> str:
        """The title of the histogram."""
        does = {Way.CLOSES: "a flow was closed", Way.OPENS: "a flow was open"}
        return f"{does[self.way]} after {self.words}"

    def width(self, bar: Bar) -> float:
        """The width of a bar, in pixels."""
        return round(bar.count * PLOT_WIDTH / max(each.count for each in self.bars), 1)


def html(document: Mapping[str, Any]) -> str:
    """The document as one self-contained HTML page; every text is escaped."""
    return templates().get_template("report.html.j2").render(_context(document))


def markdown(document: Mapping[str, Any]) -> str:
    """The document as GitHub-flavoured Markdown, for a job's summary."""
    text = templates().get_template("summary.md.j2").render(_context(document))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def boxes(evidence: Mapping[str, Any]) -> list[Box]:
    """The measured times of a row: its `spread` maps a label to median, min, max and n.

    Times are in ms. A spread that lacks one of these numbers is left out, because half a plot would
    mislead.
    """
    spread = evidence.get("spread")
    found = spread.items() if isinstance(spread, Mapping) else ()
    complete = {
        str(label): numbers
        for label, numbers in found
        if isinstance(numbers, Mapping)
        and all(isinstance(numbers.get(key), int | float) for key in ("median", "min", "max", "n"))
    }
    longest = max((numbers["max"] for numbers in complete.values()), default=0) or 1
    scale = PLOT_WIDTH / longest
    return [_box(label, numbers, scale) for label, numbers in complete.items()]


def _box(label: str, numbers: Mapping[str, Any], scale: float) -> Box:
    quartiles = (numbers.get("q1"), numbers.get("q3"))
    low, high = (q * scale if isinstance(q, int | float) else None for q in quartiles)
    return Box(
        label=label,
        left=round(numbers["min"] * scale, 1),
        right=round(numbers["max"] * scale, 1),
        median=round(numbers["median"] * scale, 1),
        box=None if low is None or high is None else (round(low, 1), round(high - low, 1)),
        words=f"{numbers['median']:.1f} ms ({numbers['min']:.1f}-{numbers['max']:.1f}, "
        f"n={numbers['n']})",
    )


def _context(document: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = view.clean(document)
    return {
        "document": cleaned,
        "facts": {key: _fact(value) for key, value in cleaned["environment"].items()},
        "phases": view.phases(cleaned["rows"]),
        "legend": view.legend(cleaned["rows"]),
        "counts": view.counts(cleaned),
        "statuses": view.statuses(cleaned),
        "total": view.total(cleaned),
        "verdict": view.verdict(cleaned),
        "environment": view.environment_line(cleaned["environment"]),
        "latency": [
            Latency(way, str(Spread.of(values)), tuple(histogram(values)))
            for way, values in latencies(cleaned["changes"]).items()
        ],
        "blips": [blip for change in cleaned["changes"] for blip in change["blips"]],
    }


def _fact(value: Any) -> str:
    match value:
        case None:
            return "unknown"
        case list():
            return ", ".join(map(str, value))
        case Mapping():
            return ", ".join(f"{key} {item}" for key, item in value.items())
    return str(value)


def _escape_markdown(text: Any) -> str:
    """The text on one line, with the characters escaped that Markdown or HTML would interpret."""
    escaped = "".join(_HTML.get(letter, letter) for letter in " ".join(str(text).split()))
    return _MARKDOWN.sub(r"\\\1", escaped)


@cache
def templates() -> Environment:
    """The templates of all pages: HTML is escaped, and Markdown has the filter `md`."""
    found = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=select_autoescape(("html.j2",)),  # Markdown has its own filter
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(md=_escape_markdown, duration=view.duration)
    found.globals.update(
        columns=view.COLUMNS,
        answer=view.answer,
        explanation=view.explanation,
        stands_out=view.stands_out,
        boxes=boxes,
        icons=ICONS,
        words=view.STATUS_WORDS,
        meanings=view.STATUS_MEANING,
        label_width=LABEL_WIDTH,
        plot_width=LABEL_WIDTH + PLOT_WIDTH + WORDS_WIDTH,
    )
    return found
