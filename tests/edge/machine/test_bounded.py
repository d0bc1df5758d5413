from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from harness.edge.machine.bounded import Bounded, run_bounded
from harness.errors import ToolMissing


def _run(text: str, tmp_path: Path, *, timeout: float = 20.0, most: int = 100) -> Bounded:
    argv = [sys.executable, "-c", text]
    return run_bounded(argv, timeout=timeout, most=most, cwd=tmp_path, grace=0.5)


def test_a_program_that_ends_has_its_code_and_its_output(tmp_path: Path) -> None:
    done = _run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)", tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    assert done.in_time
    assert not done.cut


def test_output_is_kept_up_to_its_bound_and_read_to_its_end(tmp_path: Path) -> None:
    done = _run("print('a' * 10_000_000)", tmp_path)

    assert done.stdout == b"a" * 100
    assert (done.returncode, done.cut, done.in_time) == (0, True, True)


def test_a_program_is_ended_at_its_deadline_with_what_it_started(tmp_path: Path) -> None:
    text = (
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('pid').write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    done = _run(text, tmp_path, timeout=3.0)

    assert not done.in_time
    assert done.returncode < 0
    assert _gone(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_what_a_program_leaves_behind_with_its_streams_is_ended(tmp_path: Path) -> None:
    text = (
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('pid').write_text(str(child.pid))\n"
    )
    began = time.monotonic()
    done = _run(text, tmp_path)

    assert (done.returncode, done.in_time) == (0, True)
    assert time.monotonic() - began < 20
    assert _gone(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="no-such-program-here"):
        run_bounded(["no-such-program-here"], timeout=1, most=1, cwd=tmp_path)


def _gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has ended too."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state.split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
