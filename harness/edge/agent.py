"""The prober's half that runs inside a pod, under plain python3 and nothing else.

It reads one JSON line per round from stdin and answers one JSON line, after all of the round's
sockets have been served by a single event loop. It never judges: it reports what each socket saw.
The other half (`prober.py`) sends this file's text to the pod, so both are always of one version.

Round:  {"round": 1, "deadline": 1.2, "items": [ITEM, ...]}
ITEM:   {"id": "a", "proto": "tcp|udp|icmp", "addr": "10.0.0.1", "port": 80,
         "offsets": [0, 0.15, 0.4], "payload": BASE64 or null, "want": "bytes|dns|none"}
Answer: {"round": 1, "lag_ms": 0.4, "items": {"a": [ATTEMPT, ...]}}
ATTEMPT: {"phase": "connected|answered|timeout|refused|reset|error", "error": "EMFILE", "ms": 1.5,
          "data": BASE64}
Timing: {"round": 2, "time": ["google.com"], "repeat": 20} -> {"round": 2, "ms": {NAME: [..]}}
"""

import base64
import contextlib
import errno
import heapq
import json
import selectors
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

REFUSED = {errno.ECONNREFUSED}
RESET = {errno.ECONNRESET, errno.EPIPE}
LENGTH = 2  # bytes before a DNS message over TCP
STEP = 0.05  # seconds: the loop never sleeps longer, so its lag is measurable


class Attempt:
    """One socket of one item."""

    def __init__(self, item: dict[str, Any], start: float) -> None:
        self.item = item
        self.start = start
        self.sock: socket.socket | None = None
        self.connected_ms: float | None = None
        self.buffer = b""
        self.result: dict[str, Any] | None = None

    def open(self, selector: selectors.BaseSelector) -> None:
        """Create the socket and send what it has to send."""
        proto = self.item["proto"]
        kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
        number = socket.IPPROTO_ICMP if proto == "icmp" else 0
        self.start = time.monotonic()
        try:
            self.sock = socket.socket(socket.AF_INET, kind, number)
            self.sock.setblocking(False)
            code = self.sock.connect_ex((self.item["addr"], self.item["port"] or 0))
            if code not in (0, errno.EINPROGRESS):
                self.fail(code)
                return
            if proto != "tcp":
                self.sock.send(self.payload())
            selector.register(
                self.sock, selectors.EVENT_WRITE if proto == "tcp" else selectors.EVENT_READ, self
            )
        except OSError as error:
            self.fail(error.errno)

    def payload(self) -> bytes:
        """Return the bytes to send."""
        if self.item["proto"] == "icmp":
            return struct.pack("!BBHHH", 8, 0, 0, 0, 1) + b"policylab"
        return base64.b64decode(self.item["payload"] or "")

    def ready(self, selector: selectors.BaseSelector) -> None:
        """Go on after the selector said that the socket is ready."""
        if self.sock is None:
            return
        try:
            if self.item["proto"] == "tcp" and self.connected_ms is None:
                self.connect_done(self.sock, selector)
            else:
                self.read(self.sock)
        except OSError as error:
            self.fail(error.errno)

    def connect_done(self, sock: socket.socket, selector: selectors.BaseSelector) -> None:
        """The handshake ended: well, or with an error of the network."""
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.fail(code)
            return
        self.connected_ms = self.age_ms()
        if self.item["want"] == "none":
            self.finish("connected")
            return
        sock.send(self.payload())
        selector.modify(sock, selectors.EVENT_READ, self)

    def read(self, sock: socket.socket) -> None:
        """Take what has come; a DNS answer over TCP says its own length (RFC 1035 4.2.2)."""
        data = sock.recv(65535)
        self.buffer += data
        tcp = self.item["proto"] == "tcp"
        if tcp and data and self.item["want"] == "dns" and not self.is_whole():
            return
        self.finish("answered" if self.buffer or not tcp else "connected")

    def is_whole(self) -> bool:
        """Whether the buffer holds a whole DNS message of TCP."""
        if len(self.buffer) < LENGTH:
            return False
        (length,) = struct.unpack("!H", self.buffer[:LENGTH])
        return len(self.buffer) >= LENGTH + int(length)

    def age_ms(self) -> float:
        """How long the attempt has been going on."""
        return round((time.monotonic() - self.start) * 1000, 3)

    def fail(self, code: int | None) -> None:
        """End with an error number."""
        name = errno.errorcode.get(code or 0, str(code))
        if self.is_connected():
            # The handshake is what a policy decides; what the server did next is told beside it.
            self.finish("connected", name)
        elif code in REFUSED:
            self.finish("refused")
        elif code in RESET:
            self.finish("reset")
        else:
            self.finish("error", name)

    def expire(self) -> None:
        """End at the round's deadline."""
        self.finish("connected" if self.is_connected() else "timeout")

    def is_connected(self) -> bool:
        """Whether the handshake is all that was wanted, and it was done."""
        return self.connected_ms is not None and self.item["want"] != "dns"

    def finish(self, phase: str, error: str = "") -> None:
        """Record the result."""
        handshake = self.connected_ms if phase == "connected" else None
        self.result = {
            "phase": phase,
            "error": error,
            "ms": self.age_ms() if handshake is None else handshake,
            "data": base64.b64encode(self.buffer).decode(),
        }

    def close(self, selector: selectors.BaseSelector) -> None:
        """Let go of the socket."""
        if self.sock is None:
            return
        with contextlib.suppress(KeyError, ValueError):
            selector.unregister(self.sock)
        self.sock.close()
        self.sock = None


class Round:
    """All sockets of one request, served by one loop."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.number = request["round"]
        self.selector = selectors.DefaultSelector()
        self.lag = 0.0
        began = time.monotonic()
        self.end = began + request["deadline"]
        self.attempts: dict[str, list[Attempt]] = {item["id"]: [] for item in request["items"]}
        self.live: set[Attempt] = set()
        self.waiting = [
            (began + offset, order, item)
            for order, item in enumerate(request["items"])
            for offset in item["offsets"]
        ]
        heapq.heapify(self.waiting)

    def run(self) -> dict[str, Any]:
        """Serve until everything is answered or the deadline has come."""
        while (self.waiting or self.live) and time.monotonic() < self.end:
            self.start_due()
            self.wait()
            self.settle()
        for attempt in self.live:
            attempt.expire()
            attempt.close(self.selector)
        self.selector.close()
        results = {key: [a.result for a in found] for key, found in self.attempts.items()}
        return {"round": self.number, "lag_ms": round(self.lag * 1000, 3), "items": results}

    def start_due(self) -> None:
        """Open the sockets whose time has come."""
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            due, _, item = heapq.heappop(self.waiting)
            self.lag = max(self.lag, now - due)
            attempt = Attempt(item, now)
            self.attempts[item["id"]].append(attempt)
            self.live.add(attempt)
            attempt.open(self.selector)

    def wait(self) -> None:
        """Sleep until a socket is ready or the next thing is due, and note how late we woke."""
        now = time.monotonic()
        until = min([self.end, now + STEP, *(entry[0] for entry in self.waiting[:1])])
        if any(a.result for a in self.live):
            until = now
        pause = max(0.0, until - now)
        events = self.selector.select(pause)
        self.lag = max(self.lag, time.monotonic() - now - pause)
        for key, _ in events:
            key.data.ready(self.selector)

    def settle(self) -> None:
        """Close what is answered, and all that was to come after it: only silence needs more."""
        done = [a for a in self.live if a.result]
        for attempt in done:
            attempt.close(self.selector)
            self.live.discard(attempt)
            made = self.attempts[attempt.item["id"]]
            for other in [a for a in self.live if a in made and a.start > attempt.start]:
                other.close(self.selector)
                self.live.discard(other)
                made.remove(other)
        if done:
            answered = {a.item["id"] for a in done}
            self.waiting = [entry for entry in self.waiting if entry[2]["id"] not in answered]
            heapq.heapify(self.waiting)


def run_timing(request: dict[str, Any]) -> dict[str, Any]:
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


def say(message: dict[str, Any]) -> None:
    """Write one line, at once."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer lines until stdin ends."""
    conf = Path("/etc/resolv.conf").read_text(encoding="utf-8")
    hello = {"hello": 1, "hostname": socket.gethostname(), "resolv_conf": conf}
    say(hello)
    for line in sys.stdin:
        request = json.loads(line)
        answer = run_timing(request) if "time" in request else Round(request).run()
        say(answer)


if __name__ == "__main__":
    main()
