"""The half of the constant stream that runs inside pods, under plain python3 and nothing else.

`steady` sends and echoes datagrams and answers one JSON line for each request; `newborn` is the
first program of a pod: it sends at once, and prints one JSON line when it is done. Neither judges:
both tell when each datagram was sent, and which of them came back.

A datagram is NONCE (4 bytes), FLOW (2), NUMBER (4); an echo is the same bytes. Every datagram of a
flow has a pair of ports of its own, so that it is a new flow for each kind of connection tracking;
a flow that is `held` keeps its pair.

Echo:  {"echo": [FIRST_PORT, COUNT], "call": [NONCE, PORT]} -> {"echoing": COUNT}
       who sends a nonce of at least NONCE is also called: at PORT, from another port
Send:  {"send": {"nonce": 1, "every_us": 1000, "sockets": 256, "flows": [FLOW, ...]}} -> {"us": 0}
FLOW:  {"addr": "10.0.0.1", "port": FIRST_PORT, "ports": COUNT, "held": false}
Look:  {"look": 1} -> {"us": NOW, "flows": [[SENT, BACK], ...]}: of the last 50 datagrams of each
       flow that are 10 ms to 2 s old, how many were sent and how many came back
Stop:  {"stop": SECONDS} -> {"us": NOW, "flows": [SEEN, ...], "lost": LOST}, after it has waited so
       long for the last echoes
SEEN:  {"sent": US, "back": US, "failed": {"5": "EPERM"}}
Heard: {"heard": NONCE} -> {"flows": {"0": BITS}, "lost": LOST}: the numbers that arrived here
LOST:  {"buffers": 0, "backlog": 0}: datagrams that the kernel threw away since the start, for want
       of room in sockets of this network namespace, and in the queues of this machine's processors

US is base64 of zlib of unsigned 32-bit numbers, little-endian: microseconds since the first
datagram; `back` is the time on the way plus 1, and 0 where nothing came back. BITS is base64 of
zlib of one byte a number.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_BOOT = """
import json, sys, types
module = types.ModuleType("steady")
exec(compile(sys.argv[1], "steady", "exec"), module.__dict__)
module.main()
"""


@cache
def steady() -> tuple[str, ...]:
    """The words that start the stream's agent where there is nothing but python3."""
    return ("python3", "-ISu", "-c", _BOOT, _text("steady"))


@cache
def newborn() -> tuple[str, ...]:
    """The words that start a pod's first program; its own words follow (see `newborn`)."""
    return ("python3", "-ISu", "-c", _text("newborn"))


def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
