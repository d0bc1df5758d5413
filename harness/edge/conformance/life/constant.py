"""The constant stream, from outside: agents in pods that send and echo, and what they saw."""

from __future__ import annotations

import base64
import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.core.probe.container import CONTAINER
from harness.edge.api.kubectl import Dialogue, Exec
from harness.edge.conformance.life import agent
from harness.edge.machine.clock import MACHINE_CLOCK, Clock
from harness.edge.machine.patience import PATIENCE, Patience
from harness.errors import ProbeError

FIRST_PORT, PORTS = 20000, 256
CALL_PORT = 29999
"""The port at which a newborn pod is called (`agent.newborn`)."""
NEWBORNS = 1 << 31
"""Nonces from here on are those of newborn pods."""
SOCKETS = 1000
"""Source ports: with half of `PORTS` they make 128,000 pairs, one a ms for two minutes. By then a
pair is new again to connection tracking: Linux forgets a datagram and its answer after 30 s
(nf_conntrack_udp_timeout), Cilium after 60 s (bpf-ct-timeout-regular-any)."""
LAST_ECHOES = 0.5


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a flow's datagrams go: the address, and whether all use one pair of ports."""

    address: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The datagrams of one flow, in the order of sending.

    Attributes:
        at: when each was sent, in ms since the stream began.
        back: whether each came back.
        failed: the numbers that the kernel did not send, each with the name of its error.
    """

    at: Sequence[float]
    back: Sequence[bool]
    failed: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Poured:
    """A whole stream: its flows, its end in ms, and how many datagrams the kernel threw away."""

    flows: tuple[Sent, ...]
    until: float
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a running stream.

    Attributes:
        ms: the stream's time, in ms.
        before: this machine's monotonic clock before the question, in seconds.
        after: the same after the answer.
        flows: of each flow's last 50 datagrams that are 10 ms to 2 s old, how many there are, and
            how many came back.
    """

    ms: float
    before: float
    after: float
    flows: tuple[tuple[int, int], ...]

    def shows(self, is_open: Sequence[bool]) -> bool:
        """Whether every flow was sent, and showed nothing but what it is meant to show."""
        return all(
            sent > 0 and back == (sent if wanted else 0)
            for (sent, back), wanted in zip(self.flows, is_open, strict=True)
        )


class Steady:
    """The agent of one pod. Use it as a context manager; its stream ends with it."""

    def __init__(
        self,
        kubectl: Exec,
        namespace: str,
        pod: str,
        clock: Clock = MACHINE_CLOCK,
        patience: Patience = PATIENCE,
    ) -> None:
        self._answer = patience.stream_answer
        self._clock = clock
        self._where = f"{namespace}/{pod}"
        self._dialogue: Dialogue = kubectl.talk(namespace, pod, agent.steady(), container=CONTAINER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dialogue.end()

    def echo(self) -> None:
        """Send back every datagram that comes.

        Raises:
            ProbeError: the agent does not answer, or a port is taken.
        """
        self._ask({"echo": [FIRST_PORT, PORTS], "call": [NEWBORNS, CALL_PORT]})

    def send(self, aims: Sequence[Aim], *, nonce: int, every_us: int, first: int = 0) -> None:
        """Begin a stream; `first` shifts its ports, so that two streams share no pair.

        Raises:
            ProbeError: the agent does not answer.
        """
        half = PORTS // 2
        flows = [
            {
                "addr": aim.address,
                "port": FIRST_PORT + first * half,
                "ports": half,
                "held": aim.held,
            }
            for aim in aims
        ]
        stream = {"nonce": nonce, "every_us": every_us, "sockets": SOCKETS, "flows": flows}
        self._ask({"send": stream})

    def look(self) -> Look:
        """What the stream shows now.

        Raises:
            ProbeError: the agent does not answer.
        """
        before = self._clock.monotonic()
        line = self._ask({"look": 1})
        flows = tuple((int(sent), int(back)) for sent, back in line["flows"])
        return Look(line["us"] / 1000, before, self._clock.monotonic(), flows)

    def stop(self) -> Poured:
        """End the stream; all that it saw.

        Raises:
            ProbeError: the agent does not answer.
        """
        line = self._ask({"stop": LAST_ECHOES}, more=LAST_ECHOES)
        until = line["us"] / 1000 - LAST_ECHOES * 1000
        return Poured(tuple(map(sent_of, line["flows"])), until, line["lost"])

    def heard(self, nonce: int) -> tuple[dict[int, frozenset[int]], dict[str, int]]:
        """By each flow's number the datagrams of a stream that came here, and the kernel's losses.

        Raises:
            ProbeError: the agent does not answer.
        """
        line = self._ask({"heard": nonce})
        flows = {
            int(number): frozenset(n for n, came in enumerate(_unpacked(bits)) if came)
            for number, bits in line["flows"].items()
        }
        return flows, line["lost"]

    def _ask(self, request: Mapping[str, Any], *, more: float = 0.0) -> dict[str, Any]:
        """The agent's answer; `more` seconds pass before it can come."""
        seconds = self._answer + more
        try:
            self._dialogue.say(json.dumps(request))
        except OSError as error:
            raise self._broken(str(error)) from error
        text = self._dialogue.hear(seconds)
        if text is None:
            raise self._broken(f"no line within {seconds:g} s")
        try:
            line = json.loads(text)
        except ValueError:
            raise self._broken(f"no JSON: {text[:200]!r}") from None
        if not isinstance(line, dict) or "error" in line:
            raise self._broken(text[:200])
        return line

    def _broken(self, seen: str) -> ProbeError:
        said = self._dialogue.end().strip().splitlines()
        return ProbeError(
            f"the stream's agent in {self._where} gave no answer",
            where=f"kubectl exec in {self._where}",
            seen="; ".join([seen, *said[-3:]]),
        )


def sent_of(told: Mapping[str, Any]) -> Sent:
    """One flow as an agent tells it (see `agent`)."""
    at, back = _numbers(told["sent"]), _numbers(told["back"])
    failed = {int(number): str(error) for number, error in told["failed"].items()}
    return Sent([us / 1000 for us in at], [us > 0 for us in back], failed)


def called_of(told: Mapping[str, Any]) -> frozenset[int]:
    """The numbers of a newborn's datagrams for which it was called."""
    return frozenset(_numbers(told["called"]))


def _numbers(text: str) -> array[int]:
    found = array("I")
    found.frombytes(_unpacked(text))
    return found


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
