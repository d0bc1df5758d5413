"""What a check found, in words that are also those of an error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import EnvironmentFault, ToolMissing


class State(StrEnum):
    """GOOD: nothing is amiss. NOTE: something to know; the labs run. LACK: the labs do not run.

    UNKNOWN: the labs need it, and nobody can say whether it is there.
    """

    GOOD = "good"
    NOTE = "note"
    LACK = "lack"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding of one check.

    Attributes:
        name: what was checked, in a few words.
        state: how bad it is.
        what: the finding, in one sentence.
        where: the file, the program or the user that was asked.
        seen: what was read there.
        cure: what a person can do, in one sentence; empty if there is nothing to do.
    """

    name: str
    state: State
    what: str
    where: str = ""
    seen: str = ""
    cure: str = ""


def require(findings: Iterable[Finding]) -> None:
    """End with everything that is lacking; what is good or not known passes.

    Raises:
        ToolMissing: one thing is lacking.
        EnvironmentFault: several things are lacking.
    """
    lacks = [finding for finding in findings if finding.state is State.LACK]
    if not lacks:
        return
    first = lacks[0]
    if len(lacks) == 1:
        raise ToolMissing(first.what, where=first.where, seen=first.seen, try_=first.cure)
    told = [f"{each.what} ({each.seen or each.where}). {each.cure}" for each in lacks]
    raise EnvironmentFault(
        f"this machine lacks {len(lacks)} things",
        seen="\n         ".join(told),
        try_="policylab doctor shows all of them",
    )
