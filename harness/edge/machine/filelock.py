"""A lock that is a file: it goes with the process that holds it, however that ends.

The locking is filelock's, on flock(2). Ours is what the waiting says: the condition, the deadline
and who holds the lock, whose process id is in the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault
from harness.progress import Progress


class FileLock:
    """Held by one process at a time, and by one of its `FileLock`s."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # A lock by the mere existence of a file would outlive a killed process, so no fallback.
        self._lock = filelock.FileLock(path, thread_local=False, fallback_to_soft=False)

    @property
    def held(self) -> bool:
        """Whether it is ours now."""
        return self._lock.is_locked

    @property
    def holder(self) -> str:
        """The id of the process that holds it, as far as its file says."""
        return (self.path.read_text(encoding="utf-8").strip() if self.path.exists() else "") or "?"

    def try_take(self) -> bool:
        """Take it if it is free; whether it is ours."""
        if self.held:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        self.path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        return True

    def take(self, condition: str, *, seconds: float, every: float = 0.1) -> None:
        """Wait until it is ours, looking every so many seconds; `condition` says what that means.

        Raises:
            EnvironmentFault: it is not ours within `seconds`; the message has the holder.
        """

        def check() -> None:
            if not self.try_take():
                raise NotYet(f"process {self.holder} holds the lock")

        wait_for(
            condition,
            check,
            seconds=seconds,
            every=every,
            fault=EnvironmentFault,
            where=str(self.path),
            try_="let the other run of policylab finish, or end it",
        )

    def release(self) -> None:
        """Let the next one have it."""
        if self.held:
            self.path.write_text("", encoding="utf-8")
            self._lock.release()


@contextmanager
def alone(path: Path, progress: Progress, *, doing: str, seconds: float) -> Iterator[None]:
    """Let one run at a time be in the block; `doing` says what it does there.

    Raises:
        EnvironmentFault: another run is still there after `seconds`.
    """
    lock = FileLock(path)
    if not lock.try_take():
        with progress.step(f"waiting for process {lock.holder}, which is {doing}"):
            lock.take(f"no other run is {doing}", seconds=seconds, every=0.3)
    try:
        yield
    finally:
        lock.release()
