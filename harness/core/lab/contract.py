"""The contract of a row with a fact, as far as its table shows (`harness.core.target.FACTS`).

The rest of the contract is about the state of the row's step; `harness.core.predict` checks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from harness.core.outcome import Reading
from harness.core.target import FACTS, Fact, Needs
from harness.errors import OutcomeTableError


def check_fact(fact: Fact, readings: Iterable[Reading], *, command: bool, where: str) -> None:
    """Check a row of this fact, with the readings that it documents and its command (may be empty).

    Raises:
        OutcomeTableError: the fact needs a command and the row has none, or the fact can never show
            one of the readings; the message suggests the nearest possible reading.
    """
    kind = FACTS[fact.name]
    if kind.needs is Needs.COMMAND and not command:
        raise OutcomeTableError(
            f"`{fact}` needs {kind.needs}",
            where=where,
            try_="write `$ COMMAND` on the line below the row",
        )
    for reading in readings:
        if not kind.may_show(str(reading)):
            near = get_close_matches(str(reading), kind.shows, n=1, cutoff=0)
            raise OutcomeTableError(
                f"`{fact}` can never show `{reading}`",
                where=where,
                seen=f"it can show {', '.join(f'`{form}`' for form in kind.shows)}",
                try_=f"did you mean `{near[0]}`?",
            )
