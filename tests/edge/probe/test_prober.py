"""The prober and its agent, for real, over loopback: a script stands in for kubectl and the pod."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.observation import Attempt
from harness.core.outcome import Outcome
from harness.core.probe.attempts import Item, classify
from harness.core.target import PodRef
from harness.edge.machine.patience import PATIENCE
from harness.edge.probe.streams import StreamProber
from harness.errors import ProbeError
from tests.edge.probe.standin import HONEST, free_port, kubectl

POD = PodRef("shop", "web")
OTHER = PodRef("shop", "api")
FAST = (0.0, 0.05, 0.1)


@pytest.fixture
def server() -> Iterator[int]:
    """A TCP server on loopback that greets whoever speaks."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return
                with peer:
                    if peer.recv(100):
                        peer.sendall(b"HTTP/1.1 200 OK\r\nX-Policylab-Pod: api\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        # shutdown wakes accept(); close alone would leave the thread in it.
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def one(prober: StreamProber, item: Item, deadline: float = 0.4) -> list[Attempt]:
    answer = prober.round({POD: [item]}, deadline=deadline)[POD]
    return list(answer.unwrap()[item.id])


def seen(attempts: list[Attempt], wanted: int = 3) -> Outcome:
    return classify(attempts, wanted=wanted, where="test")


def test_open_port_is_connected_at_the_first_attempt(prober: StreamProber, server: int) -> None:
    attempts = one(prober, Item("a", "tcp", "127.0.0.1", server, offsets=FAST))

    assert seen(attempts) is Outcome.CONNECTED
    assert len(attempts) == 1


def test_answer_of_the_server_is_returned(prober: StreamProber, server: int) -> None:
    attempts = one(prober, Item("a", "tcp", "127.0.0.1", server, b"HEAD", "bytes", FAST))

    assert b"X-Policylab-Pod: api" in attempts[0].data


def test_closed_port_is_refused(prober: StreamProber) -> None:
    attempts = one(prober, Item("a", "tcp", "127.0.0.1", free_port(), offsets=FAST))

    assert seen(attempts) is Outcome.REFUSED


def test_silent_tcp_port_needs_every_attempt_to_be_silent(prober: StreamProber) -> None:
    # A full accept queue makes the kernel drop every further SYN: silence, without any firewall.
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as deaf:
        address = deaf.getsockname()
        with closing(socket.create_connection(address)):
            attempts = one(prober, Item("a", "tcp", address[0], address[1], offsets=FAST))

    assert seen(attempts) is Outcome.TIMEOUT
    assert len(attempts) == 3


def test_silent_udp_port_is_a_timeout(prober: StreamProber) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))
        item = Item("a", "udp", "127.0.0.1", deaf.getsockname()[1], b"hello", "bytes", FAST)
        attempts = one(prober, item)

    assert seen(attempts) is Outcome.TIMEOUT


def test_all_flows_of_a_round_take_one_deadline(prober: StreamProber) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        items = [Item(f"{n}", "udp", "127.0.0.1", port, b"x", "bytes", FAST) for n in range(100)]
        answer = prober.round({POD: items, OTHER: items}, deadline=0.4)

    for pod in (POD, OTHER):
        found = answer[pod].unwrap()
        assert {seen(list(found[item.id])) for item in items} == {Outcome.TIMEOUT}


def test_hello_carries_the_resolver_configuration(prober: StreamProber) -> None:
    here = Path("/etc/resolv.conf").read_text(encoding="utf-8")
    hellos = prober.hellos([POD, OTHER])
    assert {pod: hello.unwrap().resolv_conf for pod, hello in hellos.items()} == {
        POD: here,
        OTHER: here,
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; sys.exit('error: pods \"web\" not found')", "not found"),
        ("print('no json')", "not valid JSON"),
        ("print('[1]')", "not a JSON object"),
        ("print('{\"round\": 7}')", "unexpected line"),
    ],
)
def test_broken_stream_is_a_probe_error_with_the_last_words(
    tmp_path: Path, body: str, words: str
) -> None:
    with StreamProber(kubectl(tmp_path, body), tmp_path / "config") as prober:
        answer = prober.round({POD: [Item("a", "tcp", "127.0.0.1", 1)]}, deadline=0.1)[POD]

    assert answer.problem
    assert words in str(answer.problem)


def test_prober_that_dies_in_a_round_gives_no_verdict(tmp_path: Path) -> None:
    body = """
import sys
print('{"hello": 1, "hostname": "web", "resolv_conf": ""}', flush=True)
sys.stdin.readline()
sys.exit("command terminated with exit code 137")
"""
    with StreamProber(kubectl(tmp_path, body), tmp_path / "config") as prober:
        answer = prober.round({POD: [Item("a", "tcp", "127.0.0.1", 1)]}, deadline=0.1)[POD]

    assert answer.problem
    assert "137" in str(answer.problem)


def test_answer_that_lacks_an_item_gives_no_verdict(tmp_path: Path) -> None:
    body = """
import sys
print('{"hello": 1, "hostname": "web", "resolv_conf": ""}', flush=True)
for line in sys.stdin:
    print('{"round": 1, "lag_ms": 0, "items": {}}', flush=True)
"""
    with StreamProber(kubectl(tmp_path, body), tmp_path / "config") as prober:
        answer = prober.round({POD: [Item("a", "tcp", "127.0.0.1", 1)]}, deadline=0.1)[POD]

    assert answer.problem
    assert "incomplete" in str(answer.problem)


STARVED = """
import json, sys
print('{"hello": 1, "hostname": "web", "resolv_conf": ""}', flush=True)
for line in sys.stdin:
    n = json.loads(line)["round"]
    late = n < SOUND
    attempt = {"phase": "timeout", "ms": 1, "data": "", "error": ""}
    lag, missed, made = (LAG, MISSED, MADE) if late else (1, 0, 3)
    answer = {"round": n, "lag_ms": lag, "missed": missed, "items": {"a": [attempt] * made}}
    print(json.dumps(answer), flush=True)
"""
LATE = {"LAG": 500, "MISSED": 0, "MADE": 3}
NEVER_BEGUN = {"LAG": 1, "MISSED": 3, "MADE": 0}


def starved(folder: Path, *, sound: int, **how: int) -> Path:
    """A prober whose rounds before the number `sound` are starved."""
    body = STARVED.replace("SOUND", str(sound))
    for word, value in how.items():
        body = body.replace(word, str(value))
    return kubectl(folder, body)


@pytest.mark.parametrize(
    ("how", "words"),
    [(LATE, "ran 500 ms late"), (NEVER_BEGUN, "could begin 3 attempts that were due")],
)
def test_rounds_of_a_starved_prober_are_void(
    tmp_path: Path, how: dict[str, int], words: str
) -> None:
    program = starved(tmp_path, sound=10**9, **how)
    hasty = replace(PATIENCE, starved=0.3)
    with StreamProber(program, tmp_path / "config", patience=hasty) as prober:
        answer = prober.round({POD: [Item("a", "tcp", "127.0.0.1", 1)]}, deadline=0.1)[POD]

    assert answer.problem
    assert "starved" in str(answer.problem)
    assert words in answer.problem.seen


@pytest.mark.parametrize("how", [LATE, NEVER_BEGUN])
def test_void_rounds_are_made_again_until_one_is_sound(tmp_path: Path, how: dict[str, int]) -> None:
    """By time, not by number: eight void rounds cost no verdict."""
    with StreamProber(starved(tmp_path, sound=9, **how), tmp_path / "config") as prober:
        attempts = one(prober, Item("a", "tcp", "127.0.0.1", 1), deadline=0.1)

    assert seen(attempts) is Outcome.TIMEOUT
    assert prober.voided == 8


def test_missing_prober_does_not_spoil_the_other_pods(tmp_path: Path, server: int) -> None:
    body = f"""
import sys
if "web" in sys.argv:
    sys.exit("gone")
{HONEST}
"""
    item = Item("a", "tcp", "127.0.0.1", server, offsets=FAST)
    with StreamProber(kubectl(tmp_path, body), tmp_path / "config") as prober:
        answers = prober.round({POD: [item], OTHER: [item]}, deadline=0.4)

    assert answers[POD].problem
    other = answers[OTHER].unwrap()
    assert seen(list(other["a"])) is Outcome.CONNECTED


def test_timed_lookup_that_fails_is_a_probe_error(prober: StreamProber) -> None:
    with pytest.raises(ProbeError, match="timed lookup failed"):
        prober.time_lookups(POD, ["no-such-name.invalid."], repeat=1)


def test_lookups_are_timed_in_turn(prober: StreamProber) -> None:
    taken = prober.time_lookups(POD, ["localhost", "127.0.0.1"], repeat=3)

    assert [len(times) for times in taken.values()] == [3, 3]
