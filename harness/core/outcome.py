"""What a client saw (Outcome) and what policy says (Verdict): two things, never mixed.

A third value is never folded into pass or fail: a broken tool raises ProbeError, mixed answers and
those of nobody known are UNSTABLE, and neither satisfies anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the policies say of a flow.

    SOME: the connection passes, but only a part of the requests on it, such as the ones that an
    HTTP rule names. UNDEFINED: the API leaves it to the implementation, or it hangs on something
    that is not known.
    """

    ALLOW = "allow"
    SOME = "some"
    DENY = "deny"
    UNDEFINED = "undefined"


class Outcome(StrEnum):
    """What a client saw of a connection, of a name, or (SHOWS) of a text or a count.

    ONE_WAY: the client saw silence, but the datagram arrived: only its answer was lost.
    FAMILIES_DIFFER: over IPv4 the flow showed something else than over IPv6.
    """

    CONNECTED = "connected"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    WRONG_PEER = "wrong_peer"
    ONE_WAY = "one_way"
    FAMILIES_DIFFER = "families_differ"
    RESOLVED = "resolved"
    DNS_NXDOMAIN = "dns_nxdomain"
    DNS_NODATA = "dns_nodata"
    DNS_SERVFAIL = "dns_servfail"
    DNS_REFUSED = "dns_refused"
    DNS_TIMEOUT = "dns_timeout"
    SHOWS = "shows"
    UNSTABLE = "unstable"


SILENT = frozenset({Outcome.TIMEOUT, Outcome.DNS_TIMEOUT})
"""Outcomes that silence explains, and that therefore need a positive control."""

MEANING: Mapping[Outcome, str] = {
    Outcome.CONNECTED: "the server answered",
    Outcome.TIMEOUT: "nothing came back: something dropped the packets",
    Outcome.REFUSED: "the packets arrived, but no program listens on that port",
    Outcome.RESET: "the connection was cut off",
    Outcome.WRONG_PEER: "the answer came from another pod than the pod that was asked",
    Outcome.ONE_WAY: "the client saw silence, but its datagram arrived",
    Outcome.FAMILIES_DIFFER: "over IPv4 the flow showed something else than over IPv6",
    Outcome.RESOLVED: "the name server gave an answer",
    Outcome.DNS_NXDOMAIN: "the name does not exist",
    Outcome.DNS_NODATA: "the name exists, but it has no record of this type",
    Outcome.DNS_SERVFAIL: "the name server could not find the answer",
    Outcome.DNS_REFUSED: "the name server, or a proxy before it, refused to answer",
    Outcome.DNS_TIMEOUT: "the name server did not answer",
    Outcome.SHOWS: "a text or a number was read; it stands after the word",
    Outcome.UNSTABLE: "the attempts disagreed, or nobody said who answered: no verdict",
}
"""Each outcome in a sentence for people: reports and labs/WORDS.md explain it in these words."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer of a row: an outcome, and its detail where the outcome alone does not tell enough.

    The detail of RESOLVED is the answer (`0 100 80 api.ns.svc.cluster.local.`), of SHOWS the text
    or the count, of FAMILIES_DIFFER what each family showed, of CONNECTED how many of the attempts
    were, where silence was right; elsewhere it is empty.
    """

    outcome: Outcome
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.outcome} {self.detail}".strip()

    def satisfies(self, expected: Reading) -> bool:
        """Whether this observed reading is what `expected` asks for.

        An expectation without a detail accepts any; with one, it must be the same. UNSTABLE
        satisfies nothing, not even itself.
        """
        if Outcome.UNSTABLE in (self.outcome, expected.outcome):
            return False
        if self.outcome is not expected.outcome:
            return False
        return not expected.detail or expected.detail == self.detail
