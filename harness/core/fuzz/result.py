"""What a case of the fuzz showed: where the oracle and the cluster agree, and where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.ask import Ask
from harness.core.fuzz.cases import PREFIX, Case
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import Scenario
from harness.core.target import ports_of
from harness.errors import ProbeError

NOT_SEEN: Answer[Observation] = Answer(problem=ProbeError("not looked at"))


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An ask that the two answer differently, with the oracle's reasons."""

    ask: Ask
    predicted: Reading
    observed: Reading
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """One case's flows: agreed, left open by the oracle, without a verdict, and disagreed."""

    case: Case
    agreed: int = 0
    open: int = 0
    no_verdict: tuple[str, ...] = ()
    disagreed: tuple[Disagreement, ...] = ()


def asks_of(scenario: Scenario) -> tuple[Ask, ...]:
    """All made-up pods to all others, on each port that they have."""
    pods = [pod for pod in scenario.topology.pods.values() if pod.namespace.startswith(PREFIX)]
    return tuple(
        Ask(source.ref, port)
        for source in pods
        for target in pods
        if source is not target
        for port in ports_of(target)
    )


def decided(scenario: Scenario) -> dict[Ask, Reading]:
    """The flows about which the oracle says something, with the reading that they must show."""
    found = {ask: scenario.predict(ask).reading for ask in asks_of(scenario)}
    return {ask: reading for ask, reading in found.items() if reading is not None}


def judge(case: Case, scenario: Scenario, seen: Mapping[Ask, Answer[Observation]]) -> Judged:
    """Compare what was seen of all decided flows; a flow that was not seen has no verdict."""
    asks, expected = asks_of(scenario), decided(scenario)
    agreed, lost, wrong = 0, [], []
    for ask, predicted in expected.items():
        try:
            observed = _observed(seen.get(ask, NOT_SEEN).unwrap())
        except ProbeError as error:
            lost.append(f"{ask}: {error.what} {error.seen}".strip())
            continue
        if observed.satisfies(predicted):
            agreed += 1
        else:
            reasons = scenario.predict(ask).reasons
            wrong.append(Disagreement(ask, predicted, observed, reasons))
    return Judged(case, agreed, len(asks) - len(expected), tuple(lost), tuple(wrong))


def _observed(seen: Observation) -> Reading:
    """What was seen, if it tells of policies at all.

    Raises:
        ProbeError: the attempts disagree, or the target refuses itself: its server is not there.
    """
    if seen.reading.outcome is Outcome.UNSTABLE:
        raise ProbeError("unstable", seen="; ".join(seen.notes))
    if seen.own and seen.own.outcome is Outcome.REFUSED:
        raise ProbeError("the target refuses itself")
    return seen.reading


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a run."""

    cases: int
    policies: int
    agreed: int
    open: int
    no_verdict: int
    disagreed: int

    @property
    def cells(self) -> int:
        """All flows that were looked at, or should have been."""
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
