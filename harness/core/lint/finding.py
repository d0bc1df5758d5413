"""What a rule of lint reports: a place, what happens there, a flow that shows it, and a fix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.core.outcome import Verdict
from harness.core.target.ask import Flow


class Sure(StrEnum):
    """How sure it is that a finding is a fault. What its flow shows is certain in any case."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    def at_least(self, other: Sure) -> bool:
        """Whether this is as sure as the other, or more."""
        order = list(Sure)
        return order.index(self) <= order.index(other)


MEANING = {
    Sure.CERTAIN: "the files do not do what they say, whatever their author wanted",
    Sure.LIKELY: "the files point to another intention than what they do",
    Sure.POSSIBLE: "this is a fault only if the author wanted something that the files do not say",
}
"""Each degree in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A field of an object: its file and line, the object (`NetworkPolicy shop/api`) and its path.

    `line` is 0 where the object was not read from a file; `field` is empty for the whole object.
    """

    file: str
    line: int
    object: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A flow that shows a finding: the oracle's verdict, with its reasons for both ends.

    `mended` is the verdict of the same flow once the fix is in place; None if there is no fix that
    the oracle can judge. `made_up` are the ends of the flow that no file has: the pod stands for
    every pod with its labels.
    """

    flow: Flow
    verdict: Verdict
    reasons: tuple[str, ...]
    mended: Verdict | None = None
    made_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do, in a sentence; where it ends in a colon, a manifest or a part of one follows."""

    sentence: str
    yaml: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `rule` is the id of a rule (`harness.core.lint.table`).

    `what` says what happens, in sentences. `shown` is None only where the rule says why no flow can
    show it (`LintRule.no_flow`).
    """

    rule: str
    spot: Spot
    sure: Sure
    what: str
    shown: Shown | None
    fix: Fix
