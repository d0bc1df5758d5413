"""What attempts and controls add up to: who answered, whether silence counts, and the verdict."""

from __future__ import annotations

import pytest

from harness.core.model import Protocol
from harness.core.observation import Answer, Attempt, Observation, Phase
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.probe.attempts import JUDGE, POLL, Item, Pace
from harness.core.probe.judge import ANYBODY, Expected, Plan, connection, passes, verdict
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.errors import ProbeError

WEB, API = PodRef("shop", "web"), PodRef("shop", "api")
TARGET = PodPort(API, 8080, Protocol.TCP)
OURS = Expected(frozenset({"shop/api"}), "n1")
OWN_WORD = Expected(frozenset({"api"}))
REPLY = b"X-Policylab-Pod: shop/api\r\nX-Policylab-Nonce: n1\r\n"
SILENCE = [Attempt(Phase.TIMEOUT, 1250.0)] * 3


def plan(expected: Expected = ANYBODY, pace: Pace = JUDGE) -> Plan:
    return Plan(Ask(WEB, TARGET), (Item("1", "tcp", "10.0.0.2", 8080),), pace, expected, TARGET)


def own(outcome: Outcome) -> Answer[Observation]:
    return Answer(Observation(Reading(outcome)))


def answered(data: bytes = REPLY) -> list[Attempt]:
    return [Attempt(Phase.ANSWERED, 1.5, data)]


def test_answer_of_the_expected_pod_to_this_nonce_is_connected() -> None:
    seen = connection(plan(OURS), answered())

    assert (seen.reading.outcome, seen.peer, seen.ms) == (Outcome.CONNECTED, "shop/api", 1.5)
    assert seen.address == "10.0.0.2"


@pytest.mark.parametrize(
    ("expected", "reply"),
    [
        (OURS, b"X-Policylab-Pod: shop/other\r\nX-Policylab-Nonce: n1\r\n"),
        (OURS, b"X-Policylab-Pod: shop/api\r\nX-Policylab-Nonce: of-another-probe\r\n"),
        (OWN_WORD, b"HTTP/1.1 200 OK\r\nX-Policylab-Pod: other\r\n\r\n"),
    ],
)
def test_answer_of_somebody_else_or_to_another_probe_is_a_wrong_peer(
    expected: Expected, reply: bytes
) -> None:
    assert connection(plan(expected), answered(reply)).reading == Reading(Outcome.WRONG_PEER)


@pytest.mark.parametrize("pace", [JUDGE, POLL], ids=["judged", "polled"])
def test_handshake_without_a_name_is_no_verdict_where_a_listener_of_ours_stands(pace: Pace) -> None:
    seen = connection(plan(OURS, pace), [Attempt(Phase.CONNECTED, 0.4)])

    assert seen.reading == Reading(Outcome.UNSTABLE)
    assert seen.notes == (
        "the connection was accepted, and no listener of policylab said who it is",
    )


def test_handshake_is_enough_where_the_target_says_no_name() -> None:
    seen = connection(plan(OWN_WORD), [Attempt(Phase.CONNECTED, 0.4)])

    assert seen.reading == Reading(Outcome.CONNECTED)


def test_silence_that_the_listener_heard_is_one_way() -> None:
    heard = connection(plan(OURS), SILENCE, own=own(Outcome.CONNECTED), late_ms=0.2)
    silent = connection(plan(OURS), SILENCE, own=own(Outcome.CONNECTED))

    assert (heard.reading.outcome, silent.reading.outcome) == (Outcome.ONE_WAY, Outcome.TIMEOUT)


def test_the_attempt_before_the_flow_closed_is_the_one_that_the_listener_heard() -> None:
    attempts = [*answered(), Attempt(Phase.TIMEOUT, 120.0)]
    seen = connection(plan(OURS, POLL), attempts, own=own(Outcome.CONNECTED), late_ms=250.0)

    assert seen.reading == Reading(Outcome.TIMEOUT)


def test_listener_that_was_starved_gives_no_verdict() -> None:
    with pytest.raises(ProbeError, match="starved") as caught:
        connection(plan(OURS), SILENCE, own=own(Outcome.CONNECTED), late_ms=250.0)
    assert "250 ms" in caught.value.seen


@pytest.mark.parametrize(
    "shown", [Outcome.CONNECTED, Outcome.REFUSED, Outcome.RESET, Outcome.ONE_WAY]
)
def test_silence_counts_where_the_target_answers_itself(shown: Outcome) -> None:
    seen = connection(plan(), SILENCE, own=own(shown))

    assert (seen.reading.outcome, seen.own) == (Outcome.TIMEOUT, Reading(shown))
    assert verdict(seen) is Verdict.DENY


@pytest.mark.parametrize("shown", [Outcome.TIMEOUT, Outcome.UNSTABLE, Outcome.WRONG_PEER])
def test_silence_of_a_target_that_does_not_answer_itself_is_no_verdict(shown: Outcome) -> None:
    with pytest.raises(ProbeError, match="does not answer itself") as caught:
        connection(plan(), SILENCE, own=own(shown))
    assert str(shown) in caught.value.seen


def test_silence_is_no_verdict_where_the_control_itself_has_none() -> None:
    broken: Answer[Observation] = Answer(problem=ProbeError("the prober of the target is gone"))

    with pytest.raises(ProbeError, match="prober of the target is gone"):
        connection(plan(), SILENCE, own=broken)
    assert verdict(connection(plan(), answered(), own=broken)) is Verdict.ALLOW


def test_fault_of_the_tool_is_no_verdict_with_its_words() -> None:
    with pytest.raises(ProbeError) as caught:
        connection(plan(), [Attempt(Phase.ERROR, 0.1, error="EMFILE")])
    assert caught.value.seen == "EMFILE"


def test_attempts_that_disagree_are_told_and_pass_nothing() -> None:
    seen = connection(plan(), [Attempt(Phase.TIMEOUT, 900.0), *answered()])

    assert seen.notes == ("the attempts disagree: timeout, answered",)
    with pytest.raises(ProbeError, match="no verdict"):
        passes(seen)


def test_a_poll_goes_by_its_last_attempt_and_keeps_them_all() -> None:
    seen = connection(plan(pace=POLL), [Attempt(Phase.TIMEOUT, 40.0), *answered()])

    assert (seen.reading.outcome, len(seen.attempts)) == (Outcome.CONNECTED, 2)


@pytest.mark.parametrize(
    ("outcome", "shown", "expected"),
    [
        (Outcome.CONNECTED, Outcome.CONNECTED, Verdict.ALLOW),
        (Outcome.CONNECTED, None, Verdict.ALLOW),
        (Outcome.RESOLVED, None, Verdict.ALLOW),
        (Outcome.DNS_NXDOMAIN, None, Verdict.ALLOW),
        (Outcome.TIMEOUT, Outcome.CONNECTED, Verdict.DENY),
        (Outcome.TIMEOUT, None, Verdict.DENY),
        (Outcome.DNS_TIMEOUT, None, Verdict.DENY),
        (Outcome.REFUSED, Outcome.REFUSED, Verdict.ALLOW),
        (Outcome.REFUSED, Outcome.CONNECTED, Verdict.DENY),
        (Outcome.REFUSED, Outcome.TIMEOUT, None),
        (Outcome.REFUSED, None, Verdict.ALLOW),
        (Outcome.RESET, Outcome.CONNECTED, None),
        (Outcome.WRONG_PEER, Outcome.CONNECTED, None),
        (Outcome.ONE_WAY, Outcome.CONNECTED, None),
    ],
)
def test_verdict_depends_on_what_the_target_shows_itself(
    outcome: Outcome, shown: Outcome | None, expected: Verdict | None
) -> None:
    seen = Observation(Reading(outcome), own=Reading(shown) if shown else None)

    assert verdict(seen) is expected
