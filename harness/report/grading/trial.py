"""What a trial of a grader found, in a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.core.grading.mutation.trial import Found, Tried, by_rule, tally
from harness.core.grading.telling.plain import plain

MAX_WHY = 400
BAD = (Found.MISSED, Found.REJECTED, Found.UNSURE)


def case_text(tried: Tried) -> str:
    """One variant in a line: what the answer was worth, what the variant is, and why."""
    why = plain(tried.why, MAX_WHY)
    text = f"{tried.found}: {tried.variant.name}: {plain(tried.variant.what, MAX_WHY)}"
    return f"{text} ({why})" if why else text


def summary_text(tried: Sequence[Tried]) -> Iterator[str]:
    """How many were caught and accepted, in sentences."""
    counts = tally(tried)
    caught, missed = counts[Found.CAUGHT], counts[Found.MISSED]
    accepted, rejected = counts[Found.ACCEPTED], counts[Found.REJECTED]
    share = f" ({100 * caught / (caught + missed):.0f} %)" if caught + missed else ""
    yield f"It caught {caught} of {caught + missed} wrong variants{share}."
    yield f"It accepted {accepted} of {accepted + rejected} right variants."
    if counts[Found.EQUAL]:
        yield f"{counts[Found.EQUAL]} more variants change no flow, and do not count."
    if counts[Found.UNSURE]:
        yield f"It gave no answer about {counts[Found.UNSURE]} variants, which do not count."


def rules_text(tried: Sequence[Tried]) -> Iterator[str]:
    """The rules of which some variant was not caught."""
    for rule, caught, of in by_rule(tried):
        if caught < of:
            yield f"  {rule}: {caught} of {of}"


def trial_document(assignment: str, grader: str, tried: Sequence[Tried]) -> dict[str, Any]:
    """The trial of one grader as JSON has it."""
    counts = tally(tried)
    return {
        "schema_version": 1,
        "assignment": assignment,
        "grader": grader,
        "counts": {found.name.lower(): number for found, number in counts.items()},
        "variants": [
            {
                "name": one.variant.name,
                "rule": one.variant.rule,
                "right": one.variant.right,
                "what": one.variant.what,
                "found": one.found.name.lower(),
                "why": one.why,
            }
            for one in tried
        ],
    }
