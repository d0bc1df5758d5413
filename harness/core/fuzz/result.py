"""What a case of the fuzz showed: where the oracle and the cluster agree, and where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.ask import Ask
from harness.core.fuzz.cases import PREFIX, Case
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import Scenario
from harness.core.target import PodPort, PodRef, ports_of
from harness.errors import ProbeError


@dataclass(frozen=True, slots=True)
class Cell:
    """One flow that the two see differently, with the oracle's reasons."""

    source: PodRef
    target: PodPort
    predicted: Reading
    observed: Reading
    reasons: tuple[str, ...]

    @property
    def flow(self) -> str:
        """The flow, as tests/corpus writes it, with its worker's namespaces."""
        return f"{self.source} -> {self.target.pod}:{self.target.port}/{self.target.protocol}"


@dataclass(frozen=True, slots=True)
class Judged:
    """One case's flows: agreed, left open by the oracle, without a verdict, and disagreed."""

    case: Case
    agreed: int = 0
    open: int = 0
    no_verdict: tuple[str, ...] = ()
    disagreed: tuple[Cell, ...] = ()


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


def judge(case: Case, scenario: Scenario, seen: Mapping[Ask, Observation | ProbeError]) -> Judged:
    """Compare what was seen of all decided flows; a flow that was not seen has no verdict."""
    expected = decided(scenario)
    agreed, lost, wrong = 0, [], []
    for ask, reading in expected.items():
        found = seen.get(ask)
        if not isinstance(found, Observation) or found.reading.outcome is Outcome.UNSTABLE:
            lost.append(f"{ask}: {_why(found)}")
        elif found.reading.satisfies(reading):
            agreed += 1
        else:
            wrong.append(_cell(scenario, ask, reading, found.reading))
    return Judged(case, agreed, len(asks_of(scenario)) - len(expected), tuple(lost), tuple(wrong))


def _why(found: Observation | ProbeError | None) -> str:
    if isinstance(found, Observation):
        return str(found.reading)
    return f"{found.what} {found.seen}".strip() if found else "not looked at"


def _cell(scenario: Scenario, ask: Ask, predicted: Reading, observed: Reading) -> Cell:
    assert isinstance(ask.target, PodPort)  # noqa: S101 - asks_of makes no other
    return Cell(ask.source, ask.target, predicted, observed, scenario.predict(ask).reasons)


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
