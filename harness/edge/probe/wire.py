"""What goes over a prober's stream, as plain values here. A malformed answer is no verdict."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.core.observation import Attempt, Phase
from harness.core.probe.attempts import MAX_LAG_MS, Attempts, Item
from harness.core.target import PodRef
from harness.errors import ProbeError

Line = Mapping[str, Any]
"""One line of a prober, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a prober says when it starts: whose network namespace it is in, and its resolv.conf."""

    hostname: str
    resolv_conf: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A port on which a prober answers: `proto` is tcp, udp or sctp; a mute one only hears.

    `six`: it answers on addresses of IPv6 as well.
    """

    proto: str
    port: int
    answers: bool = True
    six: bool = False


def hello_of(line: Line, pod: PodRef) -> Hello:
    """What a prober says when it starts.

    Raises:
        ProbeError: the line lacks something.
    """
    with _whole(pod):
        return Hello(str(line["hostname"]), str(line["resolv_conf"]))


def item_json(item: Item) -> dict[str, Any]:
    """A probe as the agent reads it."""
    return {
        "id": item.id,
        "proto": item.protocol,
        "addr": item.address,
        "port": item.port,
        "offsets": list(item.offsets),
        "payload": base64.b64encode(item.payload).decode(),
        "want": item.want,
        "first": item.first,
        "every": item.every,
    }


@dataclass(frozen=True, slots=True)
class Round:
    """One pod's round: the attempts of each item by the item's id, and how late the prober was.

    `lag_ms` is the longest time for which the prober was kept from its work; `missed` the number of
    attempts that were due, and that it did not begin before the deadline.
    """

    attempts: Attempts
    lag_ms: float = 0.0
    missed: int = 0

    @property
    def starved(self) -> str:
        """Why the round measured the prober and not the network; empty if it is sound."""
        if self.missed:
            return f"the deadline came before it could begin {self.missed} attempts that were due"
        if self.lag_ms > MAX_LAG_MS:
            return f"it ran {self.lag_ms:.0f} ms late, {MAX_LAG_MS:.0f} ms are allowed"
        return ""


def round_of(line: Line, items: Sequence[Item], pod: PodRef) -> Round:
    """What one pod's prober reports of a round with these items.

    Raises:
        ProbeError: the line lacks something, or has what no prober says.
    """
    with _whole(pod):
        found = {item.id: [_attempt(a) for a in line["items"][item.id]] for item in items}
        return Round(found, float(line["lag_ms"]), int(line.get("missed", 0)))


def _attempt(told: Line) -> Attempt:
    return Attempt(
        Phase(told["phase"]),
        float(told["ms"]),
        base64.b64decode(told["data"]),
        str(told["error"]),
        float(told.get("at", 0)),
        int(told.get("port", 0)),
    )


def refusals_of(
    line: Line, doors: Sequence[Listener], pod: PodRef, key: str = ""
) -> dict[Listener, str]:
    """Why each door stays shut; empty for a door that is open. `key`: see `heard_of`.

    Raises:
        ProbeError: the line lacks a door.
    """
    with _whole(pod):
        opened = line["listening"]
        return {door: str(opened[f"{key} {door.proto}/{door.port}".strip()]) for door in doors}


def heard_of(line: Line, pod: PodRef, key: str = "") -> dict[str, float]:
    """The nonces that a pod's listeners received, each with its lateness in ms.

    `key` is what the agent calls the pod; empty for the agent's own.

    Raises:
        ProbeError: the line does not have them.
    """
    with _whole(pod):
        return {str(nonce): float(late) for nonce, late in line["heard"].get(key, {}).items()}


@contextmanager
def _whole(pod: PodRef) -> Iterator[None]:
    """Turn what is missing in a line into a ProbeError."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProbeError(
            "the prober's answer is incomplete",
            where=str(pod),
            seen=f"{type(error).__name__}: {error}",
        ) from error
