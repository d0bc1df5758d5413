"""How a predicted verdict is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.core.outcome import Verdict
from harness.report.matrix.heatmap import OPEN, SHUT, UNCLEAR, Look

PASSES = Look("passes", OPEN.letter, OPEN.fill, OPEN.ink)
BLOCKED = Look("does not pass", SHUT.letter, SHUT.fill, SHUT.ink)
SOME = Look("some requests pass", "~", "#56b4e9", "#000000")
UNKNOWN = Look("not known", UNCLEAR.letter, UNCLEAR.fill, UNCLEAR.ink)
LEGEND = (PASSES, BLOCKED, SOME, UNKNOWN)
LOOKS: Mapping[str, Look] = {"allow": PASSES, "deny": BLOCKED, "some": SOME, "undefined": UNKNOWN}


def look_of(verdict: Verdict) -> Look:
    """The look of a verdict; one that is neither yes nor no never looks like one of these."""
    return LOOKS.get(str(verdict), UNKNOWN)


def own_look(told: str) -> str:
    """A CNI's own answer in the words of this table; it may have a verdict for each node."""
    return " ".join(LOOKS[word].word if word in LOOKS else word for word in told.split(" "))


def own_words(own: Iterable[tuple[str, str]]) -> str:
    """The CNIs' own answers, as the end of a sentence; empty if there is none."""
    return "".join(f"; on {name.capitalize()}: {own_look(told)}" for name, told in sorted(own))
