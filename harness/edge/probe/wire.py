"""What goes over a prober's stream, as plain values here. A malformed answer is no verdict."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.core.probe.attempts import Attempt, Item
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


def attempts_of(
    answer: Answer, items: Sequence[Item], pod: PodRef
) -> tuple[float, dict[str, list[Attempt]]] | ProbeError:
    """A round's lag in ms, and the attempts of each item."""

    def read(whole: Mapping[str, Any]) -> tuple[float, dict[str, list[Attempt]]]:
        found = {item.id: [_attempt(a) for a in whole["items"][item.id]] for item in items}
        return float(whole["lag_ms"]), found

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
