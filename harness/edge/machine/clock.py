"""The clock of waits and measurements. A test passes a clock that moves without waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The clock, as product code uses it."""

    def monotonic(self) -> float:
        """Seconds since an unknown moment; they never run backwards."""
        ...

    def now(self) -> datetime:
        """The time of day in UTC, for comparison with logs and the API server."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let this number of seconds pass."""
        ...


class MachineClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Seconds of the kernel's monotonic clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """The machine's time of day."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


MACHINE_CLOCK: Clock = MachineClock()
