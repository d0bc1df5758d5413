"""The prober's half that runs inside a pod, under plain python3 and nothing else.

It reads one JSON line per round from stdin and answers one JSON line, after all of the round's
sockets have been served by a single event loop. It never judges: it reports what each socket saw.
The other half (`prober.py`) sends this file's text to the pod, so both are always of one version.

Round:  {"round": 1, "deadline": 1.2, "items": [ITEM, ...]}
ITEM:   {"id": "a", "proto": "tcp|udp|icmp", "addr": "10.0.0.1", "port": 80,
         "offsets": [0, 0.15, 0.4], "payload": BASE64 or null, "want": "bytes|dns|none"}
Answer: {"round": 1, "lag_ms": 0.4, "items": {"a": [ATTEMPT, ...]}}
ATTEMPT: {"phase": "connected|answered|timeout|refused|reset|error", "error": "", "ms": 1.5, "data": BASE64}
Timing: {"round": 2, "time": ["google.com", "google.com."], "repeat": 20} -> {"round": 2, "ms": {NAME: [..]}}
"""

import base64
import errno
import heapq
import json
import selectors
import socket
import struct
import sys
import time

REFUSED = {errno.ECONNREFUSED}
RESET = {errno.ECONNRESET, errno.EPIPE}
STEP = 0.05  # seconds: the loop never sleeps longer, so its lag is measurable


class Attempt:
    """One socket of one item."""

    def __init__(self, item, start):
        self.item = item
        self.start = start
        self.sock = None
        self.connected = False
        self.buffer = b""
        self.result = None

    def open(self, selector):
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
            selector.register(self.sock, selectors.EVENT_WRITE if proto == "tcp" else selectors.EVENT_READ, self)
        except OSError as error:
            self.fail(error.errno)

    def payload(self):
        """Return the bytes to send."""
        if self.item["proto"] == "icmp":
            return struct.pack("!BBHHH", 8, 0, 0, 0, 1) + b"policylab"
        return base64.b64decode(self.item["payload"] or "")

    def ready(self, selector):
        """Go on after the selector said that the socket is ready."""
        try:
            if self.item["proto"] == "tcp" and not self.connected:
                code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    self.fail(code)
                    return
                self.connected = True
                self.done_ms = (time.monotonic() - self.start) * 1000
                if self.item["want"] == "none":
                    self.finish("connected")
                    return
                self.sock.send(self.payload())
                selector.modify(self.sock, selectors.EVENT_READ, self)
                return
            self.read()
        except OSError as error:
            self.fail(error.errno)

    def read(self):
        """Take what has come; a DNS answer over TCP says its own length."""
        data = self.sock.recv(65535)
        self.buffer += data
        if self.item["proto"] == "tcp" and self.item["want"] == "dns" and data:
            if len(self.buffer) < 2 or len(self.buffer) < 2 + struct.unpack("!H", self.buffer[:2])[0]:
                return
        self.finish("answered" if self.buffer or self.item["proto"] != "tcp" else "connected")

    def fail(self, code):
        """End with an error number."""
        if self.connected and self.item["want"] != "dns":
            # The handshake is what a policy decides; what the server did next is told beside it.
            self.finish("connected", errno.errorcode.get(code, str(code)))
        elif code in REFUSED:
            self.finish("refused")
        elif code in RESET:
            self.finish("reset")
        else:
            self.finish("error", errno.errorcode.get(code, str(code)))

    def finish(self, phase, error=""):
        """Record the result and close the socket."""
        now = (time.monotonic() - self.start) * 1000
        self.result = {
            "phase": phase,
            "error": error,
            "ms": round(self.done_ms if phase == "connected" and self.connected else now, 3),
            "data": base64.b64encode(self.buffer).decode(),
        }

    def close(self, selector):
        """Let go of the socket."""
        if self.sock is not None:
            try:
                selector.unregister(self.sock)
            except (KeyError, ValueError):
                pass
            self.sock.close()
            self.sock = None

    def expire(self):
        """End at the round's deadline."""
        self.finish("connected" if self.connected and self.item["want"] != "dns" else "timeout")


def run_round(request):
    """Serve all sockets of a round in one loop and return the answer."""
    selector = selectors.DefaultSelector()
    began = time.monotonic()
    end = began + request["deadline"]
    attempts = {item["id"]: [] for item in request["items"]}
    waiting = []
    for order, item in enumerate(request["items"]):
        for offset in item["offsets"]:
            heapq.heappush(waiting, (began + offset, order, offset, item))
    live = set()
    lag = 0.0
    while waiting or live:
        now = time.monotonic()
        if now >= end:
            break
        while waiting and waiting[0][0] <= now:
            due, _, _, item = heapq.heappop(waiting)
            if any(a.result and a.result["phase"] != "timeout" for a in attempts[item["id"]]):
                continue  # an answer came already: only silence needs more attempts
            lag = max(lag, now - due)
            attempt = Attempt(item, now)
            attempts[item["id"]].append(attempt)
            attempt.open(selector)
            if attempt.result:
                attempt.close(selector)
            else:
                live.add(attempt)
        until = min([end, now + STEP] + ([waiting[0][0]] if waiting else []))
        pause = max(0.0, until - time.monotonic())
        before = time.monotonic()
        events = selector.select(pause)
        lag = max(lag, time.monotonic() - before - pause)
        for key, _ in events:
            key.data.ready(selector)
        for attempt in [a for a in live if a.result]:
            attempt.close(selector)
            live.discard(attempt)
            if attempt.result["phase"] != "timeout":
                for other in [a for a in live if a.item is attempt.item and a.start > attempt.start]:
                    other.close(selector)
                    live.discard(other)
                    attempts[attempt.item["id"]].remove(other)
    for attempt in list(live):
        attempt.expire()
        attempt.close(selector)
    selector.close()
    results = {key: [a.result for a in values if a.result] for key, values in attempts.items()}
    return {"round": request["round"], "lag_ms": round(lag * 1000, 3), "items": results}


def run_timing(request):
    """Time the C library's own lookups, the names in turn so that noise falls on all alike."""
    taken = {name: [] for name in request["time"]}
    for _ in range(request["repeat"]):
        for name, values in taken.items():
            before = time.perf_counter()
            try:
                socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)
            except socket.gaierror as error:
                return {"round": request["round"], "error": f"{name}: {error}"}
            values.append(round((time.perf_counter() - before) * 1000, 4))
    return {"round": request["round"], "ms": taken}


def main():
    """Answer lines until stdin ends."""
    with open("/etc/resolv.conf") as conf:
        hello = {"hello": 1, "hostname": socket.gethostname(), "resolv_conf": conf.read()}
    print(json.dumps(hello), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = run_timing(request) if "time" in request else run_round(request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
