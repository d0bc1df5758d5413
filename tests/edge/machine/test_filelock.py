"""Locks that are files: one holder, by name, and none that outlives its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.edge.machine.filelock import FileLock, SharedLock, alone
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault
from harness.progress import Quiet

HOLD = """
import sys, time
from pathlib import Path
from harness.edge.machine.filelock import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.try_take()
print("held", flush=True)
time.sleep(60)
"""


def test_lock_is_held_once_and_taken_again_when_it_is_released(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "a" / "lock"), FileLock(tmp_path / "a" / "lock")
    assert one.try_take()
    assert one.try_take()
    assert (one.held, other.try_take(), other.held) == (True, False, False)
    one.release()
    assert other.try_take()
    other.release()


def test_who_waits_too_long_is_told_the_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        alone(path, Quiet(), doing="building images", seconds=1),
        pytest.raises(EnvironmentFault, match="no other run is building images") as caught,
        alone(path, Quiet(), doing="building images", seconds=0.2),
    ):
        pass
    assert caught.value.seen == f"process {os.getpid()} holds the lock"
    assert caught.value.where == str(path)


def test_lock_is_free_after_its_holder_was_killed(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock.path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert not lock.try_take()
        assert lock.holder == str(holder.pid)
        holder.send_signal(signal.SIGKILL)

    def free() -> None:
        if not lock.try_take():
            raise NotYet("held")

    wait_for("the lock is free", free, seconds=5)
    lock.release()
    assert lock.holder == "?"


def test_who_changes_is_alone_and_lookers_are_not(tmp_path: Path) -> None:
    path = tmp_path / "changes.db"
    with SharedLock(path).looking(seconds=1):
        assert _elsewhere(path, "looking") == "had it"
        assert "no other process looks or changes" in _elsewhere(path, "changing")
    with SharedLock(path).changing(seconds=1):
        assert "no other process changes" in _elsewhere(path, "looking")
    assert _elsewhere(path, "changing") == "had it"


def _elsewhere(path: Path, how: str) -> str:
    """What another process gets."""
    script = f"""
from pathlib import Path
from harness.edge.machine.filelock import SharedLock
from harness.errors import EnvironmentFault
try:
    with SharedLock(Path({str(path)!r})).{how}(seconds=0.2):
        print("had it")
except EnvironmentFault as error:
    print(error.what)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
