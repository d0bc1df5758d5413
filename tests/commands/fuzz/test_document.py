"""What the terminal tells of a fuzz: the first of many cases, and how many more there are."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from harness.commands.fuzz.document import SHOWN, show

FUZZ: dict[str, object] = {
    "lane": "calico",
    "cni": "calico",
    "seed": 1,
    "shard": None,
    **dict.fromkeys(("cases", "policies", "cells", "agreed", "open", "no_verdict"), 20),
    "disagreed": 0,
    "seconds": 9.0,
    "in_force_ms": [],
    "late_seconds": 3.0,
    "late": [],
    "no_verdicts": [],
    "lost": [],
    "findings": [],
}


def told(**found: object) -> list[str]:
    text = StringIO()
    show(Console(file=text, width=200), {**FUZZ, **found}, [])
    return text.getvalue().splitlines()


def test_late_cases_and_flows_without_a_verdict_are_cut_and_counted() -> None:
    many = range(SHOWN + 2)
    lines = told(
        late=[{"case": f"case-{n}", "in_force_ms": 4000.0} for n in many],
        no_verdicts=[f"[red] flow {n}" for n in many],
    )

    assert "late: case-0 was in force after 4000 ms; 3 s are allowed" in lines
    assert "no verdict: [red] flow 0" in lines
    assert lines.count("and 2 more") == 2


def test_what_is_not_there_has_no_line() -> None:
    lines = told()

    assert not [line for line in lines if line.startswith(("late", "no verdict", "cases that"))]
    assert not [line for line in lines if line.startswith("and ")]
    assert "cases that could not be judged at all: 1" in told(lost=["x"])
