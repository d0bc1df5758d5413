"""What a run found of one row: the three columns, and the status they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.core.lab.documented import Row
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading


class Status(StrEnum):
    """PASS: as documented. ERRATUM: refuted, as the erratum says. NOT_CHECKED: no verdict."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    ERRATUM = "erratum"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of `labs.json`: documented, predicted, observed, and what they add up to.

    `phase` is the lab module's name without `test_NN_`; `reasons` are the oracle's; `problem` says
    why a row was not checked or what differs; `next_step` what a person can do; times are seconds.
    """

    tutorial: str
    phase: str
    row: Row
    predicted: Reading | None
    observation: Observation | None
    status: Status
    reasons: tuple[str, ...] = ()
    problem: str = ""
    next_step: str = ""
    seconds: float = 0.0
    order: int = 0


CONTROLS = {
    Outcome.TIMEOUT: frozenset({Outcome.CONNECTED}),
    # A name server's "no" is an answer as well: the question went through. So it did where a
    # connection by name was made.
    Outcome.DNS_TIMEOUT: frozenset(
        {Outcome.RESOLVED, Outcome.DNS_NXDOMAIN, Outcome.DNS_NODATA, Outcome.CONNECTED}
    ),
}
"""What the same flow must have shown without policies, for its silence to count."""


def judge(
    row: Row, predicted: Reading | None, observation: Observation | None
) -> tuple[Status, str]:
    """The status of a row, and in words what is amiss.

    Silence is earned: it counts only with a positive control. Attempts that disagree
    are no verdict: never a pass, never a failure.
    """
    if observation is None:
        return Status.NOT_CHECKED, "nothing was observed"
    seen = observation.reading
    if seen.outcome is Outcome.UNSTABLE:
        return Status.NOT_CHECKED, "the attempts disagree with each other, so there is no verdict"
    if not seen.satisfies(row.outcome):
        return Status.FAIL, f"expected {row.outcome}, observed {seen}"
    # A row that follows `CniProfile` may be about a CNI that departs from the semantics.
    if predicted is not None and not any(row.lines) and not seen.satisfies(predicted):
        return Status.FAIL, f"the policies predict {predicted}, observed {seen}"
    if seen.outcome in CONTROLS and not _controlled(seen, observation.control):
        had = observation.control or "none"
        return Status.NOT_CHECKED, f"silence without a positive control (without policies: {had})"
    return (Status.ERRATUM if row.erratum else Status.PASS), ""


def _controlled(silent: Reading, control: Reading | None) -> bool:
    return control is not None and control.outcome in CONTROLS[silent.outcome]
