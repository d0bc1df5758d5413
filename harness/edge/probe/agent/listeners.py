"""Servers that say who they are and what they were asked, and remember what they heard."""

import contextlib
import errno
import selectors
import socket
import struct
import time
from typing import Any

from harness.core.probe.greeting import nonce_of, reply, stays
from harness.edge.probe.agent.attempt import STREAMS
from harness.edge.probe.agent.spaces import HOME, Spaces

MAX_LINE = 512
BACKLOG = 1024
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module has no name for it
TIMESPEC = struct.Struct("@ll")


class Listeners:
    """The ports on which pods answer for themselves: this pod, or the pods of this node."""

    def __init__(self, selector: selectors.BaseSelector, spaces: Spaces) -> None:
        self.selector = selector
        self.spaces = spaces
        self.open: list[Door] = []
        self.heard: dict[str, dict[str, float]] = {}

    def replace(self, wanted: list[dict[str, Any]], name: str) -> dict[str, str]:
        """Close what was open and open these; returns the error, or nothing, of each."""
        for door in self.open:
            door.close()
        self.open = []
        found: dict[str, str] = {}
        for entry in wanted:
            pod = entry.get("pod", HOME)
            key = f"{pod} {entry['proto']}/{entry['port']}".strip()
            try:
                self.open.append(Door(self, entry, pod or name))
                found[key] = ""
            except OSError as error:
                found[key] = errno.errorcode.get(error.errno or 0, str(error))
        return found

    def leave(self, pods: list[str]) -> None:
        """Close what is open in these pods."""
        for door in self.open:
            if door.pod in pods:
                door.close()
        self.open = [door for door in self.open if door.pod not in pods]

    def tell(self) -> dict[str, dict[str, float]]:
        """The nonces that came to each pod since the last time, with how many ms late."""
        for door in self.open:
            door.ready()
        told, self.heard = self.heard, {}
        return told


class Door:
    """One listening socket."""

    def __init__(self, home: Listeners, entry: dict[str, Any], name: str) -> None:
        self.home = home
        self.name = name
        self.answers = entry.get("answers", True)
        number = STREAMS.get(entry["proto"], 0)
        self.stream = bool(number)
        self.pod = entry.get("pod", HOME)
        home.spaces.go(self.pod)
        kind = socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM
        six = entry.get("six", False)
        self.sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind, number)
        try:
            if six:  # one socket for both families: clients of IPv4 come as mapped addresses
                self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self.sock.setblocking(False)
            if self.stream:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.sock.bind(("", entry["port"]))
            if self.stream:
                self.sock.listen(BACKLOG)
        except OSError:
            self.sock.close()
            raise
        home.selector.register(self.sock, selectors.EVENT_READ, self)

    def ready(self) -> None:
        """Take all that has come."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.accept() if self.stream else self.receive()

    def accept(self) -> None:
        """Let one client in."""
        with contextlib.suppress(ConnectionError):
            sock, _ = self.sock.accept()
            sock.setblocking(False)
            self.home.selector.register(sock, selectors.EVENT_READ, Guest(self, sock))

    def receive(self) -> None:
        """Take one datagram, and answer it."""
        with contextlib.suppress(ConnectionError):
            data, extra, _, sender = self.sock.recvmsg(MAX_LINE, 64)
            answer = self.hear(data, late_ms(extra))
            if answer:
                self.sock.sendto(answer, sender)

    def hear(self, data: bytes, late: float) -> bytes:
        """Note the nonce of a greeting, and return the answer to it; nothing for other data."""
        nonce = nonce_of(data)
        if not nonce:
            return b""
        self.home.heard.setdefault(self.pod, {})[nonce] = late
        return reply(self.name, nonce) if self.answers else b""

    def close(self) -> None:
        """Stop listening."""
        self.home.selector.unregister(self.sock)
        self.sock.close()


class Guest:
    """One client that is connected, until it has its answer."""

    def __init__(self, door: Door, sock: socket.socket) -> None:
        self.door = door
        self.sock = sock
        self.buffer = b""

    def ready(self) -> None:
        """Answer a whole line, and part."""
        try:
            data = self.sock.recv(MAX_LINE)
            self.buffer += data
            if data and b"\n" not in self.buffer and len(self.buffer) < MAX_LINE:
                return
            answer = self.door.hear(self.buffer, 0.0)
            if answer:
                self.sock.send(answer)
            if data and stays(self.buffer):
                self.buffer = b""
                return
        except BlockingIOError:
            return
        except OSError:
            self.buffer = b""
        self.door.home.selector.unregister(self.sock)
        self.sock.close()


def late_ms(extra: "list[tuple[int, int, bytes]]") -> float:
    """How long the kernel had a datagram before this process took it."""
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(data[: TIMESPEC.size])
            return float(round((time.time() - seconds - nanoseconds / 1e9) * 1000, 3))
    return 0.0
