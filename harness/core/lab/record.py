"""The result of a run for one row: the three columns, and the status that follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from harness.core.lab.documented import Row
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading


class Status(StrEnum):
    """PASS: as documented. ERRATUM: refuted, as the erratum says. NOT_CHECKED: no verdict.

    Of a run without a cluster: NOT_OBSERVED rows are predicted as their table says, and
    NOT_CHECKED_OFFLINE rows are those of which nothing can be predicted.
    """

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    ERRATUM = "erratum"
    NOT_CHECKED = "not_checked"
    NOT_OBSERVED = "not_observed"
    NOT_CHECKED_OFFLINE = "not_checked_offline"


NOT_REACHED = "the run ended before this row"
"""The problem of a row whose test did not begin; reports do not explain such rows one by one."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of `labs.json`: documented, predicted, observed, and the status that follows.

    Attributes:
        tutorial: the tutorial's name.
        phase: the name of the lab's module without `test_NN_`.
        row: the row, with the outcomes of the run's CNI.
        predicted: what the oracle predicts; None where the API leaves it open.
        observation: what the cluster showed; None if nothing was observed.
        status: the status that follows from the three columns.
        reasons: the oracle's reasons for its prediction.
        problem: what differs, or why the row was not checked; else empty.
        next_step: what a person can do about the problem.
        seconds: how long the row's test took.
        order: the row's place in the run.
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


CONTROLS = {
    Outcome.TIMEOUT: frozenset({Outcome.CONNECTED}),
    # A name server's negative answer shows that the question went through. A connection by name
    # shows it as well.
    Outcome.DNS_TIMEOUT: frozenset(
        {Outcome.RESOLVED, Outcome.DNS_NXDOMAIN, Outcome.DNS_NODATA, Outcome.CONNECTED}
    ),
}
"""The outcomes that the same flow must show without policies for its silence to count."""


def status_of(
    row: Row, predicted: Reading | None, observation: Observation | None
) -> tuple[Status, str]:
    """The status of a row, and a sentence about the problem, if there is one.

    Silence counts only with a positive control. Attempts that disagree, or that nobody known
    answered, give no verdict: the row neither passes nor fails.
    """
    if observation is None:
        return Status.NOT_CHECKED, "nothing was observed"
    seen = observation.reading
    if seen.outcome is Outcome.UNSTABLE:
        why = "; ".join(observation.notes) or "the attempts disagree with each other"
        return Status.NOT_CHECKED, f"{why}, so there is no verdict"
    if not seen.satisfies(row.outcome):
        return Status.FAIL, f"expected {row.outcome}, observed {seen}"
    # A row that follows `CniProfile` may show a CNI that departs from the API's rules.
    if predicted is not None and not any(row.lines) and not seen.satisfies(predicted):
        return Status.FAIL, f"the policies predict {predicted}, observed {seen}"
    if seen.outcome in CONTROLS and not _controlled(seen, observation.control):
        had = observation.control or "none"
        return Status.NOT_CHECKED, f"silence lacks a positive control (without policies: {had})"
    return (Status.ERRATUM if row.erratum else Status.PASS), ""


def offline_status_of(row: Row, predicted: Reading | None) -> tuple[Status, str]:
    """The status of a row in a run without a cluster, and in words what is wrong or missing.

    The table and the prediction are compared; nothing here says what a cluster does.
    """
    if predicted is None:
        return Status.NOT_CHECKED_OFFLINE, "only a cluster can show this"
    if not predicted.satisfies(row.outcome):
        if any(row.lines):
            return Status.NOT_CHECKED_OFFLINE, "this CNI departs from the API here"
        return Status.FAIL, f"the table expects {row.outcome}, the policies predict {predicted}"
    if row.erratum and predicted.satisfies(row.documented):
        return Status.FAIL, "an erratum refutes the tutorial, and the policies predict what it says"
    return Status.NOT_OBSERVED, ""


@dataclass(frozen=True, slots=True, eq=False)
class Unobserved:
    """A row's prediction, in the place of an observation where there is no cluster.

    To compare it with a reading is to compare the table with the prediction.
    """

    row: Row
    predicted: Reading | None

    def verdict(self) -> tuple[Status, str]:
        """The status of the row, and in words what is wrong."""
        return offline_status_of(self.row, self.predicted)

    def __eq__(self, expected: object) -> bool:
        if not isinstance(expected, Reading):
            return NotImplemented
        wanted = replace(self, row=replace(self.row, actual=expected))
        return wanted.verdict()[0] is Status.NOT_OBSERVED

    __hash__ = None  # type: ignore[assignment]  # equal to every reading that it satisfies

    def __repr__(self) -> str:
        return str(self.predicted)


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The observation for a row. A comparison with a reading (`==`) judges the row.

    `observed == row.outcome` is true only if outcome and detail fit, the policies predict the same,
    and silence has its positive control (`status_of`).
    """

    row: Row
    predicted: Reading | None
    observation: Observation

    @property
    def reading(self) -> Reading:
        """The outcome that was observed, with its detail."""
        return self.observation.reading

    def verdict(self) -> tuple[Status, str]:
        """The status of the row, and a sentence about the problem, if there is one."""
        return status_of(self.row, self.predicted, self.observation)

    def __eq__(self, expected: object) -> bool:
        if not isinstance(expected, Reading):
            return NotImplemented
        wanted = replace(self, row=replace(self.row, actual=expected))
        return wanted.verdict()[0] in (Status.PASS, Status.ERRATUM)

    __hash__ = None  # type: ignore[assignment]  # equal to every reading that it satisfies

    def __repr__(self) -> str:
        return str(self.reading)


def _controlled(silent: Reading, control: Reading | None) -> bool:
    return control is not None and control.outcome in CONTROLS[silent.outcome]
