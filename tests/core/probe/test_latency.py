"""How fast changes of policies came into force: bars, spreads, and what reports show of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from harness.core.probe.latency import BINS, Bar, Change, FlowFlip, Way, histogram, latencies
from harness.report.document import Run, to_json
from harness.report.pages import html, markdown


def change(*flips: tuple[Way, float], missing: str = "", blips: tuple[str, ...] = ()) -> Any:
    flows = tuple(
        FlowFlip(f"shop/web -> {number}", way, ms, ms, 0.0, 3)
        for number, (way, ms) in enumerate(flips)
    )
    made = Change(("01-deny",), flows, polls=5, sampled=9, blips=blips, missing=missing)
    return {"tutorial": "shop", **asdict(made)}


def document(*changes: Any) -> dict[str, Any]:
    run = Run(name="", command="pytest", started="now", seconds=1.0)
    return to_json((), {}, run=run, changes=changes)


def test_histogram_spans_from_the_first_bar_to_the_last() -> None:
    assert histogram([30, 40, 120]) == [
        Bar(25, 50, 2),
        Bar(50, 75, 0),
        Bar(75, 100, 0),
        Bar(100, 150, 1),
    ]


@pytest.mark.parametrize("value", [0, 24.9, 25, 14_999, 15_000, 99_999])
def test_every_value_is_in_one_bar(value: float) -> None:
    bars = histogram([value])

    assert sum(bar.count for bar in bars) == 1
    assert len(bars) == 1
    assert bars[0].low <= value < bars[0].high


def test_histogram_of_nothing_is_empty() -> None:
    assert histogram([]) == []
    assert list(BINS) == sorted(set(BINS))


def test_change_counts_when_its_last_flow_has_flipped() -> None:
    found = latencies(
        [
            change((Way.CLOSES, 40), (Way.CLOSES, 55), (Way.OPENS, 80)),
            change((Way.CLOSES, 70)),
        ]
    )

    assert found == {Way.CLOSES: [55, 70], Way.OPENS: [80]}


def test_change_that_never_settled_has_no_latency() -> None:
    assert latencies([change((Way.CLOSES, 40), missing="a flow")]) == {}


def test_page_draws_the_histogram_and_tells_it_in_words() -> None:
    page = html(document(change((Way.CLOSES, 40)), change((Way.CLOSES, 45))))

    assert "a flow was closed after 42.5 ms (40.0-45.0, n=2)" in page
    assert "25-50 ms" in page
    assert "a flow was open" not in page


def test_summary_has_a_row_for_each_bar_and_names_blips() -> None:
    text = markdown(document(change((Way.OPENS, 40), blips=("a -> b showed timeout",))))

    assert "| 25-50 | █ 1 |" in text
    assert "a -\\> b showed timeout" in text or "a -&gt; b showed timeout" in text


def test_run_without_changes_has_no_such_section() -> None:
    assert "How fast" not in html(document())
    assert "How fast" not in markdown(document())
