"""Child processes: the only way in which policylab starts a program.

A program is a list of words, never a line for a shell. It runs in a process group of its own, so
that a deadline or Ctrl-C ends the program together with everything that it started, and a failure
carries the last lines of what it printed.
"""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import IO, Any

from harness.errors import EnvironmentFault, ToolMissing

GRACE_SECONDS = 5.0
TAIL_LINES = 15
EXIT_NOT_STARTED = 126
_running: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that ended.

    Attributes:
        argv: its name and its arguments.
        returncode: its exit code.
        stdout: its output.
        stderr: its error output; empty if the output went to a log.
        seconds: how long it took.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float


class CommandFailed(EnvironmentFault):
    """A program failed, or did not end before its deadline."""

    def __init__(self, what: str, completed: Completed, *, try_: str = "") -> None:
        self.completed = completed
        seen = tail(completed.stderr) or tail(completed.stdout) or "no output"
        super().__init__(what, where=shlex.join(completed.argv), seen=seen, try_=try_)


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines of a program's output, without the empty ones."""
    kept = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n         ".join(kept[-lines:])


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    input: str | bytes | None = None,  # noqa: A002 - the word of subprocess
    env: Mapping[str, str] | None = None,
    check: bool = True,
    cwd: Path | None = None,
    log: Path | None = None,
    grace: float = GRACE_SECONDS,
) -> Completed:
    """Run a program until it ends; its exit code and output.

    `env` is added to this process's environment. At a deadline, the program has `grace` seconds to
    end by itself before it is killed. With `log`, both output streams are appended to that file;
    `stdout` then has this output, and `stderr` is empty.

    Raises:
        ToolMissing: the program does not exist.
        CommandFailed: the program does not end within `timeout` seconds, or it fails and `check` is
            true.
    """
    words = tuple(str(word) for word in argv)
    data = input.encode() if isinstance(input, str) else input
    started = time.monotonic()
    sink, offset = _open_log(log)
    try:
        program = start(
            words,
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL,
            stdout=sink if sink is not None else subprocess.PIPE,
            stderr=subprocess.STDOUT if sink is not None else subprocess.PIPE,
        )
        out, err, in_time = _finish(program, data, timeout, grace)
    finally:
        if sink is not None:
            sink.close()
    if log is not None:
        out = _read_from(log, offset)
    said = (out.decode(errors="replace"), err.decode(errors="replace"))
    done = Completed(words, program.returncode, *said, time.monotonic() - started)
    if not in_time:
        what = f"{words[0]} was not done after {timeout:g} s"
        raise CommandFailed(what, done, try_=f"read {log}" if log else "run it again")
    if check and done.returncode != 0:
        what = f"{words[0]} failed with exit code {done.returncode}"
        raise CommandFailed(what, done, try_=f"read {log}" if log else "")
    return done


def start(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, **streams: Any
) -> subprocess.Popen[Any]:
    """Start a program in a process group of its own, and do not wait for it.

    `env` is added to this process's environment, `streams` are arguments of `Popen`.

    Raises:
        ToolMissing: the program does not exist.
        CommandFailed: the kernel does not start it.
    """
    words = tuple(str(word) for word in argv)
    try:
        return _popen(words, {**os.environ, **(env or {})}, streams)
    except (FileNotFoundError, PermissionError) as error:
        raise ToolMissing(
            f"cannot start {words[0]}",
            where=shlex.join(words),
            seen=str(error),
            try_=f"install {words[0]} or put it on PATH",
        ) from error
    except OSError as error:
        refused = Completed(words, EXIT_NOT_STARTED, "", str(error), 0.0)
        raise CommandFailed(f"{words[0]} was not started", refused) from error


def _popen(
    words: tuple[str, ...], env: Mapping[str, str], streams: Mapping[str, Any]
) -> subprocess.Popen[Any]:
    try:
        return subprocess.Popen(words, env=env, start_new_session=True, **streams)
    except OSError as error:
        # On a small virtual machine, one of some 100,000 starts failed with EFAULT. The program has
        # not run then, so it is started once more.
        if error.errno != errno.EFAULT:
            raise
        return subprocess.Popen(words, env=env, start_new_session=True, **streams)


@contextmanager
def ends_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise like Ctrl-C, so that no unfinished work and no child process is left."""
    if current_thread() is not main_thread():
        yield
        return

    def unwind(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_all() -> None:
    """End every program that other threads of this process are waiting for.

    Ctrl-C reaches the main thread only; the main thread calls this function to end the others.
    """
    for child in tuple(_running):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)


def _open_log(log: Path | None) -> tuple[IO[bytes] | None, int]:
    if log is None:
        return None, 0
    log.parent.mkdir(parents=True, exist_ok=True)
    sink = log.open("ab")
    return sink, sink.tell()


def _read_from(log: Path, offset: int) -> bytes:
    with log.open("rb") as written:
        written.seek(offset)
        return written.read()


def _finish(
    child: subprocess.Popen[bytes], data: bytes | None, timeout: float, grace: float
) -> tuple[bytes, bytes, bool]:
    """Wait for the child; at a deadline, Ctrl-C or another exception, end its process group."""
    _running.add(child)
    try:
        out, err = child.communicate(data, timeout=timeout)
    except subprocess.TimeoutExpired:
        end_group(child, grace)
        out, err = child.communicate()
        return out or b"", err or b"", False
    except BaseException:
        end_group(child, grace)
        child.communicate()
        raise
    finally:
        _running.discard(child)
    return out or b"", err or b"", True


def end_group(child: subprocess.Popen[bytes], grace: float) -> None:
    """End a program and everything that it started, with `grace` seconds after each signal."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(grace)
    # The leader may be gone while a grandchild that ignores SIGTERM still holds the pipes.
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
