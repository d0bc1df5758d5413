"""The name server of the simulated internet: what it answers stands in a file that may change.

Arguments: the host on whose addresses it listens, the port (UDP and TCP), the state's file.
`control.py` writes that file; a question is answered by what stands there when it comes.
"""

import asyncio
import hashlib
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

# Asked for TXT, it tells which state is in force: the SHA-256 of the file.
STATE_NAME = dns.name.from_text("state.policylab.invalid.")
SOA = "ns.policylab.invalid. hostmaster.policylab.invalid. 1 60 60 3600"
FAULTS = {"servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED}


class State:
    """What stands in the file, read again whenever the file is another one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    def refresh(self) -> "State":
        """Read the file if it was replaced; a rename is how it changes, so it is always whole."""
        with self._path.open("rb") as file:
            found = os.fstat(file.fileno())
            seen = (found.st_ino, found.st_mtime_ns)
            if seen != self._seen:
                data = file.read()
                told = json.loads(data)
                self.ttl = int(told["ttl"])
                self.six = told["six"]
                self.names = {dns.name.from_text(n): entry for n, entry in told["names"].items()}
                self.digest = hashlib.sha256(data).hexdigest()
                self._seen = seen
        return self


def answer(query: dns.message.Message, state: State) -> tuple[dns.message.Message | None, float]:
    """Return the reply, None for silence, and for how many seconds to hold it back.

    It looks like a resolver's: the cluster's name server takes this for the resolver of its node
    and passes the flags on. Without "recursion available" nslookup would warn of it.
    """
    reply = dns.message.make_response(query, recursion_available=True)
    if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        reply.set_rcode(dns.rcode.NOTIMP)
        return reply, 0.0
    [question] = query.question
    name, kind = question.name, question.rdtype
    entry = state.names.get(name)
    if name == STATE_NAME and kind == dns.rdatatype.TXT:
        reply.answer.append(dns.rrset.from_text(name, 0, "IN", "TXT", f'"{state.digest}"'))
        return reply, 0.0
    fault = entry["fault"] if entry else "none"
    wait = entry["delay_ms"] / 1000 if entry and fault == "slow" else 0.0
    if fault == "drop":
        return None, 0.0
    if fault in FAULTS:
        reply.set_rcode(FAULTS[fault])
    elif entry and kind == dns.rdatatype.A:
        reply.answer.append(dns.rrset.from_text(name, entry["ttl"], "IN", "A", entry["address"]))
    elif entry and kind == dns.rdatatype.AAAA and entry["address"] in state.six:
        six = state.six[entry["address"]]
        reply.answer.append(dns.rrset.from_text(name, entry["ttl"], "IN", "AAAA", six))
    else:
        # The SOA says for how long to remember that there is nothing (RFC 2308). A name above a
        # known one exists, though it has no records (RFC 8020).
        soa = dns.rrset.from_text(dns.name.root, state.ttl, "IN", "SOA", f"{SOA} {state.ttl}")
        reply.authority.append(soa)
        if not any(known.is_subdomain(name) for known in state.names):
            reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply, wait


async def reply_to(wire: bytes, client: str, transport: str, state: State) -> bytes | None:
    """Answer one question; None where nothing is to be sent. Says on stdout what was asked."""
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException as error:
        print(f"{client} {transport} no question: {error!r}", flush=True)
        return None
    reply, wait = answer(query, state.refresh())
    asked = " ".join(f"{q.name} {dns.rdatatype.to_text(q.rdtype)}" for q in query.question)
    said = dns.rcode.to_text(reply.rcode()) if reply else "no reply"
    late = f" after {wait:g} s" if wait else ""
    print(f"{client} {transport} {asked}: {said}{late}", flush=True)
    await asyncio.sleep(wait)
    return reply.to_wire() if reply else None


class Datagrams(asyncio.DatagramProtocol):
    """Questions by UDP, each answered in a task of its own: a slow one holds up no other."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what replies are sent by."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Answer a question."""
        task = asyncio.get_running_loop().create_task(self._reply(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data: bytes, addr: tuple[Any, ...]) -> None:
        wire = await reply_to(data, addr[0], "udp", self._state)
        if wire is not None:
            self._transport.sendto(wire, addr)


async def serve_stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: State
) -> None:
    """Answer the questions of one TCP connection, each with its length before it (RFC 1035)."""
    client = writer.get_extra_info("peername")[0]
    try:
        while True:
            [length] = struct.unpack("!H", await reader.readexactly(2))
            wire = await reply_to(await reader.readexactly(length), client, "tcp", state)
            if wire is not None:
                writer.write(struct.pack("!H", len(wire)) + wire)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(addresses: list[str], port: int, path: Path) -> None:
    """Serve until told to end."""
    state = State(path).refresh()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    stream = await asyncio.start_server(lambda r, w: serve_stream(r, w, state), addresses, port)
    doors = [
        await loop.create_datagram_endpoint(lambda: Datagrams(state), local_addr=(address, port))
        for address in addresses
    ]
    print(f"names are answered on {', '.join(addresses)}, port {port}", flush=True)
    await ended.wait()
    for datagrams, _ in doors:
        datagrams.close()
    stream.close()


if __name__ == "__main__":
    # A reply must come from the address that was asked, so it is not left to the kernel.
    own = list(dict.fromkeys(str(f[4][0]) for f in socket.getaddrinfo(sys.argv[1], None)))
    asyncio.run(main(own, int(sys.argv[2]), Path(sys.argv[3])))
