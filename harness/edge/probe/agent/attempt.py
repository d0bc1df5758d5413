"""One socket of one probe: opened, served by the event loop, and told of."""

import base64
import contextlib
import errno
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from harness.edge.probe.agent.spaces import HOME, Spaces

REFUSED = {errno.ECONNREFUSED}
RESET = {errno.ECONNRESET, errno.EPIPE}
ECHO, ECHO_V6 = 8, 128  # RFC 792; RFC 4443 4.1
LENGTH = 2  # bytes before a DNS message over TCP
# The protocols that begin with a handshake, by their numbers (IANA, "Protocol Numbers"). SCTP is
# used one-to-one, which behaves as TCP does (RFC 6458 4). A python3 may lack its constant.
STREAMS = {"tcp": 6, "sctp": 132}


def fresh_ports() -> Iterator[int]:
    """Source ports (of ICMP: identifiers), each used again as late as can be.

    What passed once without a handshake may pass for 30 s more, whatever policies say by then: the
    kernel's connection tracking takes the next datagram of the same ports for the same flow. The
    clock's start keeps an agent from those of the one before it.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 4 ms
        first, last = map(int, file.read().split())
    size = last - first + 1
    start = int(time.time() * 100)
    for number in count(start):
        yield first + number % size


TRIES = 2000  # ports in a row that another agent of the same machine may have


def bind_fresh(sock: socket.socket, ports: Iterator[int]) -> None:
    """Give the socket a port that was not used lately."""
    for left in reversed(range(TRIES)):
        try:
            sock.bind(("", next(ports)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not left:
                raise
        else:
            return


class Loop:
    """What all rounds of an agent share: selector, source ports, clock, namespaces of pods."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        ports: Iterator[int],
        clock: Callable[[], float] = time.monotonic,
        spaces: "Spaces | None" = None,
    ) -> None:
        self.selector = selector
        self.ports = ports
        self.clock = clock
        self.spaces = spaces or Spaces()


class Attempt:
    """One socket of one item; `on_end` is called once, when its result is there."""

    def __init__(
        self, item: dict[str, Any], at: float, loop: Loop, on_end: "Callable[[Attempt], None]"
    ) -> None:
        self.item = item
        self.at = at  # seconds since the round began
        self.loop = loop
        self.start = loop.clock()
        self.on_end = on_end
        self.sock: socket.socket | None = None
        self.connected_ms: float | None = None
        self.port = 0  # of ours: by it others tell this attempt's packets
        self.buffer = b""
        self.result: dict[str, Any] | None = None

    def open(self) -> None:
        """Create the socket and send what it has to send."""
        proto = self.item["proto"]
        kind = socket.SOCK_STREAM if self.is_stream() else socket.SOCK_DGRAM
        family = socket.AF_INET6 if self.is_six() else socket.AF_INET
        icmp = socket.IPPROTO_ICMPV6 if self.is_six() else socket.IPPROTO_ICMP
        number = icmp if proto == "icmp" else STREAMS.get(proto, 0)
        try:
            self.loop.spaces.go(self.item.get("pod", HOME))
            self.sock = socket.socket(family, kind, number)
            self.sock.setblocking(False)
            if proto == "sctp" and self.is_six():
                # Else it would offer its addresses of IPv4 as well (RFC 9260 5.1.2), and the flow
                # might go on over the other family.
                self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if proto != "tcp":
                # The kernel draws SCTP's ports at random: one may come back while connection
                # tracking still knows it, and takes the new INIT for a part of the old flow.
                bind_fresh(self.sock, self.loop.ports)
            code = self.sock.connect_ex((self.item["addr"], self.item["port"] or 0))
            if code not in (0, errno.EINPROGRESS):
                self.fail(code)
                return
            self.port = self.sock.getsockname()[1]
            if not self.is_stream():
                self.sock.send(self.payload())
            events = selectors.EVENT_WRITE if self.is_stream() else selectors.EVENT_READ
            self.loop.selector.register(self.sock, events, self)
        except OSError as error:
            self.fail(error.errno)

    def is_stream(self) -> bool:
        """Whether a handshake comes before all else."""
        return self.item["proto"] in STREAMS

    def is_six(self) -> bool:
        """Whether the target's address is one of IPv6."""
        return ":" in self.item["addr"]

    def payload(self) -> bytes:
        """The bytes to send."""
        if self.item["proto"] == "icmp":
            kind = ECHO_V6 if self.is_six() else ECHO
            return struct.pack("!BBHHH", kind, 0, 0, 0, 1) + b"policylab"
        return base64.b64decode(self.item["payload"] or "")

    def ready(self) -> None:
        """Go on after the selector said that the socket is ready."""
        if self.sock is None or self.result is not None:
            return
        try:
            if self.is_stream() and self.connected_ms is None:
                self.connect_done(self.sock)
            else:
                self.read(self.sock)
        except OSError as error:
            self.fail(error.errno)

    def connect_done(self, sock: socket.socket) -> None:
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
        self.loop.selector.modify(sock, selectors.EVENT_READ, self)

    def read(self, sock: socket.socket) -> None:
        """Take what has come; a DNS answer over TCP says its own length (RFC 1035 4.2.2)."""
        data = sock.recv(65535)
        self.buffer += data
        stream = self.is_stream()
        if stream and data and self.item["want"] == "dns" and not self.is_whole():
            return
        self.finish("answered" if self.buffer or not stream else "connected")

    def is_whole(self) -> bool:
        """Whether the buffer holds a whole DNS message of TCP."""
        if len(self.buffer) < LENGTH:
            return False
        (length,) = struct.unpack("!H", self.buffer[:LENGTH])
        return len(self.buffer) >= LENGTH + int(length)

    def age_ms(self) -> float:
        """How long the attempt has been going on."""
        return round((self.loop.clock() - self.start) * 1000, 3)

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
        """Record the result and let go of the socket."""
        handshake = self.connected_ms if phase == "connected" else None
        self.result = {
            "phase": phase,
            "error": error,
            "ms": self.age_ms() if handshake is None else handshake,
            "at": round(self.at * 1000, 1),
            "port": self.port,
            "data": base64.b64encode(self.buffer).decode(),
        }
        self.close()
        self.on_end(self)

    def close(self) -> None:
        """Let go of the socket."""
        if self.sock is None:
            return
        with contextlib.suppress(KeyError, ValueError):
            self.loop.selector.unregister(self.sock)
        self.sock.close()
        self.sock = None
