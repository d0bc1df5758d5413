"""What a prober says to a listener of ours, and what the answer proves: who answered, and to whom.

The nonce is new for every probe, so an answer that carries it was made for this very probe; at the
receiving end it proves that the request arrived, even if the answer was lost on its way back.
A server of the tutorial's own gives its name in an HTTP header of the same words.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME = b"x-policylab-pod:"
NONCE = b"x-policylab-nonce:"


@dataclass(frozen=True, slots=True)
class Reply:
    """Who answered, and to which nonce; empty where the answer does not say."""

    name: str = ""
    nonce: str = ""


def greeting(nonce: str) -> bytes:
    """The line that a listener answers."""
    return b"policylab " + nonce.encode() + b"\n"


def reply_of(data: bytes) -> Reply:
    """What an answer says of its sender: HTTP's header lines, or a listener's."""
    return Reply(_value(data, NAME), _value(data, NONCE))


def _value(data: bytes, key: bytes) -> str:
    for line in data.split(b"\r\n"):
        if line.lower().startswith(key):
            return line[len(key) :].strip().decode(errors="replace")
    return ""
