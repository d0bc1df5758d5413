"""What the cluster showed of one question, or why there is no verdict about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from harness.core.outcome import Reading
from harness.errors import ProbeError

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """A value, or the reason why there is none: the one way to say "no verdict".

    Exactly one of the two is there. A tool that broke is a `problem`, and never a value.
    """

    value: T_co | None = None
    problem: ProbeError | None = None

    @classmethod
    def of(cls, ask: Callable[[], U]) -> Answer[U]:
        """What a call returns, or the ProbeError that it raises."""
        try:
            return Answer(ask())
        except ProbeError as error:
            return Answer(problem=error)

    def unwrap(self) -> T_co:
        """The value.

        Raises:
            ProbeError: there is no value.
        """
        if self.problem is not None:
            raise self.problem
        return cast("T_co", self.value)

    def then(self, use: Callable[[T_co], U]) -> Answer[U]:
        """What `use` makes of the value. The problem stays; a ProbeError of `use` becomes one."""
        if self.problem is not None:
            return Answer(problem=self.problem)
        return Answer.of(lambda: use(self.unwrap()))


class Phase(StrEnum):
    """How far one socket came.

    CONNECTED: the handshake was done, and nothing was received. ANSWERED: data came back.
    ERROR: an error of the tool or the machine, which says nothing of the network.
    """

    CONNECTED = "connected"
    ANSWERED = "answered"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    ERROR = "error"


ANSWERED = frozenset({Phase.CONNECTED, Phase.ANSWERED})
"""How an attempt ends that a listener answered."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One socket: how far it came (`phase`), after how many ms, and what was received.

    `at` is when it began, in ms after its round; `port` is the source port, 0 if not known.
    `error` is the error number's name, if there was an error.
    """

    phase: Phase
    ms: float
    data: bytes = b""
    error: str = ""
    at: float = 0.0
    port: int = 0


@dataclass(frozen=True, slots=True)
class Transcript:
    """One replayed command: what was typed, what came back, and how long it took (seconds)."""

    command: str
    output: str
    exit_code: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was put to a name server, and what came back."""

    qname: str
    rdtype: str
    reading: Reading
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a name was resolved: the name server's address, and the questions in their order."""

    server: str
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What the cluster showed of one question.

    `attempts` are all that were made, in their order; of a lookup, those of its last question.
    `address` is where they went: empty for a lookup, which has its `resolution` instead. `peer` is
    the name by which the answer called itself. `own` is what the target showed to itself in the
    same round, in its own network namespace, where no policy acts; None where it was not asked.
    `control` is the same question without any policy: a silent outcome counts only if that one was
    answered. `settled_ms` is how long the state took to come into force. `notes` are sentences for
    the reader, and `evidence` are further numbers of a measurement; reports alone read them.
    """

    reading: Reading
    attempts: tuple[Attempt, ...] = ()
    address: str = ""
    peer: str = ""
    own: Reading | None = None
    resolution: Resolution | None = None
    control: Reading | None = None
    settled_ms: float | None = None
    transcripts: tuple[Transcript, ...] = ()
    notes: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ms(self) -> float | None:
        """How long the first answer took, in ms; None if there was none."""
        answered = (a.ms for a in self.attempts if a.phase is not Phase.TIMEOUT)
        return min(answered, default=None)
