"""A lock that is a file: it goes with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault

__all__ = ["FileLock"]


class FileLock:
    """Held by one process at a time, and by one of its `FileLock`s."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours now."""
        return self._handle is not None

    def try_take(self) -> bool:
        """Take it if it is free, and say whether it is ours."""
        if self._handle is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = self.path.open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._handle = handle
        return True

    def take(self, condition: str, *, seconds: float) -> None:
        """Wait until it is ours; `condition` says what that means. Raises `EnvironmentFault`."""

        def check() -> None:
            if not self.try_take():
                raise NotYet("another process holds the lock")

        wait_for(
            condition,
            check,
            seconds=seconds,
            fault=EnvironmentFault,
            where=str(self.path),
            try_="let the other run of policylab finish, or end it",
        )

    def release(self) -> None:
        """Let the next one have it."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
