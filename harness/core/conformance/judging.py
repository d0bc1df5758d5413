"""What the cluster showed of a case, judged: the row of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.core.conformance.case import Case, Said, State
from harness.core.conformance.offline import READINGS
from harness.core.conformance.placing import Place
from harness.core.conformance.row import Figure, FlowSeen, Level, Row, Status
from harness.core.fuzz.result import NOT_SEEN, observed
from harness.core.observation import Answer, Observation
from harness.core.outcome import Reading
from harness.core.predict.scenario import Scenario
from harness.core.target import ExternalPort
from harness.core.target.ask import Ask
from harness.errors import HarnessError, ProbeError
from harness.listing import few

Seen = Mapping[Ask, Answer[Observation]]

ANSWERED = "answered"
"""What a connection that lives on shows."""

UNDEFINED = "undefined"
SHOWN = 3
"""Flows that the sentence of a row names; the row has all of them."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One state of a case on the cluster.

    Attributes:
        state: the state as the case has it.
        scenario: the state on the cluster, as the oracle reads it.
        seen: what the cluster showed, by the flows on the cluster.
        in_force_ms: how long the change took to come into force, if only policies changed and one
            of the case's flows flipped.
        missing: the flows that did not show it before the deadline, in words.
        held: what connections that earlier states opened showed here, by the case's own flows:
            `answered`, `closed`, or the name of the socket's error.
        sampled: sentences about the flows that were not probed; empty if all were.
    """

    state: State
    scenario: Scenario
    seen: Seen
    in_force_ms: float | None = None
    missing: str = ""
    held: Mapping[Ask, Answer[str]] = field(default_factory=dict)
    sampled: tuple[str, ...] = ()


def wanted(state: State, place: Place) -> dict[Ask, Reading]:
    """The reading that each flow on the cluster must have; not those that the API leaves open."""
    found = {place.ask(ask): READINGS[said] for ask, said in state.expected.items()}
    return {ask: reading for ask, reading in found.items() if reading is not None}


def within(state: State, asks: Iterable[Ask], place: Place) -> State:
    """The state with these flows on the cluster alone."""
    kept = set(asks)
    expected = {ask: said for ask, said in state.expected.items() if place.ask(ask) in kept}
    return replace(state, expected=expected)


def unfit(case: Case, *, outside: bool, addresses: bool = False, no_sctp: str = "") -> str:
    """Why a case cannot be run; empty if it can.

    `outside`: addresses outside are known. `addresses`: pods can ask the CNI for an address.
    `no_sctp`: what a kernel said when it was asked for SCTP; empty if it has it, or was not asked.
    """
    if case.sends_sctp and no_sctp:
        return no_sctp
    if case.asks_for_addresses and not addresses:
        return "no pod can ask this CNI for an address, so no address is certain to be used again"
    asks = (ask for state in case.states for ask in state.expected)
    if not outside and any(isinstance(ask.target, ExternalPort) for ask in asks):
        return "no address outside of this cluster is known to answer"
    return ""


def other_ground(state: State, scenario: Scenario, place: Place) -> str:
    """Where the case does not hold with this cluster's own addresses; empty if it does."""
    for ask, said in state.expected.items():
        predicted = scenario.predict(place.ask(ask)).reading
        if predicted != READINGS[said]:
            return f"{ask} would be {predicted or UNDEFINED} with the addresses of this cluster"
    return ""


def row_of(
    case: Case, looked: Iterable[Looked], place: Place, *, budget_ms: float | None, seconds: float
) -> Row:
    """The row of a case. `budget_ms` is within how many ms a change of policies must be in force.

    A flow that differs makes the case fail. Without one, a flow without a verdict leaves the case
    without a verdict.
    """
    looked = tuple(looked)
    flows = [flow for each in looked for flow in _flows(each, place)]
    connections = list(_connections(looked))
    flows += [flow for _, flow in connections if flow is not None]
    wrong = [flow for flow in flows if flow.observed]
    figures = tuple(_figures(looked, budget_ms))
    late = [str(figure) for figure in figures if figure.over]
    status, why = Status.PASSED, ""
    if wrong:
        status, why = Status.FAILED, _some(wrong)
    elif late:
        status, why = Status.FAILED, "; ".join([*late, *_missing(looked, place)])
    elif flows:
        status, why = Status.NO_VERDICT, _some(flows)
    asked = sum(len(each.state.expected) for each in looked) + len(connections)
    left_open = sum(list(each.state.expected.values()).count(Said.UNDEFINED) for each in looked)
    return replace(
        _bare(case, status, why, seconds),
        figures=figures,
        flows=tuple(flows),
        agreed=asked - left_open - sum(1 for shown, _ in connections if shown) - len(flows),
        evidence=(
            *_open(looked, place),
            *(shown for shown, _ in connections if shown),
            *_missing(looked, place),
            *dict.fromkeys(sentence for each in looked for sentence in each.sampled),
        ),
    )


def is_late_only(row: Row) -> bool:
    """Whether a row failed by nothing but the time that a change took."""
    return row.status is Status.FAILED and not any(flow.observed for flow in row.flows)


def late_once(first: Row, again: Row) -> Row:
    """The row of a case that was late, and was run again.

    As with a flow that differs, lateness stays only if it is still there: one that is gone may be
    the machine's, so there is no verdict.
    """
    if again.status is not Status.PASSED:
        return again
    times = "; then ".join(str(figure) for row in (first, again) for figure in row.figures)
    return replace(again, status=Status.NO_VERDICT, why=f"it was late once: {times}")


def lost_row(case: Case, error: HarnessError, seconds: float) -> Row:
    """The row of a case that could not be brought into force."""
    why = " ".join(f"{error.what}: {error.seen}".removesuffix(": ").split())
    return _bare(case, Status.NO_VERDICT, why, seconds)


def skipped_row(case: Case, why: str) -> Row:
    """The row of a case that was not run."""
    return _bare(case, Status.SKIPPED, why, 0.0)


def _bare(case: Case, status: Status, why: str, seconds: float) -> Row:
    return Row(
        case.name,
        case.level,
        case.features,
        status,
        why,
        case.about,
        case.source,
        seconds=seconds,
    )


def _flows(looked: Looked, place: Place) -> Iterator[FlowSeen]:
    """The flows that differ, and those without a verdict."""
    for ask, said in looked.state.expected.items():
        expected = READINGS[said]
        if expected is None:
            continue
        there = place.ask(ask)
        predicted = looked.scenario.predict(there)
        words, why = "", tuple(map(place.short, predicted.reasons))
        try:
            reading = observed(looked.seen.get(there, NOT_SEEN).unwrap(), expected)
        except ProbeError as error:
            why = (place.short(f"{error.what}: {error.seen}".removesuffix(": ")),)
        else:
            if reading.satisfies(expected):
                continue
            words = str(reading)
        prediction = str(predicted.reading or UNDEFINED)
        yield FlowSeen(looked.state.does, str(ask), str(expected), prediction, words, why)


def _connections(looked: Sequence[Looked]) -> Iterator[tuple[str, FlowSeen | None]]:
    """Each connection that was held, in each state: in words if it is left open, else its flow.

    Neither says anything where the connection lives on that must. One that policies closed in
    between is left open for good, because the CNI may have ended it then.
    """
    closed = set[Ask]()
    for each in looked:
        closed |= {a for a, said in each.state.expected.items() if said is not Said.ALLOW}
        for ask, answer in each.held.items():
            shown = answer.value or str(answer.problem and answer.problem.what)
            if ask in closed:
                does = f" ({each.state.does})" if each.state.does else ""
                yield f"left open by the API: the open connection {ask}{does} is {shown}", None
                continue
            if shown == ANSWERED:
                yield "", None
                continue
            said = str(READINGS[Said.ALLOW])
            words = shown if answer.value else ""
            flow = f"{ask}, by a connection that was open before"
            yield "", FlowSeen(each.state.does, flow, said, said, words, (shown,))


def _open(looked: Iterable[Looked], place: Place) -> Iterator[str]:
    """What the cluster did with the flows that the API leaves open."""
    for each in looked:
        for ask, said in each.state.expected.items():
            if said is Said.UNDEFINED:
                seen = each.seen.get(place.ask(ask), NOT_SEEN)
                shown = seen.value.reading if seen.value else seen.problem and seen.problem.what
                yield f"left open by the API: {ask} shows {shown}"


def _figures(looked: Iterable[Looked], budget_ms: float | None) -> Iterator[Figure]:
    times = [each.in_force_ms for each in looked if each.in_force_ms is not None]
    if times:
        yield Figure("in force after", round(max(times), 1), "ms", budget_ms)


def _missing(looked: Iterable[Looked], place: Place) -> Iterator[str]:
    """What did not show a change in time."""
    for each in looked:
        if each.missing:
            yield f"not in time: {place.short(each.missing)}"


def _some(flows: list[FlowSeen]) -> str:
    """The first flows in words."""
    found = []
    for flow in flows:
        shown = f"{flow.observed}, not {flow.expected}" if flow.observed else flow.why[0]
        found.append(f"{flow.flow}{f' ({flow.state})' if flow.state else ''}: {shown}")
    return few(found, SHOWN, "; ")


def made_up_row(
    name: str,
    agreed: int,
    flows: Sequence[FlowSeen],
    lost: Sequence[str],
    files: Mapping[str, str],
) -> Row:
    """The row of made-up policies: `flows` differ from the prediction, `lost` have no verdict."""
    status, why = Status.PASSED, ""
    if flows:
        status, why = Status.FAILED, _some(list(flows))
    elif lost:
        status, why = Status.NO_VERDICT, few(lost, SHOWN, "; ")
    return Row(
        name,
        Level.CORE,
        ("made-up",),
        status,
        why,
        "Policies that were drawn at random do what the API says.",
        flows=tuple(flows),
        agreed=agreed,
        evidence=tuple(lost),
        files=files,
    )
