"""A program whose output is read while it runs, so that somebody can be told how far it is."""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Protocol

from harness.edge.machine.process import (
    GRACE_SECONDS,
    CommandFailed,
    Completed,
    end_group,
    start,
)

LINES, LETTERS = 1000, 4096
LOOK_EVERY = 1.0


class TooLate(CommandFailed):
    """A program did not end before its deadline, or said nothing at all before an earlier one."""


class Follow(Protocol):
    """Runs a program to its end, and hands over its output (see `follow`)."""

    def __call__(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        first: float,
        heard: Callable[[str], None],
    ) -> Completed:
        """Run it; `timeout` and `first` are in seconds."""
        ...


def follow(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    first: float,
    heard: Callable[[str], None],
) -> Completed:
    """Run a program until it ends, and call `heard` with each line that it prints.

    Both output streams count. `heard` gets an empty text for each second without a line. The result
    has the last lines only. The program has `first` seconds for its first line.

    Raises:
        ToolMissing: the program does not exist.
        TooLate: it says nothing within `first` seconds, or does not end within `timeout` seconds.
        CommandFailed: it fails.
    """
    words = tuple(str(word) for word in argv)
    began = time.monotonic()
    program = start(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    coming: Queue[bytes] = Queue()
    Thread(target=_read, args=(program.stdout, coming), daemon=True).start()
    said: deque[str] = deque(maxlen=LINES)
    ended, limit = False, first

    def done() -> Completed:
        text = "\n".join(said)
        return Completed(words, program.returncode or 0, text, "", time.monotonic() - began)

    try:
        while True:
            limit = timeout if said else min(first, timeout)
            left = began + limit - time.monotonic()
            if left <= 0:
                break
            try:
                line = coming.get(timeout=min(left, LOOK_EVERY))
            except Empty:
                heard("")
                continue
            if not line:
                with suppress(subprocess.TimeoutExpired):
                    program.wait(GRACE_SECONDS)
                    ended = True
                break
            said.append(line.decode(errors="replace").rstrip())
            heard(said[-1])
    finally:
        if not ended:
            end_group(program, GRACE_SECONDS)
    if not ended:
        what = "was not done after" if said else "said nothing within"
        raise TooLate(f"{words[0]} {what} {limit:g} s", done(), try_="run it again")
    if program.returncode:
        what = f"{words[0]} failed with exit code {program.returncode}"
        raise CommandFailed(what, done())
    return done()


def _read(stream: IO[bytes], coming: Queue[bytes]) -> None:
    """Hand over each line, and nothing at the end; a long line comes in pieces."""
    with stream:
        for line in iter(lambda: stream.readline(LETTERS), b""):
            coming.put(line)
    coming.put(b"")
