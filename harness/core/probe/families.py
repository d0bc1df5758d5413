"""One answer from two: a flow is asked over each family of addresses that its ends have.

Policies are about pods, not about families, so both must show the same. A flow whose families
differ satisfies no expectation, as no reading of a table means that: one family was forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.core.observation import Answer, Observation, Resolution
from harness.core.outcome import Outcome, Reading
from harness.core.target.family import Family

WORDS: Mapping[Outcome, str] = {
    Outcome.CONNECTED: "it connects",
    Outcome.TIMEOUT: "nothing comes back",
    Outcome.REFUSED: "it is refused",
    Outcome.RESET: "it is cut off",
}
"""What a client saw over one family, in words that follow `over IPv6`."""


def joined(found: Mapping[Family, Answer[Observation]]) -> Observation:
    """What a flow shows, from what it shows over each family.

    A name that has no address in one family, and one in the other, is reached over the other.

    Raises:
        ProbeError: over one family there is no verdict.
    """
    seen = {family: answer.unwrap() for family, answer in found.items()}
    if len(seen) == 1:
        (only,) = seen.values()
        return only
    there = {f: each for f, each in seen.items() if not _is_nodata(each)} or seen
    if len(there) == 1:
        (only,) = there.values()
        missing = " and ".join(family for family in seen if family not in there)
        return replace(only, notes=(*only.notes, f"the name has no address of {missing}"))
    return replace(_both(list(there.values())), reading=_reading(there), notes=_notes(there))


def _is_nodata(seen: Observation) -> bool:
    return seen.reading.outcome is Outcome.DNS_NODATA


def _reading(seen: Mapping[Family, Observation]) -> Reading:
    readings = [each.reading for each in seen.values()]
    outcomes = {reading.outcome for reading in readings}
    if Outcome.UNSTABLE in outcomes:
        return Reading(Outcome.UNSTABLE)
    if len(outcomes) > 1:
        told = (f"{family} {each.reading.outcome}" for family, each in seen.items())
        return Reading(Outcome.FAMILIES_DIFFER, ", ".join(told))
    details = dict.fromkeys(reading.detail for reading in readings if reading.detail)
    return Reading(outcomes.pop(), ", ".join(details))


def _notes(seen: Mapping[Family, Observation]) -> tuple[str, ...]:
    notes = tuple(dict.fromkeys(note for each in seen.values() for note in each.notes))
    if len({each.reading.outcome for each in seen.values()}) == 1:
        return notes
    return (differ({family: each.reading for family, each in seen.items()}), *notes)


def differ(shown: Mapping[Family, Reading]) -> str:
    """The sentence about a flow whose families differ."""
    return ", and ".join(
        f"over {family} {WORDS.get(reading.outcome, f'it shows {reading}')}"
        for family, reading in shown.items()
    )


def _both(seen: list[Observation]) -> Observation:
    """The parts of two observations that are simply added."""
    first = seen[0]
    attempts = sorted((a for each in seen for a in each.attempts), key=lambda a: a.at)
    asked = [each.resolution for each in seen if each.resolution]
    resolution = asked[0] if asked else None
    if len(asked) > 1:
        resolution = Resolution(asked[0].server, tuple(q for each in asked for q in each.questions))
    owns = {each.own for each in seen}
    return replace(
        first,
        attempts=tuple(attempts),
        address=", ".join(each.address for each in seen if each.address),
        own=first.own if len(owns) == 1 else Reading(Outcome.UNSTABLE),
        resolution=resolution,
    )
