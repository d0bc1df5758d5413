"""The agent's event loop inside of this process, over pipes: each kind of request, for real."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from harness.core.probe.greeting import Reply, greeting, reply_of
from harness.edge.probe.agent.main import main
from tests.edge.probe.standin import free_port

HOST = "127.0.0.1"


class Inside:
    """An agent in a thread; its input ends with the test."""

    def __init__(self) -> None:
        requests, self._requests = os.pipe()
        answers, self._answers = os.pipe()
        self._read = os.fdopen(answers, encoding="utf-8")
        self._input = requests
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.hello = self.line()

    def _serve(self) -> None:
        with os.fdopen(self._answers, "w", encoding="utf-8") as stdout:
            main(self._input, stdout)

    def line(self) -> dict[str, Any]:
        return dict(json.loads(self._read.readline()))

    def ask(self, **request: Any) -> dict[str, Any]:
        os.write(self._requests, json.dumps({"round": 1, **request}).encode() + b"\n")
        return self.line()

    def one(
        self, proto: str, port: int, want: str = "none", payload: bytes = b"", host: str = HOST
    ) -> Any:
        """The attempts of a single item."""
        item = {
            "id": "a",
            "proto": proto,
            "addr": host,
            "port": port,
            "offsets": [0.0, 0.03],
            "payload": base64.b64encode(payload).decode(),
            "want": want,
        }
        return self.ask(deadline=0.15, items=[item])["items"]["a"]

    def end(self) -> None:
        os.close(self._requests)
        self._thread.join()
        self._read.close()
        os.close(self._input)


@pytest.fixture
def agent() -> Iterator[Inside]:
    made = Inside()
    yield made
    made.end()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A TCP server that lets clients in."""
    with closing(socket.create_server((HOST, 0))) as listening:
        yield listening


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def test_hello_has_the_resolver_configuration(agent: Inside) -> None:
    assert agent.hello["hostname"] == socket.gethostname()
    with open("/etc/resolv.conf", encoding="utf-8") as conf:  # noqa: PTH123 - as the agent does
        assert agent.hello["resolv_conf"] == conf.read()


def test_handshake_is_enough_where_nothing_else_is_wanted(
    agent: Inside, server: socket.socket
) -> None:
    (attempt,) = agent.one("tcp", port_of(server))

    assert attempt["phase"] == "connected"


def test_answer_is_returned_and_silence_after_the_handshake_is_still_a_connection(
    agent: Inside, server: socket.socket
) -> None:
    def serve() -> None:
        client, _ = server.accept()
        with closing(client):
            client.recv(100)
            client.sendall(b"here I am")

    threading.Thread(target=serve).start()
    answered = agent.one("tcp", port_of(server), "bytes", b"hello")[0]
    silent = agent.one("tcp", port_of(server), "bytes", b"hello")

    assert (answered["phase"], base64.b64decode(answered["data"])) == ("answered", b"here I am")
    assert {attempt["phase"] for attempt in silent} == {"connected"}


def test_closed_ports_refuse_and_deaf_ones_are_silent(agent: Inside) -> None:
    refused = agent.one("tcp", free_port(socket.SOCK_STREAM))
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind((HOST, 0))
        silent = agent.one("udp", port_of(deaf), "bytes", b"anybody?")

    assert [attempt["phase"] for attempt in refused] == ["refused"]
    assert [attempt["phase"] for attempt in silent] == ["timeout", "timeout"]
    assert len({attempt["port"] for attempt in silent}) == 2


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_listener_answers_and_tells_once_what_it_heard(agent: Inside, proto: str) -> None:
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    port = free_port(kind)
    door = {"proto": proto, "port": port}

    assert agent.ask(listen=[door], name="shop/web")["listening"] == {f"{proto}/{port}": ""}
    attempt = agent.one(proto, port, "bytes", greeting("n1"))[0]
    assert reply_of(base64.b64decode(attempt["data"])) == Reply("shop/web", "n1")
    assert list(agent.ask(heard=True)["heard"][""]) == ["n1"]
    assert agent.ask(heard=True)["heard"] == {}


def test_mute_listener_and_noise_get_no_answer(agent: Inside) -> None:
    port = free_port(socket.SOCK_DGRAM)
    agent.ask(listen=[{"proto": "udp", "port": port, "answers": False}], name="shop/web")

    noise = agent.one("udp", port, "bytes", b"no greeting")
    mute = agent.one("udp", port, "bytes", greeting("n1"))

    assert {attempt["phase"] for attempt in (*noise, *mute)} == {"timeout"}
    assert list(agent.ask(heard=True)["heard"][""]) == ["n1"]


def test_port_that_is_taken_is_named_and_old_doors_are_closed(
    agent: Inside, server: socket.socket
) -> None:
    port = free_port(socket.SOCK_STREAM)
    agent.ask(listen=[{"proto": "tcp", "port": port}], name="shop/web")

    taken = {"proto": "tcp", "port": port_of(server)}
    listening = agent.ask(listen=[taken], name="shop/web")["listening"]

    assert listening == {f"tcp/{port_of(server)}": "EADDRINUSE"}
    assert [attempt["phase"] for attempt in agent.one("tcp", port)] == ["refused"]


def test_lookups_are_timed_and_a_failure_is_named(agent: Inside) -> None:
    timed = agent.ask(time=["localhost"], repeat=3)
    failed = agent.ask(time=["no-such-name.invalid"], repeat=1)

    assert len(timed["ms"]["localhost"]) == 3
    assert failed["error"].startswith("no-such-name.invalid: ")


SIX = "::1"
needs_six = pytest.mark.skipif(
    not os.path.exists("/proc/net/if_inet6"),  # noqa: PTH110 - one line
    reason="this machine has no IPv6",
)


@needs_six
def test_address_of_ipv6_is_asked_over_ipv6(agent: Inside) -> None:
    with closing(socket.create_server((SIX, 0), family=socket.AF_INET6)) as listening:
        (attempt,) = agent.one("tcp", port_of(listening), host=SIX)

    assert attempt["phase"] == "connected"


@needs_six
def test_closed_port_refuses_over_ipv6(agent: Inside) -> None:
    with closing(socket.create_server((SIX, 0), family=socket.AF_INET6)) as listening:
        port = port_of(listening)

    assert [a["phase"] for a in agent.one("tcp", port, host=SIX)] == ["refused"]


@needs_six
@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_listener_for_both_families_answers_on_both_and_another_one_on_ipv4(
    agent: Inside, proto: str
) -> None:
    with closing(socket.create_server((HOST, 0))) as taken:
        port = port_of(taken)

    for six, phases in ((True, ["answered"]), (False, ["refused"])):
        door = {"proto": proto, "port": port, "six": six}
        assert agent.ask(listen=[door], name="shop/api")["listening"] == {f"{proto}/{port}": ""}
        line = greeting("n1")
        four = agent.one(proto, port, want="bytes", payload=line)
        found = agent.one(proto, port, want="bytes", payload=line, host=SIX)
        assert [attempt["phase"] for attempt in four] == ["answered"]
        assert [attempt["phase"] for attempt in found] == phases
