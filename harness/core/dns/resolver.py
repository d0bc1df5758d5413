"""How the resolver of a program goes through its questions, as glibc does it.

Source: glibc's res_nsearch, and its behaviour in the toolbox image, which a row of a lab shows.
Other libraries may differ: Cilium's documentation says that musl gives up after a refusal, which
has not been tried here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.core.dns.question import Question
from harness.core.outcome import Outcome, Reading

NXDOMAIN = Reading(Outcome.DNS_NXDOMAIN)
NODATA = Reading(Outcome.DNS_NODATA)


def walk(
    plan: Sequence[Question], as_is: str, lookup: Callable[[Question], Reading]
) -> tuple[Reading, tuple[Question, ...]]:
    """The result of a lookup, and the questions asked; `as_is` is the name without a suffix.

    The first address ends the lookup. After a name that does not exist, or has no address, the next
    name is asked. After SERVFAIL the next name is asked, too. Any other failure ends the search,
    and only the name `as_is` may still be asked. Without an address, the program gets the first
    failure; without a failure NODATA if a name existed, else NXDOMAIN.
    """
    rest, asked = list(plan), []
    failure: Reading | None = None
    existed = False
    while rest:
        question = rest.pop(0)
        asked.append(question)
        reading = lookup(question)
        if reading.outcome in (Outcome.RESOLVED, Outcome.UNSTABLE):
            return reading, tuple(asked)
        if reading.outcome in (Outcome.DNS_NXDOMAIN, Outcome.DNS_NODATA):
            existed = existed or reading.outcome is Outcome.DNS_NODATA
            continue
        failure = failure or reading
        if reading.outcome is not Outcome.DNS_SERVFAIL:
            rest = [question for question in rest if question.qname == as_is]
    return failure or (NODATA if existed else NXDOMAIN), tuple(asked)
