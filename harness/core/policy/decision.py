"""The answer to one flow: each side's verdict, what they add up to, and the reasons in words."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.model import Direction, NetworkPolicy
from harness.core.outcome import Verdict
from harness.core.policy.nearest import Nearest


@dataclass(frozen=True, slots=True)
class Side:
    """One end's answer.

    `isolated_by` are the policies that isolate the end, `allowed_by` the rules that let the flow
    pass (policy, number from 1), `reason` says why in words. `nearest` is the rule that comes
    nearest, on a side that denies and has rules; else None.
    """

    direction: Direction
    verdict: Verdict
    isolated_by: tuple[NetworkPolicy, ...]
    allowed_by: tuple[tuple[NetworkPolicy, int], ...]
    reason: str
    nearest: Nearest | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Both ends' answers and what they add up to; `note` says what leaves the whole flow open."""

    verdict: Verdict
    egress: Side
    ingress: Side
    note: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The two sides in words, after the note if there is one."""
        return (*filter(None, (self.note,)), self.egress.reason, self.ingress.reason)


def both(note: str, egress: Verdict, ingress: Verdict) -> Verdict:
    """What the two sides add up to; a note leaves the flow open whatever they say."""
    if note:
        return Verdict.UNDEFINED
    if Verdict.DENY in (egress, ingress):
        return Verdict.DENY
    return Verdict.UNDEFINED if Verdict.UNDEFINED in (egress, ingress) else Verdict.ALLOW
