"""The words between a prober and a listener of ours, and what an answer proves.

The prober's line carries a nonce that is new for every probe. An answer with this nonce was made
for this very probe; a listener that received it proves that the request arrived, even if its answer
was lost on the way back. A server of a tutorial gives its name in an HTTP header of the same words.

This module runs inside pods, too (`harness.edge.probe.agent` sends its text), so that both ends
have the same words. It imports nothing that costs an agent time to load.
"""

from __future__ import annotations

from typing import NamedTuple

PREFIX = b"policylab "
STAY = b"stay-"
"""The beginning of a nonce whose sender wants to ask again over the same connection."""
NAME = "X-Policylab-Pod"
NONCE = "X-Policylab-Nonce"


class Reply(NamedTuple):  # a dataclass costs each agent 10 ms to import
    """Who answered (NAMESPACE/NAME, or a host name), and to which nonce; empty if not said."""

    name: str = ""
    nonce: str = ""


def greeting(nonce: str) -> bytes:
    """The line that a listener answers."""
    return PREFIX + nonce.encode() + b"\n"


def stays(data: bytes) -> bool:
    """Whether the sender of a greeting will ask again over the same connection."""
    return data.startswith(PREFIX + STAY)


def nonce_of(data: bytes) -> str:
    """The nonce of a greeting; empty if the data is not a greeting."""
    line, newline, _ = data.partition(b"\n")
    if not newline or not line.startswith(PREFIX):
        return ""
    return line[len(PREFIX) :].decode(errors="replace").strip()


def reply(name: str, nonce: str) -> bytes:
    """A listener's answer to a greeting."""
    return f"{NAME}: {name}\r\n{NONCE}: {nonce}\r\n".encode()


def reply_of(data: bytes) -> Reply:
    """What an answer says of its sender: in a listener's lines, or in the header lines of HTTP."""
    return Reply(_value(data, NAME), _value(data, NONCE))


def _value(data: bytes, name: str) -> str:
    key = f"{name}:".lower().encode()
    for line in data.split(b"\r\n"):
        if line.lower().startswith(key):
            return line[len(key) :].strip().decode(errors="replace")
    return ""
