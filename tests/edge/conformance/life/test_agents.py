"""The agents of the constant stream, as real processes on this machine's loopback."""

from __future__ import annotations

import fcntl
import json
import selectors
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir
from time import sleep
from typing import Any

import pytest

from harness.edge.api.kubectl import Dialogue
from harness.edge.conformance.life import agent
from harness.edge.conformance.life.constant import (
    FIRST_PORT,
    NEWBORNS,
    PORTS,
    SOCKETS,
    Aim,
    Look,
    Steady,
    called_of,
    sent_of,
)
from harness.edge.machine.process import Completed
from harness.errors import ProbeError

HERE = "127.0.0.1"


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """Agents have fixed ports, as each pod has its own; here the tests of a machine share them."""
    with (Path(gettempdir()) / "policylab-stream-ports.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Local:
    """Programs that run here, not in a pod."""

    def run(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        seconds: float,
        container: str = "",
        check: bool = True,
    ) -> Completed:
        raise AssertionError("nothing is run to its end here")

    def talk(self, namespace: str, pod: str, command: Sequence[str], *, container: str) -> Dialogue:
        return Pipes(command)


class Pipes:
    def __init__(self, command: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self, seconds: float) -> str | None:
        assert self.process.stdout
        return self.process.stdout.readline() or None

    def end(self) -> str:
        return self.process.communicate()[1]


@contextmanager
def steady() -> Iterator[Steady]:
    with Steady(Local(), "here", "process") as made:
        yield made


def looked(client: Steady) -> Look:
    """A look at a time at which this process was not kept from sending."""
    for _ in range(200):
        seen = client.look()
        if all(sent for sent, _ in seen.flows):
            break
        sleep(0.05)
    return seen


def test_every_datagram_of_a_stream_is_sent_echoed_and_heard_once() -> None:
    with steady() as server, steady() as client:
        server.echo()
        client.send([Aim(HERE), Aim(HERE, held=True)], nonce=7, every_us=1000)
        sleep(0.5)
        seen = looked(client)
        poured = client.stop()
        heard, lost = server.heard(7)

    assert seen.shows([True, True])
    assert len(poured.flows) == 2
    for number, flow in enumerate(poured.flows):
        assert len(flow.at) > 50
        assert all(flow.back)
        assert list(flow.at) == sorted(flow.at)
        assert flow.at[-1] <= poured.until + 100
        assert heard[number] == frozenset(range(len(flow.at)))
    assert not lost["buffers"]


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 on this machine")
def test_stream_and_newborn_go_over_ipv6_as_well() -> None:
    with steady() as server, steady() as client:
        server.echo()
        client.send([Aim("::1"), Aim(HERE)], nonce=7, every_us=1000)
        sleep(0.2)
        poured = client.stop()
        [told] = born(str(NEWBORNS), "1000", "100", "-", f"::1:{FIRST_PORT}:{PORTS}")

    assert all(all(flow.back) and flow.at for flow in poured.flows)
    assert called_of(told["flows"][0])


def test_flow_to_nobody_is_silent_and_another_stream_hears_nothing_of_it() -> None:
    with steady() as client:
        client.send([Aim(HERE)], nonce=7, every_us=1000)
        seen = looked(client)
        poured = client.stop()

    assert seen.shows([False])
    assert not any(poured.flows[0].back)


def pairs(*, held: bool) -> list[tuple[int, int]]:
    """The ports of datagrams of the first two laps: of the sender, and of the receiver."""
    found: list[tuple[int, int]] = []
    with ExitStack() as doors, selectors.DefaultSelector() as selector:
        for port in (FIRST_PORT, FIRST_PORT + 1):
            door = doors.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            door.bind((HERE, port))
            selector.register(door, selectors.EVENT_READ, port)
        client = doors.enter_context(steady())
        client.send([Aim(HERE, held=held)], nonce=7, every_us=200)
        number = -1
        while number < SOCKETS + 100:
            for key, _ in selector.select(10):
                data, sender = door_of(key).recvfrom(64)
                number = int.from_bytes(data[6:], "big")
                found.append((sender[1], key.data))
    return found


def door_of(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket)
    return key.fileobj


def test_each_datagram_has_a_pair_of_ports_of_its_own() -> None:
    """More datagrams than there are source ports need another port of the server."""
    found = pairs(held=False)

    assert len(set(found)) == len(found)
    assert {port for _, port in found} == {FIRST_PORT, FIRST_PORT + 1}


def test_datagrams_of_a_held_flow_have_one_pair_of_ports() -> None:
    assert len(set(pairs(held=True))) == 1


def test_datagram_that_the_kernel_refuses_is_told_with_its_error() -> None:
    with steady() as client:
        client.send([Aim("255.255.255.255")], nonce=7, every_us=1000)
        sleep(0.1)
        poured = client.stop()

    assert set(poured.flows[0].failed.values()) == {"EACCES"}
    assert not any(poured.flows[0].back)


def test_agent_that_ended_is_no_silence() -> None:
    with steady() as client, pytest.raises(ProbeError, match="gave no answer"):
        client.stop()


def born(*words: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [*agent.newborn(), *words], capture_output=True, text=True, check=True, timeout=30
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_newborn_sends_at_once_and_is_called_back() -> None:
    place = f"{HERE}:{FIRST_PORT}:{PORTS}"
    with steady() as server:
        server.echo()
        [told] = born(str(NEWBORNS), "1000", "300", "-", place)
        heard, _ = server.heard(NEWBORNS)

    [flow] = told["flows"]
    sent = sent_of(flow)
    assert all(sent.back)
    assert heard[0] == frozenset(range(len(sent.at)))
    assert called_of(flow) == heard[0]
    assert 0 <= told["born_us"] < 10_000_000


def test_stream_that_is_no_newborn_is_not_called() -> None:
    with steady() as server:
        server.echo()
        [told] = born("7", "1000", "100", "-", f"{HERE}:{FIRST_PORT}:{PORTS}")

    assert called_of(told["flows"][0]) == frozenset()


def test_init_container_writes_its_line_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "init"

    assert born("7", "1000", "50", str(file), f"{HERE}:{FIRST_PORT}:{PORTS}") == []
    assert len(sent_of(json.loads(file.read_text(encoding="utf-8"))["flows"][0]).at) > 5
