"""Programs of other people: their time and their output are bounded, and so is what they leave."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from harness.edge.machine.process import end_group, start

CHUNK = 1 << 14
JOIN_SECONDS = 5.0
HELD_SECONDS = 0.5
"""How long the streams of a program that ended are read before somebody else is said to hold them.
"""


@dataclass(frozen=True, slots=True)
class Bounded:
    """A program that ended, or was ended.

    Attributes:
        returncode: its exit code; below 0: the signal that ended it.
        stdout: the first bytes of its output.
        stderr: the first bytes of its error output.
        in_time: whether it ended by itself.
        cut: whether it printed more than was kept.
        seconds: how long it took.
    """

    returncode: int
    stdout: bytes
    stderr: bytes
    in_time: bool
    cut: bool
    seconds: float


def run_bounded(
    argv: Sequence[str | Path], *, timeout: float, most: int, cwd: Path, grace: float = 2.0
) -> Bounded:
    """Run a program until it ends, at most `timeout` seconds; keep `most` bytes of each stream.

    At its deadline and by Ctrl-C, whatever it started is ended with it; so is what it left behind
    with its streams.

    Raises:
        ToolMissing: the program does not exist.
        CommandFailed: the kernel does not start it.
    """
    began = time.monotonic()
    child: subprocess.Popen[bytes] = start(
        argv,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None  # noqa: S101 - PIPE was asked for, two lines above
    assert child.stderr is not None  # noqa: S101 - as above
    kept = [_Kept(child.stdout, most), _Kept(child.stderr, most)]
    in_time = False
    try:
        for one in kept:
            one.start()
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout)
            in_time = True
            for one in kept:
                one.join(HELD_SECONDS)
    finally:
        # A process that it started and left behind holds the streams open.
        if not in_time or any(one.is_alive() for one in kept):
            end_group(child, grace)
            for one in kept:
                one.join(JOIN_SECONDS)
    out, err = kept
    return Bounded(
        child.returncode,
        bytes(out.data),
        bytes(err.data),
        in_time,
        out.cut or err.cut,
        time.monotonic() - began,
    )


class _Kept(Thread):
    """Reads a stream to its end, and keeps its beginning."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._most = most
        self.data = bytearray()
        self.cut = False

    def run(self) -> None:
        """Read until everybody who could write has ended."""
        with suppress(OSError, ValueError), self._stream as stream:
            while chunk := stream.read1(CHUNK):  # type: ignore[attr-defined]  # a buffered pipe
                room = self._most - len(self.data)
                self.data += chunk[:room]
                self.cut = self.cut or len(chunk) > room
