"""The agent's rounds by a fake clock: which attempts were due, and how late the agent was."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from harness.edge.probe.agent.attempt import Loop
from harness.edge.probe.agent.rounds import Round

OFFSETS = [0.0, 0.15, 0.4]
DEADLINE = 1.25


@dataclass
class Clock:
    """Seconds, which pass only when a test says so."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop(clock: Clock) -> Iterator[Loop]:
    with selectors.DefaultSelector() as selector:
        yield Loop(selector, count(40_000), clock)


@pytest.fixture
def silent() -> Iterator[int]:
    """A UDP port on loopback that never answers."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))
        yield int(deaf.getsockname()[1])


def begun(loop: Loop, port: int, **more: Any) -> Round:
    item = {
        "id": "a",
        "proto": "udp",
        "addr": "127.0.0.1",
        "port": port,
        "offsets": OFFSETS,
        "payload": "",
        "want": "bytes",
    }
    return Round({"round": 1, "deadline": DEADLINE, "items": [item | more]}, loop)


def test_attempt_that_the_deadline_came_before_is_missed(
    loop: Loop, clock: Clock, silent: int
) -> None:
    """The agent was not run from the round's first moment until after its end."""
    made = begun(loop, silent)
    clock.now += DEADLINE + 0.1

    made.turn(clock.now)

    assert made.over
    assert made.answer() == {"round": 1, "lag_ms": 0.0, "missed": 3, "items": {"a": []}}


def test_attempts_that_were_made_are_not_missed(loop: Loop, clock: Clock, silent: int) -> None:
    made = begun(loop, silent)
    began = clock.now
    for moment in (*OFFSETS, DEADLINE):
        clock.now = began + moment
        made.turn(clock.now)

    assert made.over
    answer = made.answer()
    assert (answer["missed"], len(answer["items"]["a"])) == (0, 3)


def test_attempt_that_begins_late_counts_as_lag(loop: Loop, clock: Clock, silent: int) -> None:
    made = begun(loop, silent, offsets=[0.0])
    clock.now += 0.3
    made.turn(clock.now)
    clock.now += DEADLINE
    made.turn(clock.now)

    assert made.over
    assert made.answer()["lag_ms"] == 300.0


def test_attempts_after_an_answer_are_not_due(loop: Loop, clock: Clock) -> None:
    """A socket that fails at once ends its item: the other attempts were never to be made."""
    made = begun(loop, 1, addr="not an address")
    made.turn(clock.now)
    clock.now += DEADLINE + 0.1

    made.turn(clock.now)

    assert made.over
    assert made.answer()["missed"] == 0
