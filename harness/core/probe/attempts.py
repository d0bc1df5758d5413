"""From what each socket saw to one outcome.

Silence is earned: every one of an item's staggered attempts must have been silent. Attempts that
disagree are UNSTABLE, and an error of the tool itself is a ProbeError, never a denial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.core.observation import Attempt, Phase
from harness.core.outcome import Outcome
from harness.errors import ProbeError

OFFSETS = (0.0, 0.15, 0.4)
"""Seconds after the round's start at which the attempts begin."""

DEADLINE = 1.25
"""Seconds for a round: time for the first SYN to be sent again after 1 s (RFC 6298 2.1).

An INIT of SCTP is sent again after 1 s by RFC 9260 16, but after 3 s by Linux's own default
(net.sctp.rto_initial), so not within a round. Silence does not count on it: as with UDP, the three
attempts are three packets, each from another port. If not all of them are lost, the attempts
disagree, and that is no silence. The target asks itself by the same schedule.
"""

MAX_LAG_MS = 100.0
"""A prober that ran this late measured its own starvation, not the network: the round is void."""


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


GLANCE = Pace(offsets=(0.0,), deadline=0.25, latest=True)
"""For many flows at once that should show their state already: one attempt each, so that the round
does not starve the listeners. A wrong guess is corrected by the next one, never judged.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One probe of a round. `want`: none (the handshake is enough), bytes (any answer) or dns.

    For watching a change, where only the latest attempt counts: with `first`, an answer also ends
    the attempts that are still waiting; with `every`, it ends none, not even those to come.
    """

    id: str
    protocol: str
    address: str
    port: int
    payload: bytes = b""
    want: str = "none"
    offsets: Sequence[float] = OFFSETS
    first: bool = False
    every: bool = False


def spaced(items: Sequence[Item], seconds: float) -> list[Item]:
    """The items begun one after the other over so many seconds; each keeps its patience."""
    if not seconds:
        return list(items)
    step = seconds / len(items)
    return [
        replace(item, offsets=[offset + number * step for offset in item.offsets])
        for number, item in enumerate(items)
    ]


Attempts = Mapping[str, Sequence[Attempt]]
"""The attempts of one pod's round, by the id of their item."""


def classify(attempts: Sequence[Attempt], *, wanted: int, where: str) -> Outcome:
    """One outcome for all attempts of a TCP, UDP, SCTP or ICMP item.

    `wanted` is the number of attempts that silence needs.

    Raises:
        ProbeError: no attempt was made, or one ended in an error that is no answer of the network.
    """
    if not attempts:
        raise ProbeError(
            "the prober made no attempt",
            where=where,
            try_="run it again; the machine may be overloaded",
        )
    outcomes = {_outcome(attempt, where) for attempt in attempts}
    if len(outcomes) > 1:
        return Outcome.UNSTABLE
    outcome = outcomes.pop()
    if outcome is Outcome.TIMEOUT and len(attempts) < wanted:
        raise ProbeError(
            "too few attempts to call it silence",
            where=where,
            seen=f"{len(attempts)} of {wanted} were made",
        )
    return outcome


def _outcome(attempt: Attempt, where: str) -> Outcome:
    match attempt.phase:
        case Phase.CONNECTED | Phase.ANSWERED:
            return Outcome.CONNECTED
        case Phase.TIMEOUT:
            return Outcome.TIMEOUT
        case Phase.REFUSED:
            return Outcome.REFUSED
        case Phase.RESET:
            return Outcome.RESET
    raise ProbeError(
        "the socket failed in a way that tells nothing of policy",
        where=where,
        seen=attempt.error or attempt.phase,
        try_="ENETUNREACH and EHOSTUNREACH: is the target running? EMFILE: fewer flows at once; "
        "EPROTONOSUPPORT: the kernel does not have the protocol",
    )
