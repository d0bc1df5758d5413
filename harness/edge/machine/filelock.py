"""A lock on a file: the end of the process that holds it releases it in any case.

The library filelock does the locking, with flock(2). This module adds the messages of a wait: the
condition, the deadline and the holder of the lock, whose process id is in the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault
from harness.progress import Progress


class FileLock:
    """A lock that one process holds at a time, with one of its `FileLock` objects."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # A lock by the mere existence of a file would outlive a killed process, so there is no
        # fallback.
        self._lock = filelock.FileLock(path, thread_local=False, fallback_to_soft=False)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock.is_locked

    @property
    def holder(self) -> str:
        """The id of the process that holds the lock, from its file."""
        return (self.path.read_text(encoding="utf-8").strip() if self.path.exists() else "") or "?"

    def try_take(self) -> bool:
        """Take the lock if it is free; whether this object holds it now."""
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
        """Wait for the lock and take it; the messages name `condition`.

        Raises:
            EnvironmentFault: the lock is not free within `seconds`; the message has the holder.
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
            try_="wait until the other run of policylab ends, or end it",
        )

    def release(self) -> None:
        """Release the lock."""
        if self.held:
            self.path.write_text("", encoding="utf-8")
            self._lock.release()


@contextmanager
def alone(path: Path, progress: Progress, *, doing: str, seconds: float) -> Iterator[None]:
    """Let only one run at a time be in the block; `doing` names its work, for the messages.

    Raises:
        EnvironmentFault: another run is still in the block after `seconds`.
    """
    lock = FileLock(path)
    if not lock.try_take():
        with progress.step(f"waiting for process {lock.holder}, which is {doing}"):
            lock.take(f"no other run is {doing}", seconds=seconds, every=0.3)
    try:
        yield
    finally:
        lock.release()


class SharedLock:
    """A lock that several processes hold at a time to look, or one of them alone to change.

    `path` is a file of its own, which SQLite keeps. One process takes it once at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = filelock.ReadWriteLock(path)

    @contextmanager
    def looking(self, *, seconds: float) -> Iterator[None]:
        """Wait until nobody changes anything, and keep it so.

        Raises:
            EnvironmentFault: another process still changes something after `seconds`.
        """
        with self._held(self._lock.acquire_read, "no other process changes", seconds):
            yield

    @contextmanager
    def changing(self, *, seconds: float) -> Iterator[None]:
        """Wait until nobody else looks or changes anything, and keep it so.

        Raises:
            EnvironmentFault: another process still does after `seconds`.
        """
        with self._held(self._lock.acquire_write, "no other process looks or changes", seconds):
            yield

    @contextmanager
    def _held(self, take: Callable[..., object], condition: str, seconds: float) -> Iterator[None]:
        try:
            take(seconds)
        except filelock.Timeout as error:
            raise EnvironmentFault(
                f"within {seconds:g} s it did not come true that {condition} what is tested",
                where=str(self._path),
                try_="run with fewer processes (-n), or give the deadlines more patience",
            ) from error
        try:
            yield
        finally:
            self._lock.release()
