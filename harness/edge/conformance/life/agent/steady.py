"""Sends datagrams at a constant pace, echoes the datagrams of others, and remembers both."""

import base64
import contextlib
import errno
import json
import os
import select
import socket
import struct
import sys
import time
import zlib
from array import array
from typing import Any

FORMAT = struct.Struct("!IHI")
CHUNK = 1 << 16
BUFFER = 1 << 20
YOUNG_US, OLD_US = 10_000, 2_000_000
LOOKED_AT = 50  # datagrams of one look
OWN_FAULTS = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}
STDIN = 0


def now_us() -> int:
    """Microseconds of this machine's monotonic clock."""
    return time.monotonic_ns() // 1000


def packed(data: bytes) -> str:
    """Bytes as a line of JSON can have them."""
    return base64.b64encode(zlib.compress(data, 1)).decode()


def numbers(values: "array[int]") -> str:
    """Unsigned 32-bit numbers, little-endian."""
    if sys.byteorder == "big":
        values = array("I", values)
        values.byteswap()
    return packed(values.tobytes())


def lost() -> dict[str, int]:
    """What the kernel threw away so far: a datagram that no socket got says nothing of policy."""
    buffers = backlog = 0
    with open("/proc/net/snmp", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 4 ms
        names, values = (line.split() for line in file if line.startswith("Udp:"))
        counts = dict(zip(names[1:], map(int, values[1:])))  # noqa: B905 - plain python3 of any age
        buffers = counts.get("RcvbufErrors", 0) + counts.get("MemErrors", 0)
    with open("/proc/net/softnet_stat", encoding="ascii") as file:  # noqa: PTH123
        backlog = sum(int(line.split()[1], 16) for line in file)
    return {"buffers": buffers, "backlog": backlog}


class Flow:
    """One flow: where its datagrams go, when each was sent, and when it came back."""

    def __init__(self, number: int, told: dict[str, Any]) -> None:
        self.number = number
        self.address = told["addr"]
        self.family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self.port = told["port"]
        self.ports = told["ports"]
        self.held: socket.socket | None = None
        if told["held"]:
            self.held = datagrams(self.family)
        self.sent = array("I")
        self.back = array("I")
        self.failed: dict[int, str] = {}


class Sending:
    """A stream: at each tick, one datagram on each flow."""

    def __init__(self, told: dict[str, Any], epoll: "select.epoll") -> None:
        self.nonce = told["nonce"]
        self.every = told["every_us"]
        self.flows = [Flow(number, flow) for number, flow in enumerate(told["flows"])]
        families = {flow.family for flow in self.flows}
        self.count = told["sockets"]
        self.sockets = {f: [datagrams(f) for _ in range(self.count)] for f in families}
        self.by_fd = {s.fileno(): s for sockets in self.sockets.values() for s in sockets}
        self.by_fd.update({f.held.fileno(): f.held for f in self.flows if f.held})
        for fd in self.by_fd:
            epoll.register(fd, select.EPOLLIN)
        self.lost = lost()
        self.tick = 0
        self.began = self.due = now_us()

    def turn(self) -> None:
        """Send what is due; ticks that this process slept through are left out."""
        lap, turn = divmod(self.tick, self.count)
        for flow in self.flows:
            if flow.held:
                self.send(flow, flow.held, 0)
            else:
                self.send(flow, self.sockets[flow.family][turn], lap % flow.ports)
        self.tick += 1
        self.due = max(self.due + self.every, now_us())

    def send(self, flow: Flow, sock: socket.socket, offset: int) -> None:
        """Send one datagram, and note when."""
        count = len(flow.sent)
        data = FORMAT.pack(self.nonce, flow.number, count)
        at = now_us() - self.began
        try:
            sock.sendto(data, (flow.address, flow.port + offset))
        except OSError as error:
            if error.errno in OWN_FAULTS:
                return  # this machine's want of room: as if the tick had been slept through
            flow.failed[count] = errno.errorcode.get(error.errno or 0, str(error))
        flow.sent.append(at)
        flow.back.append(0)

    def take(self, fd: int) -> None:
        """Note the echoes that came to a socket."""
        sock = self.by_fd[fd]
        while True:
            try:
                data = sock.recv(64)
            except BlockingIOError:
                return
            except OSError:
                continue
            if len(data) != FORMAT.size:
                continue
            nonce, number, count = FORMAT.unpack(data)
            if nonce == self.nonce and number < len(self.flows):
                flow = self.flows[number]
                if count < len(flow.back) and not flow.back[count]:
                    flow.back[count] = now_us() - self.began - flow.sent[count] + 1

    def look(self) -> dict[str, Any]:
        """Of each flow's last datagrams that are not young: how many there are, how many came."""
        at = now_us() - self.began
        found = []
        for flow in self.flows:
            seen = back = 0
            for count in range(len(flow.sent) - 1, -1, -1):
                age = at - flow.sent[count]
                if age > OLD_US or seen == LOOKED_AT:
                    break
                if age >= YOUNG_US:
                    seen += 1
                    back += flow.back[count] > 0
            found.append([seen, back])
        return {"us": at, "flows": found}

    def told(self) -> dict[str, Any]:
        """All that was seen."""
        after = lost()
        return {
            "us": now_us() - self.began,
            "flows": [
                {"sent": numbers(f.sent), "back": numbers(f.back), "failed": f.failed}
                for f in self.flows
            ],
            "lost": {name: after[name] - before for name, before in self.lost.items()},
        }

    def close(self, epoll: "select.epoll") -> None:
        """Let go of the sockets."""
        for fd, sock in self.by_fd.items():
            epoll.unregister(fd)
            sock.close()


class Echo:
    """Ports that send every datagram back, and remember it."""

    def __init__(self, told: dict[str, Any], epoll: "select.epoll") -> None:
        first, count = told["echo"]
        self.least, self.call_port = told["call"]
        self.sockets: dict[int, socket.socket] = {}
        self.heard: dict[tuple[int, int], bytearray] = {}
        self.lost = lost()
        for port in range(first, first + count):
            sock = door(port)
            self.sockets[sock.fileno()] = sock
            epoll.register(sock.fileno(), select.EPOLLIN)
        self.callers = list(self.sockets.values())

    def take(self, fd: int) -> None:
        """Send back what came to a socket."""
        sock = self.sockets[fd]
        while True:
            try:
                data, sender = sock.recvfrom(64)
            except BlockingIOError:
                return
            except OSError:
                continue
            if len(data) != FORMAT.size:
                continue
            nonce, number, count = FORMAT.unpack(data)
            # Where the way back is closed, the datagram was heard all the same.
            with contextlib.suppress(OSError):
                sock.sendto(data, sender)
            if nonce >= self.least:
                caller = self.callers[count % len(self.callers)]
                with contextlib.suppress(OSError):
                    caller.sendto(data, (sender[0], self.call_port))
            bits = self.heard.setdefault((nonce, number), bytearray())
            if count < 1 << 24:
                if count >= len(bits):
                    bits.extend(bytes(count + 1 - len(bits)))
                bits[count] = 1

    def told(self, nonce: int) -> dict[str, Any]:
        """The numbers of a stream's datagrams that came here."""
        after = lost()
        flows = {str(key[1]): packed(bytes(b)) for key, b in self.heard.items() if key[0] == nonce}
        return {
            "flows": flows,
            "lost": {name: after[name] - before for name, before in self.lost.items()},
        }


class Agent:
    """One loop for requests, echoes and the stream."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.epoll.register(STDIN, select.EPOLLIN)
        os.set_blocking(STDIN, False)
        self.echo: Echo | None = None
        self.sending: Sending | None = None
        self.buffer = b""
        self.ended = False

    def run(self) -> None:
        """Serve until the input ends."""
        while not self.ended:
            sending = self.sending
            if sending:
                pause = sending.due - now_us()
                if pause > 0:
                    time.sleep(pause / 1e6)
                sending.turn()
            self.serve(0.0 if sending else None)

    def serve(self, pause: "float | None") -> None:
        """Take what has come, after `pause` seconds at most."""
        for fd, _ in self.epoll.poll(pause):
            if fd == STDIN:
                self.read()
            elif self.sending and fd in self.sending.by_fd:
                self.sending.take(fd)
            elif self.echo and fd in self.echo.sockets:
                self.echo.take(fd)

    def read(self) -> None:
        """Answer the requests that have come; the end of the input is ours."""
        data = os.read(STDIN, CHUNK)
        self.ended = not data
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            sys.stdout.write(json.dumps(self.answer(json.loads(line))) + "\n")
            sys.stdout.flush()

    def answer(self, told: dict[str, Any]) -> dict[str, Any]:
        """Do what a request says."""
        if "echo" in told:
            self.echo = Echo(told, self.epoll)
            return {"echoing": len(self.echo.sockets)}
        if "send" in told:
            self.sending = Sending(told["send"], self.epoll)
            return {"us": 0}
        if "heard" in told and self.echo:
            return self.echo.told(told["heard"])
        if self.sending and "look" in told:
            return self.sending.look()
        if self.sending and "stop" in told:
            sending = self.sending
            self.last_echoes(sending, told["stop"])
            sending.close(self.epoll)
            self.sending = None
            return sending.told()
        return {"error": "there is nothing of the kind here"}

    def last_echoes(self, sending: Sending, seconds: float) -> None:
        """Wait for datagrams that are still on their way."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for fd, _ in self.epoll.poll(left):
                if fd in sending.by_fd:
                    sending.take(fd)
                elif self.echo and fd in self.echo.sockets:
                    self.echo.take(fd)
                elif fd == STDIN:
                    return


def datagrams(family: int) -> socket.socket:
    """A socket for datagrams with room for a burst."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    return sock


def door(port: int) -> socket.socket:
    """A socket for datagrams of both families to a port; of IPv4 alone where IPv6 is switched off.

    Without this an echo would have to know which families its pod has.
    """
    try:
        sock = datagrams(socket.AF_INET6)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", port))
    except OSError as error:
        if error.errno not in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            raise
        sock = datagrams(socket.AF_INET)
        sock.bind(("", port))
    return sock


def main() -> None:
    """Serve."""
    Agent().run()
