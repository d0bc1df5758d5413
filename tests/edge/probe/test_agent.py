"""The agent's listeners, for real, over loopback: identity, nonce, and what was heard."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.observation import Answer, Attempt
from harness.core.probe.attempts import Item
from harness.core.probe.greeting import Reply, greeting, reply_of
from harness.core.target import PodRef
from harness.edge.probe.streams import StreamProber
from harness.edge.probe.wire import Listener
from tests.edge.probe.standin import free_port, kubectl

WEB, API = PodRef("shop", "web"), PodRef("shop", "api")
FAST = (0.0, 0.05, 0.1)


def asked(protocol: str, port: int, nonce: str = "n1") -> Item:
    return Item("a", protocol, "127.0.0.1", port, greeting(nonce), "bytes", FAST)


def one(prober: StreamProber, item: Item) -> list[Attempt]:
    answer = prober.round({API: [item]}, deadline=0.3)[API]
    return list(answer.unwrap()["a"])


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_listener_answers_with_its_name_and_the_nonce(prober: StreamProber, protocol: str) -> None:
    door = Listener(protocol, free_port())

    assert prober.listen({WEB: [door]}) == {WEB: Answer({door: ""})}
    attempts = one(prober, asked(protocol, door.port))

    assert [reply_of(attempt.data) for attempt in attempts] == [Reply("shop/web", "n1")]


def test_mute_listener_hears_what_it_does_not_answer(prober: StreamProber) -> None:
    door = Listener("udp", free_port(), answers=False)
    prober.listen({WEB: [door]})

    attempts = one(prober, asked("udp", door.port, "lost"))
    heard = prober.heard([WEB])[WEB].unwrap()

    assert {attempt.phase for attempt in attempts} == {"timeout"}
    assert heard.keys() == {"lost"}
    assert 0 <= heard["lost"] < 1000


def test_what_was_heard_is_told_once(prober: StreamProber) -> None:
    door = Listener("udp", free_port())
    prober.listen({WEB: [door]})
    one(prober, asked("udp", door.port))

    first, second = (prober.heard([WEB])[WEB].unwrap() for _ in range(2))

    assert first.keys() == {"n1"}
    assert second == {}


def test_listener_answers_while_its_own_round_is_under_way(prober: StreamProber) -> None:
    door = Listener("tcp", free_port())
    prober.listen({WEB: [door]})
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))
        silent = replace(asked("udp", deaf.getsockname()[1]), id="b")
        answers = prober.round({WEB: [silent], API: [asked("tcp", door.port)]}, deadline=0.3)

    seen = answers[API].unwrap()
    assert reply_of(seen["a"][0].data).name == "shop/web"
    assert seen["a"][0].ms < 200


def test_port_that_is_taken_is_named_and_left_to_its_owner(prober: StreamProber) -> None:
    with closing(socket.create_server(("", 0))) as owner:
        door = Listener("tcp", owner.getsockname()[1])

        assert prober.listen({WEB: [door]}) == {WEB: Answer({door: "EADDRINUSE"})}


def test_listening_anew_closes_what_was_open(prober: StreamProber) -> None:
    old, new = Listener("tcp", free_port()), Listener("tcp", free_port())
    prober.listen({WEB: [old]})
    prober.listen({WEB: [new]})

    assert [attempt.phase for attempt in one(prober, asked("tcp", old.port))] == ["refused"]


def test_listener_of_a_stream_that_died_is_opened_again(prober: StreamProber) -> None:
    door = Listener("tcp", free_port())
    prober.listen({WEB: [door]})
    prober._lines.streams[WEB].process.kill()
    prober._lines.streams[WEB].process.wait(5)

    answers = prober.round({WEB: [asked("tcp", door.port)]}, deadline=0.3)

    assert reply_of(answers[WEB].unwrap()["a"][0].data).name == "shop/web"


def test_pod_that_is_forgotten_listens_no_more(prober: StreamProber) -> None:
    door = Listener("tcp", free_port())
    prober.listen({WEB: [door]})
    prober.forget([WEB])

    answers = prober.round({WEB: [asked("tcp", door.port)]}, deadline=0.3)

    assert answers[WEB].unwrap()["a"][0].phase == "refused"


def test_listener_ignores_what_is_no_greeting(prober: StreamProber) -> None:
    door = Listener("udp", free_port())
    prober.listen({WEB: [door]})

    attempts = one(prober, replace(asked("udp", door.port), payload=b"hello\n"))

    assert {attempt.phase for attempt in attempts} == {"timeout"}
    assert prober.heard([WEB])[WEB].unwrap() == {}


def test_first_answer_ends_the_attempts_before_it(prober: StreamProber) -> None:
    """A port that opens during a poll: seen at the next attempt, not at the deadline."""
    port = free_port(socket.SOCK_DGRAM)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as late:
        late.bind(("127.0.0.1", port))
        late.settimeout(5)
        item = replace(asked("udp", port), first=True)

        def answer_the_second() -> None:
            late.recvfrom(100)
            _, sender = late.recvfrom(100)
            late.sendto(b"here", sender)

        helper = threading.Thread(target=answer_the_second)
        helper.start()
        attempts = one(prober, item)
        helper.join(5)

    assert [attempt.phase for attempt in attempts] == ["timeout", "answered"]
    assert attempts[0].ms < 200
    assert attempts[1].at >= 50


def test_datagrams_leave_from_a_port_that_was_not_used_before(prober: StreamProber) -> None:
    """Connection tracking would let a used one pass for 30 s more, against any policy."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))
        for _ in range(2):
            one(prober, asked("udp", deaf.getsockname()[1]))
        deaf.settimeout(1)
        ports = [deaf.recvfrom(100)[1][1] for _ in range(2 * len(FAST))]

    first, last = min(ports), max(ports)
    assert len(set(ports)) == len(ports)
    assert last - first < 100 or last - first > 20_000  # in turn, but for the end of the range


def test_every_attempt_is_made_where_a_flow_is_about_to_close(prober: StreamProber) -> None:
    door = Listener("udp", free_port())
    prober.listen({WEB: [door]})

    attempts = one(prober, replace(asked("udp", door.port), every=True))

    assert [attempt.phase for attempt in attempts] == ["answered"] * len(FAST)


def test_answers_that_miss_what_was_heard_give_no_verdict(tmp_path: Path) -> None:
    body = (
        "import json, sys\n"
        'print(\'{"hello": 1, "hostname": "web", "resolv_conf": ""}\', flush=True)\n'
        "for line in sys.stdin:\n"
        '    print(json.dumps({"round": json.loads(line)["round"]}), flush=True)\n'
    )
    with StreamProber(kubectl(tmp_path, body), tmp_path / "config") as prober:
        heard = prober.heard([WEB])[WEB]
        opened = prober.listen({WEB: [Listener("tcp", 1)]})[WEB]

    assert heard.problem
    assert opened.problem
