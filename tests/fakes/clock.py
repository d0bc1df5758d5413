"""A clock that moves only when somebody waits or does something that takes time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Seconds since the clock was made; it was midnight then. Threads may share it."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._lock = Lock()

    def monotonic(self) -> float:
        return self._seconds

    def now(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=self._seconds)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds
