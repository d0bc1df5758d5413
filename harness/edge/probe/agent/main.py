"""The agent's event loop: requests from its input, a round's sockets, and the listeners."""

import json
import os
import selectors
import socket
import sys
import time
from typing import Any, TextIO

from harness.edge.probe.agent.attempt import Loop, fresh_ports
from harness.edge.probe.agent.listeners import Listeners
from harness.edge.probe.agent.rounds import Round
from harness.edge.probe.agent.spaces import Spaces

CHUNK = 1 << 16


class Agent:
    """Serves requests one after the other, and its listeners all the time.

    `stdin` is a file descriptor, `stdout` a text file.
    """

    def __init__(self, stdin: int, stdout: "TextIO") -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.selector = selectors.DefaultSelector()
        self.selector.register(stdin, selectors.EVENT_READ, self)
        self.spaces = Spaces()
        self.loop = Loop(self.selector, fresh_ports(), spaces=self.spaces)
        self.listeners = Listeners(self.selector, self.spaces)
        self.round: Round | None = None
        self.buffer = b""
        self.lines: list[bytes] = []
        self.ended = False

    def run(self) -> None:
        """Answer until the input ends; then close the listeners."""
        while not self.ended:
            looked = time.monotonic()
            pause = self.round.pause() if self.round else None
            events = self.selector.select(pause)
            woke = time.monotonic()
            for key, _ in events:
                key.data.ready()
            if self.round and pause is not None:
                self.round.turn(looked)
                # How long it slept beyond its time, or worked before it could look again. After
                # the last look nothing is missed by working: not by putting away what was silent.
                worked = 0.0 if self.round.over else time.monotonic() - woke
                self.round.lag = max(self.round.lag, woke - looked - pause, worked)
                if self.round.over:
                    self.say(self.round.answer())
                    self.round = None
            while self.lines and not self.round:
                self.begin(json.loads(self.lines.pop(0)))
        self.listeners.replace([], "")
        self.selector.close()

    def ready(self) -> None:
        """Take requests from the input; its end is ours."""
        data = os.read(self.stdin, CHUNK)
        self.ended = not data
        *whole, self.buffer = (self.buffer + data).split(b"\n")
        self.lines += whole

    def begin(self, request: dict[str, Any]) -> None:
        """Start a round, or answer at once."""
        number = request["round"]
        if "items" in request:
            self.round = Round(request, self.loop)
        elif "listen" in request:
            opened = self.listeners.replace(request["listen"], request["name"])
            self.say({"round": number, "listening": opened})
        elif "enter" in request:
            self.say({"round": number, "entered": self.spaces.enter(request["enter"])})
        elif "leave" in request:
            self.listeners.leave(request["leave"])
            self.spaces.leave(request["leave"])
            self.say({"round": number, "left": request["leave"]})
        elif "heard" in request:
            self.say({"round": number, "heard": self.listeners.tell()})
        else:
            self.say(timing(request))

    def say(self, message: dict[str, Any]) -> None:
        """Write one line, at once."""
        self.stdout.write(json.dumps(message) + "\n")
        self.stdout.flush()


def timing(request: dict[str, Any]) -> dict[str, Any]:
    """Time the C library's own lookups, the names in turn so that noise falls on all alike."""
    taken: dict[str, list[float]] = {name: [] for name in request["time"]}
    for _ in range(request["repeat"]):
        for name, values in taken.items():
            before = time.perf_counter()
            try:
                socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)
            except socket.gaierror as error:
                return {"round": request["round"], "error": f"{name}: {error}"}
            values.append(round((time.perf_counter() - before) * 1000, 4))
    return {"round": request["round"], "ms": taken}


def main(stdin: int = 0, stdout: "TextIO | None" = None) -> None:
    """Say hello, then serve."""
    with open("/etc/resolv.conf", encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 4 ms
        conf = file.read()
    agent = Agent(stdin, stdout or sys.stdout)
    agent.say({"hello": 1, "hostname": socket.gethostname(), "resolv_conf": conf})
    agent.run()
