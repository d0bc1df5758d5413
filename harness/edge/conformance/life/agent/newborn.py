"""A pod's first program: the first thing that it asks of the kernel's network is to send.

Words: NONCE EVERY_US MILLISECONDS FILE ADDRESS:FIRST_PORT:COUNT... It sends one datagram to each
address at each tick, from and to ports that it uses once. A pod that hears one calls back, from
another port to CALL_PORT: that is a new flow to this pod. An init container writes what it saw to
FILE; the container after it has no FILE of its own (`-`), and writes the init container's line
from INIT_FILE before its own.
"""

# Everything else is imported after the last datagram: each import costs a millisecond.
import _socket
import sys
import time

CALL_PORT = 29999
INIT_FILE = "/life/init"
SOCKETS = 64
HEAD, SIZE = 6, 10  # bytes of a datagram: nonce and flow, and the number (see the package)
TICKS_A_SECOND = 100  # of /proc/*/stat, on every machine that Kubernetes knows
LAST_ECHOES = 0.3


class Flow:
    """Where datagrams go, when each was sent, came back, and for which one a call came."""

    def __init__(self, word: str, head: bytes) -> None:
        self.address, first, count = word.rsplit(":", 2)
        self.first, self.count = int(first), int(count)
        self.head = head
        self.sent: list[int] = []
        self.back: list[int] = []
        self.called: list[int] = []
        self.failed: dict[int, int] = {}


class Newborn:
    """Sends, and remembers."""

    def __init__(self, words: "list[str]") -> None:
        nonce = int(words[0]).to_bytes(4, "big")
        self.every, self.seconds = int(words[1]) / 1e6, int(words[2]) / 1e3
        self.flows = [
            Flow(word, nonce + number.to_bytes(2, "big")) for number, word in enumerate(words[4:])
        ]
        self.sockets: list[_socket.socket] = []
        self.family = _socket.AF_INET6 if ":" in self.flows[0].address else _socket.AF_INET
        self.calls = datagrams(self.family)
        self.calls.bind(("", CALL_PORT))
        self.began = time.monotonic_ns()
        self.born = time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def run(self) -> None:
        """Send at each tick; a tick that this process slept through is left out."""
        due = time.monotonic()
        end = due + self.seconds
        tick = 0
        while time.monotonic() < end:
            self.send(tick)
            tick += 1
            self.take()
            due = max(due + self.every, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
        time.sleep(LAST_ECHOES)
        self.take()

    def us(self) -> int:
        """Microseconds since the beginning."""
        return (time.monotonic_ns() - self.began) // 1000

    def send(self, tick: int) -> None:
        """One datagram on each flow."""
        if tick < SOCKETS:
            self.sockets.append(datagrams(self.family))
        sock = self.sockets[tick % SOCKETS]
        for flow in self.flows:
            order = len(flow.sent)
            at = self.us()
            try:
                port = flow.first + tick // SOCKETS % flow.count
                sock.sendto(flow.head + order.to_bytes(4, "big"), (flow.address, port))
            except OSError as error:
                flow.failed[order] = error.errno or 0
            flow.sent.append(at)
            flow.back.append(0)

    def take(self) -> None:
        """Take what has come to all sockets."""
        for sock in (self.calls, *self.sockets):
            while True:
                try:
                    data = sock.recv(64)
                except BlockingIOError:
                    break
                except OSError:
                    continue
                for flow in self.flows:
                    if len(data) == SIZE and data[:HEAD] == flow.head:
                        self.note(flow, int.from_bytes(data[HEAD:], "big"), sock)

    def note(self, flow: Flow, order: int, sock: _socket.socket) -> None:
        """An echo or a call came."""
        if order < len(flow.sent):
            if sock is self.calls:
                flow.called.append(order)
            elif not flow.back[order]:
                flow.back[order] = self.us() - flow.sent[order] + 1

    def told(self) -> str:
        """What was seen, as a line of JSON."""
        import base64
        import errno
        import json
        import struct
        import zlib

        def numbers(values: "list[int]") -> str:
            data = struct.pack(f"<{len(values)}I", *values)
            return base64.b64encode(zlib.compress(data)).decode()

        with open("/proc/self/stat", encoding="utf-8") as stat:  # noqa: PTH123 - plain python3
            ticks = int(stat.read().rpartition(")")[2].split()[19])
        flows = [
            {
                "sent": numbers(flow.sent),
                "back": numbers(flow.back),
                "called": numbers(flow.called),
                "failed": {str(n): errno.errorcode.get(c, str(c)) for n, c in flow.failed.items()},
            }
            for flow in self.flows
        ]
        born = self.born // 1000 - ticks * 1_000_000 // TICKS_A_SECOND
        return json.dumps({"born_us": born, "flows": flows}) + "\n"


def datagrams(family: int) -> _socket.socket:
    """A socket for datagrams that does not wait."""
    sock = _socket.socket(family, _socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


def main(words: "list[str]") -> None:
    """Send, then tell."""
    newborn = Newborn(words)
    newborn.run()
    line = newborn.told()
    if words[3] != "-":
        with open(words[3], "w", encoding="utf-8") as out:  # noqa: PTH123 - plain python3
            out.write(line)
        return
    try:
        with open(INIT_FILE, encoding="utf-8") as before:  # noqa: PTH123 - plain python3
            sys.stdout.write(before.read())
    except OSError:
        pass  # there was no init container
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
