"""The result of a case: the flows about which oracle and cluster agree, and the other flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.fuzz.cases import PREFIX, Case
from harness.core.observation import ANSWERED, Answer, Observation
from harness.core.outcome import SILENT, Outcome, Reading
from harness.core.predict.scenario import Scenario
from harness.core.target import ports_of
from harness.core.target.ask import Ask
from harness.errors import ProbeError

LATE_SECONDS = 3.0
"""A case whose policies came into force later than this is late, unless the user says otherwise."""

NOT_SEEN: Answer[Observation] = Answer(problem=ProbeError("not looked at"))


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A flow about which the oracle and the cluster disagree.

    Attributes:
        ask: the client and the target.
        predicted: the oracle's reading.
        observed: the cluster's reading.
        reasons: the oracle's reasons for its prediction.
    """

    ask: Ask
    predicted: Reading
    observed: Reading
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of one case.

    Attributes:
        case: the case.
        agreed: the number of flows about which the oracle and the cluster agree.
        open: the number of flows that the oracle leaves open.
        no_verdict: the flows without a verdict, each with the reason.
        disagreed: the flows about which the two disagree.
        in_force_ms: the time from the API server's acknowledgement until the last flow had
            flipped, in ms; None if the case flips no flow, for then nothing shows the time.
    """

    case: Case
    agreed: int = 0
    open: int = 0
    no_verdict: tuple[str, ...] = ()
    disagreed: tuple[Disagreement, ...] = ()
    in_force_ms: float | None = None

    def is_late(self, seconds: float = LATE_SECONDS) -> bool:
        """Whether its policies are known to have come into force later than this."""
        return self.in_force_ms is not None and self.in_force_ms > seconds * 1000


def asks_of(scenario: Scenario) -> tuple[Ask, ...]:
    """All flows from each pod of the case to each port of every other pod."""
    pods = [pod for pod in scenario.topology.pods.values() if pod.namespace.startswith(PREFIX)]
    return tuple(
        Ask(source.ref, port)
        for source in pods
        for target in pods
        if source is not target
        for port in ports_of(target)
    )


def decided(scenario: Scenario) -> dict[Ask, Reading]:
    """The flows that the oracle does not leave open, with the predicted reading of each."""
    found = {ask: scenario.predict(ask).reading for ask in asks_of(scenario)}
    return {ask: reading for ask, reading in found.items() if reading is not None}


def judge(case: Case, scenario: Scenario, seen: Mapping[Ask, Answer[Observation]]) -> Judged:
    """Compare predictions and observations; a flow without an observation has no verdict."""
    asks, expected = asks_of(scenario), decided(scenario)
    agreed, lost, wrong = 0, [], []
    for ask, predicted in expected.items():
        try:
            shown = observed(seen.get(ask, NOT_SEEN).unwrap(), predicted)
        except ProbeError as error:
            lost.append(f"{ask}: {error.what} {error.seen}".strip())
            continue
        if shown.satisfies(predicted):
            agreed += 1
        else:
            reasons = scenario.predict(ask).reasons
            wrong.append(Disagreement(ask, predicted, shown, reasons))
    return Judged(case, agreed, len(asks) - len(expected), tuple(lost), tuple(wrong))


def observed(seen: Observation, predicted: Reading) -> Reading:
    """The observed reading, if it says anything about policies.

    Attempts that disagree are no verdict, with one exception: where silence is predicted, an
    attempt that got through is a leak, even if only its handshake did. No machine is so busy that
    it opens a connection.

    Raises:
        ProbeError: the attempts disagree, or the target refuses its own connection, because its
            server is missing.
    """
    if seen.reading.outcome is Outcome.UNSTABLE:
        through = sum(attempt.phase in ANSWERED for attempt in seen.attempts)
        if through and predicted.outcome in SILENT:
            return Reading(Outcome.CONNECTED, f"in {through} of {len(seen.attempts)} attempts")
        raise ProbeError("unstable", seen="; ".join(seen.notes))
    if seen.own and seen.own.outcome is Outcome.REFUSED:
        raise ProbeError("the target refuses a connection from itself")
    return seen.reading


def differs(predicted: Reading, seen: Answer[Observation]) -> bool:
    """Whether a flow certainly shows something else than is predicted."""
    try:
        return not observed(seen.unwrap(), predicted).satisfies(predicted)
    except ProbeError:
        return False


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a run.

    Attributes:
        cases: the number of cases.
        policies: the number of policies in them.
        agreed: the number of flows about which the oracle and the cluster agree.
        open: the number of flows that the oracle leaves open.
        no_verdict: the number of flows without a verdict.
        disagreed: the number of flows about which the two disagree.
    """

    cases: int
    policies: int
    agreed: int
    open: int
    no_verdict: int
    disagreed: int

    @property
    def cells(self) -> int:
        """The number of all flows, with or without a verdict."""
        return self.agreed + self.open + self.no_verdict + self.disagreed


def totals(judged: Iterable[Judged]) -> Totals:
    """Add up the cases of a run."""
    judged = tuple(judged)
    return Totals(
        len(judged),
        sum(len(j.case.policies) for j in judged),
        sum(j.agreed for j in judged),
        sum(j.open for j in judged),
        sum(len(j.no_verdict) for j in judged),
        sum(len(j.disagreed) for j in judged),
    )
