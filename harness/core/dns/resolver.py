"""How a program's resolver goes through its questions: glibc's way, which is not every library's.

Source: glibc's res_nsearch, and what it does in the toolbox image (a lab's row holds it). Cilium's
documentation says of musl that it gives up after a refusal; that is not tried here.
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
    """What the questions add up to, and those that were asked; `as_is` is the name without suffix.

    An address settles it. A name that does not exist, or has no address, leads on to the next.
    After SERVFAIL the search goes on too; any other failure ends the search, and only the name as
    it is is still asked. Without an address the first failure is what the program is told; else
    NODATA if a name existed, else NXDOMAIN.
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
