"""The one judgement: what the sockets of an ask and their controls add up to.

Labs, made-up policies, matrices and measurements all come here. An answer must prove who gave it: a
listener of policylab by its name and the nonce of this very probe, a tutorial's own server by the
name that it bears. Silence must be earned: the target must answer itself in the same round, inside
its own network namespace, where no policy acts; so a dead server is never taken for a denial. Where
a listener of policylab stands, it also says whether the datagram arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.core.dns.question import Question
from harness.core.dns.resolver import walk
from harness.core.dns.wire import decode
from harness.core.observation import (
    ANSWERED,
    Answer,
    Asked,
    Attempt,
    Observation,
    Phase,
    Resolution,
)
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.probe.attempts import JUDGE, Attempts, Item, Pace, classify
from harness.core.probe.greeting import reply_of
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.errors import ProbeError, StarvedListenerError

IDENT = 0x1AB5
"""The number of every DNS message that is asked (RFC 1035 4.1.1, ID)."""

MAX_LATE_MS = 100.0
"""A listener that took a datagram this late may have answered too late: that is no lost answer."""

ALIVE = frozenset({Outcome.CONNECTED, Outcome.REFUSED, Outcome.RESET, Outcome.ONE_WAY})
"""What a target shows to itself if somebody is there; a mute listener shows ONE_WAY."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Who may answer a flow.

    `names` are the names that an answer may bear; if empty, any. A `nonce` says that a listener of
    policylab stands there: its answer must bear one of the names and this nonce.
    """

    names: frozenset[str] = frozenset()
    nonce: str = ""


ANYBODY = Expected()


@dataclass(frozen=True, slots=True)
class Plan:
    """What one ask sends in a round, and what may come back.

    A lookup has a `question` for each item, in the order in which a resolver asks them, for the
    absolute name `name`; a connection has one item. `control` is the target, if it can connect to
    itself in the same round.
    """

    ask: Ask
    items: tuple[Item, ...]
    pace: Pace = JUDGE
    expected: Expected = ANYBODY
    control: PodPort | None = None
    questions: tuple[Question, ...] = ()
    name: str = ""

    @property
    def where(self) -> str:
        """The flow with its real address, for the `where` of an error."""
        item = self.items[0]
        return f"{self.ask} ({item.address}:{item.port}/{item.protocol})"


def connection(
    plan: Plan,
    attempts: Sequence[Attempt],
    *,
    own: Answer[Observation] | None = None,
    late_ms: float | None = None,
) -> Observation:
    """What a connection showed.

    `own` is what the target showed to itself in the same round, None where it was not asked.
    `late_ms` is how long the listener of policylab left the datagram waiting; None if it received
    none, or there is no such listener.

    Raises:
        ProbeError: the sockets give no verdict, or the target is dead.
    """
    counted = plan.pace.counted(attempts)
    outcome = classify(counted, wanted=plan.pace.needed, where=plan.where)
    seen = Observation(
        Reading(outcome),
        attempts=tuple(attempts),
        address=plan.items[0].address,
        own=_own(own),
    )
    match outcome:
        case Outcome.CONNECTED:
            return _identified(plan, seen, counted)
        case Outcome.TIMEOUT:
            # While a change is polled, the listener may have heard an earlier attempt of the round.
            answered = any(attempt.phase in ANSWERED for attempt in attempts)
            return _silent(plan, seen, own, None if answered else late_ms)
        case Outcome.UNSTABLE:
            phases = ", ".join(attempt.phase for attempt in counted)
            return replace(seen, notes=(f"the attempts disagree: {phases}",))
    return seen


def _own(own: Answer[Observation] | None) -> Reading | None:
    if own is None:
        return None
    return own.value.reading if own.value else Reading(Outcome.UNSTABLE)


def _identified(plan: Plan, seen: Observation, counted: Sequence[Attempt]) -> Observation:
    """Whether the answer came from one who may answer, as far as it says."""
    expected = plan.expected
    named = [reply for reply in (reply_of(a.data) for a in counted) if reply.name]
    if not named:
        if not expected.nonce:
            return seen
        # The listener is starved, or a policy lets the handshake pass and nothing after it.
        note = "the connection was accepted, and no listener of policylab said who it is"
        return replace(seen, reading=Reading(Outcome.UNSTABLE), notes=(note,))
    for reply in named:
        if expected.names and reply.name not in expected.names:
            note = f"{reply.name} answered, not {' or '.join(sorted(expected.names))}"
        elif expected.nonce and reply.nonce != expected.nonce:
            note = f"{reply.name} answered another probe than this one"
        else:
            continue
        wrong = Reading(Outcome.WRONG_PEER)
        return replace(seen, reading=wrong, peer=reply.name, notes=(note,))
    return replace(seen, peer=named[0].name)


def _silent(
    plan: Plan, seen: Observation, own: Answer[Observation] | None, late_ms: float | None
) -> Observation:
    """Silence, if somebody is there who could have answered, and did not hear the request."""
    if late_ms is not None:
        if late_ms > MAX_LATE_MS:
            raise StarvedListenerError(
                "the datagram arrived, but the listener was starved and may have answered too late",
                where=plan.where,
                seen=f"it waited {late_ms:.0f} ms, {MAX_LATE_MS:.0f} ms are allowed",
            )
        return replace(seen, reading=Reading(Outcome.ONE_WAY))
    if own is not None and (shown := own.unwrap().reading.outcome) not in ALIVE:
        raise ProbeError(
            "the target does not answer itself either, so its silence says nothing of policy",
            where=plan.where,
            seen=f"it shows itself {shown}",
        )
    return seen


def names(plan: Plan, answer: Attempts) -> Observation:
    """What the questions of a lookup add up to, as the pod's resolver takes them one by one.

    Raises:
        ProbeError: the sockets give no verdict.
    """
    items = dict(zip(plan.questions, plan.items, strict=True))
    asked: list[Asked] = []

    def lookup(question: Question) -> Reading:
        attempts = answer[items[question].id]
        reading = _name_reading(plan, question, plan.pace.counted(attempts))
        asked.append(Asked(question.qname, question.rdtype, reading, tuple(attempts)))
        return reading

    reading, _ = walk(plan.questions, plan.name, lookup)
    return Observation(
        reading,
        attempts=asked[-1].attempts,
        resolution=Resolution(plan.items[0].address, tuple(asked)),
    )


def _name_reading(plan: Plan, question: Question, attempts: Sequence[Attempt]) -> Reading:
    outcome = classify(attempts, wanted=plan.pace.needed, where=plan.where)
    match outcome:
        case Outcome.TIMEOUT:
            return Reading(Outcome.DNS_TIMEOUT)
        case Outcome.CONNECTED:
            data = next(attempt.data for attempt in attempts if attempt.phase is Phase.ANSWERED)
            # Over TCP a message comes after its length (RFC 1035 4.2.2).
            message = data[2:] if plan.items[0].protocol == "tcp" else data
            return decode(message, question, ident=IDENT).reading
        case Outcome.REFUSED | Outcome.RESET:
            return Reading(outcome)
    return Reading(Outcome.UNSTABLE)


def resolved_first(name: Observation, seen: Observation) -> Observation:
    """A connection's observation, with the lookup that came before it."""
    note = f"resolved to {name.reading.detail}"
    return replace(seen, resolution=name.resolution, notes=(note, *seen.notes))


def verdict(seen: Observation) -> Verdict | None:
    """What the policies do with the flow, by what was seen of it; None if that does not tell.

    A refusal by a target that refuses itself as well came from that target, so the flow reached it;
    a refusal for a port that is open was sent by something between. Where the target could not be
    asked, a refusal is taken for its own.
    """
    match seen.reading.outcome:
        case Outcome.TIMEOUT | Outcome.DNS_TIMEOUT:
            return Verdict.DENY
        case Outcome.REFUSED | Outcome.RESET:
            return _refused(seen.reading.outcome, seen.own)
        case Outcome.UNSTABLE | Outcome.WRONG_PEER | Outcome.ONE_WAY:
            return None
        case Outcome.FAMILIES_DIFFER | Outcome.SHOWS:
            return None
    return Verdict.ALLOW


def _refused(outcome: Outcome, own: Reading | None) -> Verdict | None:
    if own is None or own.outcome is outcome:
        return Verdict.ALLOW
    between = (outcome, own.outcome) == (Outcome.REFUSED, Outcome.CONNECTED)
    return Verdict.DENY if between else None


def passes(seen: Observation) -> bool:
    """Whether the flow got through.

    Raises:
        ProbeError: there is no verdict.
    """
    found = verdict(seen)
    if found is None:
        raise ProbeError(
            "there is no verdict of the flow",
            seen="; ".join([str(seen.reading), *seen.notes]),
        )
    return found is Verdict.ALLOW
