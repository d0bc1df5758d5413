"""One answer from two: what a flow shows that is asked over IPv4 and over IPv6."""

from __future__ import annotations

import pytest

from harness.core.observation import Answer, Asked, Attempt, Observation, Phase, Resolution
from harness.core.outcome import Outcome, Reading
from harness.core.probe.families import joined
from harness.core.probe.judge import verdict
from harness.core.target.family import Family
from harness.errors import ProbeError, StarvedListenerError

FOUR, SIX = Family.IPV4, Family.IPV6


def seen(outcome: Outcome, detail: str = "", address: str = "", at: float = 0.0) -> Observation:
    attempt = Attempt(Phase.CONNECTED, 1.0, at=at)
    return Observation(Reading(outcome, detail), attempts=(attempt,), address=address)


def both(four: Observation, six: Observation) -> Observation:
    return joined({FOUR: Answer(four), SIX: Answer(six)})


@pytest.mark.parametrize("family", Family)
def test_flow_of_one_family_is_taken_as_it_is(family: Family) -> None:
    only = seen(Outcome.TIMEOUT)

    assert joined({family: Answer(only)}) is only


@pytest.mark.parametrize("outcome", [Outcome.CONNECTED, Outcome.TIMEOUT, Outcome.REFUSED])
def test_families_that_agree_are_one_answer_with_both_addresses(outcome: Outcome) -> None:
    found = both(seen(outcome, address="10.0.0.1", at=5.0), seen(outcome, address="fd00::1"))

    assert found.reading == Reading(outcome)
    assert found.address == "10.0.0.1, fd00::1"
    assert [attempt.at for attempt in found.attempts] == [0.0, 5.0]
    assert found.notes == ()


def test_families_that_differ_say_so_and_satisfy_no_expectation_and_have_no_verdict() -> None:
    found = both(seen(Outcome.TIMEOUT), seen(Outcome.CONNECTED))

    assert found.reading == Reading(Outcome.FAMILIES_DIFFER, "IPv4 timeout, IPv6 connected")
    assert found.notes[0] == "over IPv4 nothing comes back, and over IPv6 it connects"
    assert not any(found.reading.satisfies(Reading(o)) for o in (Outcome.TIMEOUT, *WANTED))
    assert verdict(found) is None


WANTED = (Outcome.CONNECTED, Outcome.REFUSED, Outcome.UNSTABLE)


def test_one_unstable_family_makes_the_flow_unstable() -> None:
    found = both(seen(Outcome.UNSTABLE), seen(Outcome.CONNECTED))

    assert found.reading.outcome is Outcome.UNSTABLE


@pytest.mark.parametrize("broken", Family)
def test_no_verdict_over_one_family_is_no_verdict(broken: Family) -> None:
    """The error keeps its kind: by it a starved listener is asked again."""
    answers = {family: Answer(seen(Outcome.CONNECTED)) for family in Family}
    answers[broken] = Answer(problem=StarvedListenerError("too late"))

    with pytest.raises(StarvedListenerError):
        joined(answers)
    answers[broken] = Answer(problem=ProbeError("gone"))
    with pytest.raises(ProbeError, match="gone"):
        joined(answers)


def test_name_without_an_address_of_one_family_is_reached_over_the_other() -> None:
    found = both(seen(Outcome.CONNECTED), seen(Outcome.DNS_NODATA))

    assert found.reading == Reading(Outcome.CONNECTED)
    assert found.notes == ("the name has no address of IPv6",)
    nothing = both(seen(Outcome.DNS_NODATA), seen(Outcome.DNS_NODATA))
    assert nothing.reading == Reading(Outcome.DNS_NODATA)


def test_lookup_of_both_families_has_all_addresses_and_questions() -> None:
    led = {FOUR: "10.0.0.1", SIX: "fd00::1"}
    found = joined(
        {
            family: Answer(
                Observation(
                    Reading(Outcome.RESOLVED, address),
                    resolution=Resolution(
                        "10.96.0.10",
                        (Asked("a.", family.rdtype, Reading(Outcome.RESOLVED, address), ()),),
                    ),
                )
            )
            for family, address in led.items()
        }
    )

    assert found.reading == Reading(Outcome.RESOLVED, "10.0.0.1, fd00::1")
    assert found.resolution is not None
    assert [each.rdtype for each in found.resolution.questions] == ["A", "AAAA"]
