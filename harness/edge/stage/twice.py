"""Differences between prediction and cluster are asked about once more (docs/adr/0030)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from harness.core.observation import Answer, Observation
from harness.core.target.ask import Ask
from harness.errors import ProbeError

Seen = Answer[Observation]


def asked_again(
    found: Mapping[Ask, Seen],
    differs: Callable[[Ask, Seen], bool],
    read: Callable[[Collection[Ask]], Mapping[Ask, Seen]],
    fence: Callable[[], None],
) -> dict[Ask, Seen]:
    """The flows that differ from their prediction, once more when all changes are in force.

    All flows are read again, for one may show something only while another is asked. A difference
    stays if it is still there. One that is gone shows that something changed in the meantime, so
    there is no verdict.
    """
    wrong = {ask: seen for ask, seen in found.items() if differs(ask, seen)}
    if not wrong:
        return {}
    fence()
    again = read(found)
    return {
        ask: seen if differs(ask, again[ask]) else _not_twice(ask, seen, again[ask])
        for ask, seen in wrong.items()
    }


def _not_twice(ask: Ask, first: Seen, second: Seen) -> Seen:
    if second.value is None:
        return second
    shown = [str(seen.value.reading) for seen in (first, second) if seen.value]
    error = ProbeError(
        "the flow did not show the same twice, so there is no verdict",
        where=str(ask),
        seen=f"{shown[0]}, and {shown[1]} when it was asked again",
        try_="run it again; the machine may be overloaded, or the CNI let a packet slip",
    )
    return Answer(problem=error)
