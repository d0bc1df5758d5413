"""The answer to one flow: the verdict of each end, the verdict of the flow, and the reasons."""

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
    nearest, on a side that denies and has rules; else None. `missing` is what would have to be
    known to decide a side that is undefined.
    """

    direction: Direction
    verdict: Verdict
    isolated_by: tuple[NetworkPolicy, ...]
    allowed_by: tuple[tuple[NetworkPolicy, int], ...]
    reason: str
    nearest: Nearest | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answers of both ends, and the verdict of the flow.

    `note` says what decides the whole flow, whatever the ends say; it is empty if nothing does.
    """

    verdict: Verdict
    egress: Side
    ingress: Side
    note: str = ""

    def side(self, direction: Direction) -> Side:
        """One end's answer, by its direction."""
        return self.egress if direction is Direction.EGRESS else self.ingress

    @property
    def reasons(self) -> tuple[str, ...]:
        """The note if there is one, and then the reasons of the two ends."""
        return (*filter(None, (self.note,)), self.egress.reason, self.ingress.reason)


def both(egress: Verdict, ingress: Verdict) -> Verdict:
    """The verdict of a flow from those of its ends: the one that lets less pass."""
    return next(verdict for verdict in _LEAST_FIRST if verdict in (egress, ingress))


_LEAST_FIRST = (Verdict.DENY, Verdict.UNDEFINED, Verdict.SOME, Verdict.ALLOW)
