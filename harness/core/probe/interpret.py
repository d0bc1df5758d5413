"""What the sockets of one ask add up to: an observation, or no verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.ask import Ask
from harness.core.dns.question import Question, absolute
from harness.core.dns.resolver import walk
from harness.core.dns.wire import decode
from harness.core.observation import Attempt, Observation, Phase
from harness.core.outcome import Outcome, Reading
from harness.core.probe.attempts import DEADLINE, OFFSETS, Attempts, Item, classify
from harness.core.probe.greeting import reply_of
from harness.core.target import DnsQuery, Lookup, NamePort, PodRef
from harness.errors import ProbeError

IDENT = 0x1AB5


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a round is: the attempts' offsets and the round's deadline, in seconds.

    `latest`: only the last attempt counts, and the first answer ends them all; with `every` as well
    all attempts are made, whatever is answered: so a flow is seen to close between two of them.
    """

    offsets: Sequence[float] = OFFSETS
    deadline: float = DEADLINE
    latest: bool = False
    every: bool = False

    @property
    def needed(self) -> int:
        """How many attempts silence needs."""
        return 1 if self.latest else len(self.offsets)

    def counted(self, attempts: Sequence[Attempt]) -> Sequence[Attempt]:
        """The attempts that an outcome is made of."""
        return attempts[-1:] if self.latest else attempts


JUDGE = Pace()
POLL = Pace(offsets=(0.0, 0.04, 0.08, 0.12, 0.16), deadline=0.2, latest=True)
"""For polling a change: it is seen within 40 ms, whichever way it goes.

A wrong guess is corrected by the next poll, never judged.
"""


@dataclass(slots=True)
class Plan:
    """What one ask sends in a round."""

    ask: Ask
    items: list[Item] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    alive: tuple[PodRef, Item] | None = None  # the target connecting to itself
    expected: frozenset[str] = frozenset()  # names of the pods that may answer


def resolved_first(name: Observation, seen: Observation) -> Observation:
    """A connection's observation, with the lookup that came before it."""
    return replace(
        seen,
        notes=(f"resolved to {name.reading.detail}", *seen.notes),
        evidence={**seen.evidence, "dns": dict(name.evidence)},
    )


def connection(plan: Plan, answer: Attempts, alive: Reading | None, pace: Pace) -> Observation:
    """What a connection showed; `alive` is the target's answer to itself in the same round.

    Raises:
        ProbeError: the sockets give no verdict, or the target is dead.
    """
    attempts = answer[plan.items[0].id]
    outcome = classify(pace.counted(attempts), wanted=pace.needed, where=_where(plan))
    notes: tuple[str, ...] = ()
    evidence: dict[str, Any] = {"address": plan.items[0].address, "attempts": _told(attempts)}
    if alive is not None:
        evidence["target_to_itself"] = str(alive)
        if outcome is Outcome.TIMEOUT and alive.outcome is Outcome.TIMEOUT:
            raise ProbeError(
                "the target does not even answer itself, so silence says nothing of policy",
                where=_where(plan),
            )
    peer = _peer(attempts)
    if peer:
        evidence["answered_by"] = peer
        if plan.expected and peer not in plan.expected:
            outcome = Outcome.WRONG_PEER
            notes = (f"{peer} answered, not {' or '.join(sorted(plan.expected))}",)
    return Observation(Reading(outcome), notes=notes, evidence=evidence)


def names(plan: Plan, answer: Attempts, pace: Pace) -> Observation:
    """What the questions add up to, as the pod's resolver would take them one by one."""
    evidence: dict[str, Any] = {"server": plan.items[0].address, "questions": []}
    tcp = plan.items[0].protocol == "tcp"
    items = dict(zip(plan.questions, plan.items, strict=True))

    def lookup(question: Question) -> Reading:
        attempts = answer[items[question].id]
        counted, where = pace.counted(attempts), _where(plan)
        reading = _name_reading(question, counted, tcp=tcp, wanted=pace.needed, where=where)
        evidence["questions"].append(
            {
                "name": question.qname,
                "type": question.rdtype,
                "answer": str(reading),
                "attempts": _told(attempts),
            }
        )
        return reading

    target = plan.ask.target
    assert isinstance(target, (DnsQuery, Lookup, NamePort))  # noqa: S101 - nothing else has questions
    as_is = absolute(target.qname if isinstance(target, DnsQuery) else target.name)
    reading, _ = walk(plan.questions, as_is, lookup)
    return Observation(reading, evidence=evidence)


def _name_reading(
    question: Question, attempts: Sequence[Attempt], *, tcp: bool, wanted: int, where: str
) -> Reading:
    outcome = classify(attempts, wanted=wanted, where=where)
    match outcome:
        case Outcome.TIMEOUT:
            return Reading(Outcome.DNS_TIMEOUT)
        case Outcome.CONNECTED:
            data = next(attempt.data for attempt in attempts if attempt.phase is Phase.ANSWERED)
            return decode(data[2:] if tcp else data, question, ident=IDENT).reading
        case Outcome.REFUSED | Outcome.RESET:
            return Reading(outcome)
    return Reading(Outcome.UNSTABLE)


def _peer(attempts: Sequence[Attempt]) -> str:
    return next(filter(None, (reply_of(attempt.data).name for attempt in attempts)), "")


def _told(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    return [
        {"phase": a.phase, "ms": a.ms, "at": a.at, "port": a.port}
        | ({"error": a.error} if a.error else {})
        for a in attempts
    ]


def _where(plan: Plan) -> str:
    item = plan.items[0]
    return f"{plan.ask} ({item.address}:{item.port}/{item.protocol})"
