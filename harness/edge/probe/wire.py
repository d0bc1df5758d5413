"""What goes over a prober's stream, as plain values here. A malformed answer is no verdict."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.core.probe.attempts import MAX_LAG_MS, Attempt, Item
from harness.core.target import PodRef
from harness.errors import ProbeError

T = TypeVar("T")
Answer = Mapping[str, Any] | ProbeError


@dataclass(frozen=True, slots=True)
class Listener:
    """A port on which a prober answers: `proto` is tcp or udp; one that is mute only hears."""

    proto: str
    port: int
    answers: bool = True


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

    attempts: dict[str, list[Attempt]]
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


def round_of(answer: Answer, items: Sequence[Item], pod: PodRef) -> Round | ProbeError:
    """What one pod's prober reports of a round with these items."""

    def read(whole: Mapping[str, Any]) -> Round:
        found = {item.id: [_attempt(a) for a in whole["items"][item.id]] for item in items}
        return Round(found, float(whole["lag_ms"]), int(whole.get("missed", 0)))

    return _read(answer, pod, read)


def _attempt(told: Mapping[str, Any]) -> Attempt:
    return Attempt(
        str(told["phase"]),
        float(told["ms"]),
        base64.b64decode(told["data"]),
        str(told["error"]),
        float(told.get("at", 0)),
        int(told.get("port", 0)),
    )


def refusals_of(
    answer: Answer, doors: Sequence[Listener], pod: PodRef
) -> dict[Listener, str] | ProbeError:
    """Why each door stays shut; empty if it is open."""
    return _read(
        answer,
        pod,
        lambda whole: {
            door: str(whole["listening"][f"{door.proto}/{door.port}"]) for door in doors
        },
    )


def heard_of(answer: Answer, pod: PodRef) -> dict[str, float] | ProbeError:
    """The nonces heard, each with its lateness in ms."""
    return _read(
        answer, pod, lambda whole: {str(n): float(late) for n, late in whole["heard"].items()}
    )


def _read(answer: Answer, pod: PodRef, read: Callable[[Mapping[str, Any]], T]) -> T | ProbeError:
    if isinstance(answer, ProbeError):
        return answer
    try:
        return read(answer)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return ProbeError(
            "the prober's answer is incomplete",
            where=str(pod),
            seen=f"{type(error).__name__}: {error}",
        )
