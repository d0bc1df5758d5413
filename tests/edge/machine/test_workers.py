from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from harness.edge.machine.workers import shared
from harness.errors import EnvironmentFault


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert list(shared(lambda n: n * n, range(7), jobs)) == [(n, n * n) for n in range(7)]
    assert list(shared(lambda n: n, [], jobs)) == []


def test_several_processes_share_the_work_and_one_job_needs_none() -> None:
    def who(_: int) -> int:
        time.sleep(0.01)
        return os.getpid()

    assert {pid for _, pid in shared(who, range(3), 1)} == {os.getpid()}
    assert os.getpid() not in {pid for _, pid in shared(who, range(8), 2)}


def test_an_error_of_the_work_is_the_caller_s() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    with pytest.raises(ValueError, match="two"):
        list(shared(work, range(9), 2))


def test_a_worker_that_is_killed_is_told_in_words() -> None:
    def work(number: int) -> int:
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(EnvironmentFault, match="ended from outside"):
        list(shared(work, range(9), 2))


def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = f"""
        import os, pathlib, time
        from harness.edge.machine.workers import shared
        def work(n):
            pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch()
            time.sleep(600)
        list(shared(work, range(9), 3))
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)]) as parent:
        end = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
        parent.kill()
    pids = [int(path.name) for path in tmp_path.iterdir()]
    while any(map(_alive, pids)):
        assert time.monotonic() < end, "a worker has no parent and goes on"
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2]
    except FileNotFoundError:
        return False
    return not state.startswith("Z")
