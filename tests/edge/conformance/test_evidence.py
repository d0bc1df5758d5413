"""The two programs of a reproduction, over loopback: the client prints `open` for each protocol."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from harness.edge.conformance.evidence import _CLIENT, _SERVER
from harness.edge.machine.wait import NotYet, wait_for

KINDS = {"TCP": (1, 6), "UDP": (2, 17), "SCTP": (1, 132)}


def free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has(protocol: str) -> bool:
    try:
        socket.socket(socket.AF_INET, *KINDS[protocol]).close()
    except OSError:
        return False
    return True


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A server of one protocol, and its port."""
    protocol, port = str(request.param), free_port()
    if not has(protocol):
        pytest.skip(f"this kernel has no {protocol}")
    words = [sys.executable, "-c", _SERVER, json.dumps([[protocol, port]])]
    with subprocess.Popen(words) as made:
        yield protocol, port
        made.kill()


@pytest.mark.parametrize("server", ["TCP", "UDP", "SCTP"], indirect=True)
def test_client_prints_open_where_the_server_answers(server: tuple[str, int]) -> None:
    protocol, port = server
    words = [sys.executable, "-c", _CLIENT, protocol, "127.0.0.1", str(port)]

    def answered() -> None:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
        if "ConnectionRefusedError" in done.stderr:
            raise NotYet("the server has not begun")
        assert (done.stdout, done.stderr) == ("open\n", "")

    wait_for("the server answers", answered, seconds=20)
