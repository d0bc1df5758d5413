"""What becomes of every flow: the seam `Judge`, and the oracle as a judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol as Interface

from harness.core.compare.world import EndClass, Kind
from harness.core.grading.judging.tightness import too_wide
from harness.core.grading.model import Got, Heard, Mode, Row, Submission, Want
from harness.core.grading.world import World, pair_end
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import policies_of
from harness.core.model import PodRef
from harness.core.outcome import Outcome, Verdict
from harness.core.predict.enforced import policies_as_enforced
from harness.core.predict.scenario import Scenario
from harness.core.target import NamePort
from harness.core.target.ask import Ask

ANOTHER = "another pod like"
"""How a twin is called: `another pod like shop/web`."""

_PASSING = frozenset({Outcome.CONNECTED, Outcome.REFUSED, Outcome.RESET})


class Judge(Interface):
    """Says what becomes of every flow of an assignment under a submission's policies."""

    @property
    def mode(self) -> Mode:
        """How it knows."""
        ...

    def hear(self, world: World, submission: Submission) -> Iterator[Heard]:
        """Every flow that has an end in the assignment's namespaces, each with its row."""
        ...

    def too_wide(self, world: World, submission: Submission) -> list[str]:
        """The rules that are too wide at one side alone, each in a sentence."""
        ...


class Predicted:
    """The oracle, as one CNI enforces policies. It has seen no cluster.

    A flow is asked if an end of it is in a namespace that submissions may write to: no policy of
    theirs decides about any other.
    """

    mode = Mode.PREDICT

    def __init__(self, profile: CniProfile) -> None:
        self._profile = profile

    def hear(self, world: World, submission: Submission) -> Iterator[Heard]:
        """Every flow, pair by pair, in the order of names."""
        policies = policies_as_enforced(policies_of(submission.resources), self._profile)
        rows = world.rows()
        closed = world.closed(policies, rows)
        decides = {row.id: row for row in world.assignment.all_rows}
        lookups = _Lookups(world, submission)
        named = frozenset(rows.names)
        ends = [(end, *called(end, named)) for end in closed.ends]
        ours = [home_of(end) in world.assignment.namespaces for end in closed.ends]
        rest = world.assignment.rest
        for source, (sender, from_name, from_pair) in zip(ours, ends, strict=True):
            for target, (receiver, to_name, to_pair) in zip(ours, ends, strict=True):
                if not source and not target:
                    continue
                own = sender is receiver
                text = f"{ANOTHER} {to_name}" if own else to_name
                pair = from_pair, f"{ANOTHER} {to_pair}" if own else to_pair
                for port in closed.ports(receiver):
                    verdict = closed.verdict(0, sender, receiver, port)
                    if verdict is None:
                        continue
                    ids = rows.of(sender, receiver, port)
                    row = decides[ids[0]] if ids else rest
                    got = _SURE.get(verdict) or _got(verdict, row)
                    if lookups.targets and got is Got.OPEN and receiver.kind is Kind.OUTSIDE:
                        got = lookups.then(sender, receiver, port.number, row)
                    yield Heard(from_name, text, port.number, port.protocol, row, got, pair)

    def too_wide(self, world: World, submission: Submission) -> list[str]:
        """The rules that are too wide at one side alone, each in a sentence."""
        return too_wide(world, submission, self._profile)


_SURE = {Verdict.ALLOW: Got.OPEN, Verdict.DENY: Got.CLOSED}


def _got(verdict: Verdict, row: Row) -> Got:
    """A flow of which only some requests pass is not what a row wants, whatever it wants."""
    if verdict is Verdict.SOME:
        return Got.CLOSED if row.want is Want.OPEN else Got.OPEN
    return Got.NO_VERDICT


class _Lookups:
    """What comes before a connection to a name: the row wants the pod to look it up as well."""

    def __init__(self, world: World, submission: Submission) -> None:
        self.targets: Mapping[tuple[str, int], NamePort] = {
            (target.name, target.port): target for target in world.names
        }
        self._scenario: Scenario | None = None
        self._of = world, submission

    def then(self, sender: EndClass, receiver: EndClass, port: int, row: Row) -> Got:
        target = self.targets.get((receiver.names[0], port))
        if target is None or f"{target}" not in row.targets or sender.kind is not Kind.POD:
            return Got.OPEN
        if self._scenario is None:
            world, submission = self._of
            self._scenario = world.scenario(submission)
        namespace, _, name = sender.names[0].partition("/")
        reading = self._scenario.predict(Ask(PodRef(namespace, name), target)).reading
        if reading is None:
            return Got.NO_VERDICT
        return Got.OPEN if reading.outcome in _PASSING else Got.CLOSED


def home_of(end: EndClass) -> str:
    """The namespace of an end; empty for ends that are no pods."""
    return end.names[0].partition("/")[0] if end.kind is Kind.POD else ""


def called(end: EndClass, named: frozenset[str]) -> tuple[str, str]:
    """An end in words, and as pairs count it; `named` are the names outside that rows name."""
    name = end.names[0]
    if end.kind is Kind.POD:
        return name, name
    shown = next(pair[0] for pair in end.shown if pair is not None)
    text = f"net/{shown.ip}" if end.networks else f"net/{name}"
    return text, pair_end(end.kind, name, named)
