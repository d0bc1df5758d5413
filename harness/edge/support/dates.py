"""Reads `support.yaml`, and answers until when a version is supported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "support.yaml"

_Line = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Support:
    """What is known of the support of one line of versions.

    Attributes:
        title: the program's name in sentences, e.g. Kubernetes.
        line: major and minor version, e.g. 1.37.
        ends: the last day of the support; None if its makers have published no date.
        exact: whether `ends` is the day itself; if not, the support ended on that day or earlier.
        rule: the makers' rule, as a sentence.
        source: the page that says so.
        newest: the newest version of the program, if policylab cannot build it; else empty.
    """

    title: str
    line: str
    ends: date | None
    exact: bool
    rule: str
    source: str
    newest: str = ""

    def ended(self, today: date) -> bool:
        """Whether the support is over."""
        return self.ends is not None and self.ends < today

    def told(self, today: date) -> str:
        """One sentence about it, with its source."""
        name = f"{self.title} {self.line}"
        if self.ends is None:
            return f"{name} is supported; no last day is published yet ({self.source})."
        if not self.ended(today):
            return f"{name} is supported until {self.ends} ({self.source})."
        when = f"on {self.ends}" if self.exact else f"on {self.ends} or earlier"
        return f"The support of {name} ended {when} ({self.source})."


def support_of(program: str, version: str) -> Support | None:
    """The support of a version (`v1.37.2`, `3.30`) of a program; None if nothing is known of it.

    `program` is a key of `support.yaml`: kubernetes, or the name of a CNI.
    """
    entry, line = _entries().get(program), _line(version)
    if entry is None or line is None:
        return None
    known: Mapping[_Line, Mapping[str, Any]] = entry["lines"]
    # A line without an entry ended before the next line that has one.
    as_known = min((other for other in known if other >= line), default=None)
    if as_known is None or (as_known != line and "ends" not in known[as_known]):
        return None
    facts = known[as_known]
    return Support(
        title=entry["title"],
        line=f"{line[0]}.{line[1]}",
        ends=facts.get("ends"),
        exact=as_known == line and not facts.get("by", False),
        rule=entry["rule"],
        source=facts.get("source", entry["source"]),
        newest=entry.get("newest", ""),
    )


def _line(version: str) -> _Line | None:
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})(?!\d)", version)
    return (int(found[1]), int(found[2])) if found else None


@cache
def _entries() -> Mapping[str, Mapping[str, Any]]:
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        name: {**entry, "lines": {_line(text): facts for text, facts in entry["lines"].items()}}
        for name, entry in data.items()
    }
