"""A clock that moves only when somebody waits or does something that takes time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Seconds since the clock was made; it was midnight then. Threads may share it.

    `least` is the shortest time in s that a sleeper sleeps, as on a very busy machine: a wait for
    something that never comes ends after few looks. `rested` sleeps more are as short as somebody
    asks for: what comes soon is seen soon. `later` are things that happen while somebody
    sleeps, one in each sleep.
    """

    def __init__(self, least: float = 0.0) -> None:
        self._seconds = 0.0
        self._least = least
        self.rested = 0
        self.later: list[Callable[[], None]] = []
        self._lock = Lock()

    def monotonic(self) -> float:
        return self._seconds

    def now(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=self._seconds)

    def sleep(self, seconds: float) -> None:
        self.rested -= 1
        self.take(seconds if self.rested >= 0 else max(seconds, self._least))
        if self.later:
            self.later.pop(0)()

    def take(self, seconds: float) -> None:
        """Let what somebody does take so many seconds."""
        with self._lock:
            self._seconds += seconds
