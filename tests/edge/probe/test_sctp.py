"""SCTP by the agent: for real where this kernel has it, and over a stand-in's TCP everywhere."""

from __future__ import annotations

import base64
import errno
import selectors
import socket
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from harness.core.observation import Answer, Attempt, Phase
from harness.core.probe.attempts import Item
from harness.core.probe.greeting import Reply, greeting, reply_of
from harness.core.target import PodRef
from harness.edge.probe.agent.attempt import Loop
from harness.edge.probe.agent.listeners import Listeners
from harness.edge.probe.agent.rounds import Round
from harness.edge.probe.agent.spaces import Spaces
from harness.edge.probe.streams import StreamProber
from harness.edge.probe.wire import Listener
from tests.edge.probe.standin import free_port

WEB, API = PodRef("shop", "web"), PodRef("shop", "api")
SCTP = 132
"""The protocol's number (IANA, "Protocol Numbers")."""
FAST = (0.0, 0.05, 0.1)


def kernels_answer() -> str:
    """The error for which this kernel makes no socket of SCTP; empty if it makes one."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP).close()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


ANSWER = kernels_answer()
needs_six = pytest.mark.skipif(
    not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6"
)
needs_sctp = pytest.mark.skipif(bool(ANSWER), reason=f"this kernel has no SCTP: {ANSWER}")


def attempts(prober: StreamProber, port: int, host: str = "127.0.0.1") -> list[Attempt]:
    item = Item("a", "sctp", host, port, greeting("n1"), "bytes", FAST)
    return list(prober.round({API: [item]}, deadline=0.3)[API].unwrap()["a"])


def test_agent_tells_what_the_kernel_answers_about_sctp(prober: StreamProber) -> None:
    door = Listener("sctp", free_port())

    assert prober.listen({WEB: [door]}) == {WEB: Answer({door: ANSWER})}
    (made, *_) = attempts(prober, door.port)

    expected = (Phase.ERROR, ANSWER) if ANSWER else (Phase.ANSWERED, "")
    assert (made.phase, made.error) == expected


@needs_sctp
@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_six)])
def test_listener_of_sctp_answers_with_its_name_and_the_nonce(
    prober: StreamProber, host: str
) -> None:
    door = Listener("sctp", free_port(), six=":" in host)
    prober.listen({WEB: [door]})

    assert [reply_of(made.data) for made in attempts(prober, door.port, host)] == [
        Reply("shop/web", "n1")
    ]


@needs_sctp
def test_mute_listener_of_sctp_is_connected_to(prober: StreamProber) -> None:
    door = Listener("sctp", free_port(), answers=False)
    prober.listen({WEB: [door]})

    (made,) = attempts(prober, door.port)

    assert (made.phase, made.data) == (Phase.CONNECTED, b"")
    assert prober.heard([WEB])[WEB].unwrap().keys() == {"n1"}


@needs_sctp
def test_port_of_sctp_that_was_closed_again_refuses(prober: StreamProber) -> None:
    door = Listener("sctp", free_port())
    prober.listen({WEB: [door]})
    assert [made.phase for made in attempts(prober, door.port)] == [Phase.ANSWERED]
    prober.listen({WEB: []})

    assert [made.phase for made in attempts(prober, door.port)] == [Phase.REFUSED]


@needs_sctp
def test_port_of_sctp_is_opened_again_right_after_its_clients(prober: StreamProber) -> None:
    door = Listener("sctp", free_port())

    for _ in range(3):
        assert prober.listen({WEB: [door]}) == {WEB: Answer({door: ""})}
        assert [made.phase for made in attempts(prober, door.port)] == [Phase.ANSWERED]


@needs_sctp
def test_each_attempt_of_sctp_leaves_from_a_port_of_its_own(prober: StreamProber) -> None:
    """Without an answer each attempt is a packet of its own, so that three of them are silence."""
    door = Listener("sctp", free_port())
    prober.listen({WEB: [door]})
    item = Item("a", "sctp", "127.0.0.1", door.port, greeting("n1"), "bytes", FAST, every=True)

    made = prober.round({API: [item]}, deadline=0.3)[API].unwrap()["a"]

    assert [each.phase for each in made] == [Phase.ANSWERED] * len(FAST)
    assert len({each.port for each in made}) == len(FAST)


class StandIn:
    """Makes sockets of TCP in place of those of SCTP, and notes what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, int]] = []
        self._real = socket.socket

    def __call__(self, family: int, kind: int, number: int = 0, fileno: int | None = None) -> Any:
        if fileno is None:
            self.asked.append((family, kind, number))
        return self._real(family, kind, 0 if number == SCTP else number, fileno)


def served(proto: str, port: int, host: str) -> dict[str, Any]:
    """The first attempt of one item at a listener of ours, both in this process."""
    item = {
        "id": "a",
        "proto": proto,
        "addr": host,
        "port": port,
        "offsets": [0.0],
        "payload": base64.b64encode(greeting("n1")).decode(),
        "want": "bytes",
    }
    with selectors.DefaultSelector() as selector:
        listeners = Listeners(selector, Spaces())
        opened = listeners.replace([{"proto": proto, "port": port, "six": ":" in host}], "shop/web")
        assert opened == {f"{proto}/{port}": ""}
        made = Round({"round": 1, "deadline": 5.0, "items": [item]}, Loop(selector, count(40_000)))
        while not made.over:
            looked = time.monotonic()
            for key, _ in selector.select(made.pause()):
                key.data.ready()
            made.turn(looked)
        listeners.replace([], "")
    (attempt,) = made.answer()["items"]["a"]
    return dict(attempt)


@pytest.mark.parametrize(
    ("proto", "number", "host"),
    [
        ("sctp", SCTP, "127.0.0.1"),
        pytest.param("sctp", SCTP, "::1", marks=needs_six),
        ("tcp", socket.IPPROTO_TCP, "127.0.0.1"),
    ],
)
def test_both_ends_make_one_to_one_sockets_and_greet_each_other(
    monkeypatch: pytest.MonkeyPatch, proto: str, number: int, host: str
) -> None:
    """RFC 6458 4.1.1: a socket of the type SOCK_STREAM and the protocol IPPROTO_SCTP."""
    stand_in, port = StandIn(), free_port()
    monkeypatch.setattr(socket, "socket", stand_in)

    made = served(proto, port, host)

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    assert stand_in.asked == [(family, socket.SOCK_STREAM, number)] * 2
    assert (made["phase"], made["error"]) == ("answered", "")
    assert reply_of(base64.b64decode(made["data"])) == Reply("shop/web", "n1")
