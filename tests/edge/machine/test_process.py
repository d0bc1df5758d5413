"""Child processes: the whole group ends, and a failure says what was last seen."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.edge.machine import process
from harness.edge.machine.process import CommandFailed, end_all, ends_on_sigterm, run
from harness.errors import EnvironmentFault, ToolMissing

PYTHON = sys.executable


def gone(pid: int) -> bool:
    """Say whether a process has ended (a zombie that nobody reaps here has)."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_output_code_and_time_come_back() -> None:
    done = run([PYTHON, "-c", "import sys; print('out'); print('err', file=sys.stderr)"], timeout=9)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")
    assert 0 < done.seconds < 9


def test_input_is_given() -> None:
    assert run(["cat"], timeout=9, input="text").stdout == "text"
    assert run(["cat"], timeout=9, input=b"bytes").stdout == "bytes"


def test_environment_is_added_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    done = run(["sh", "-c", "echo $OURS$THEIRS"], timeout=9, env={"THEIRS": "2"})
    assert done.stdout == "12\n"


def test_failure_carries_the_last_lines() -> None:
    script = "for i in $(seq 30); do echo line $i >&2; done; exit 3"
    with pytest.raises(CommandFailed) as caught:
        run(["sh", "-c", script], timeout=9)
    assert caught.value.completed.returncode == 3
    assert "exit code 3" in str(caught.value)
    assert "line 30" in str(caught.value)
    assert "line 1\n" not in str(caught.value)
    assert isinstance(caught.value, EnvironmentFault)


def test_failure_may_be_looked_at_instead() -> None:
    assert run(["false"], timeout=9, check=False).returncode == 1


def test_missing_program_says_what_to_install() -> None:
    with pytest.raises(ToolMissing, match="install no-such-program"):
        run(["no-such-program", "--flag"], timeout=9)


def test_deadline_ends_grandchildren_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(CommandFailed, match=r"was not done after 0\.5 s"):
        run(["sh", "-c", f"sleep 60 & echo $! > {note}; wait"], timeout=0.5)
    assert gone(int(note.read_text()))


def test_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"trap '' TERM; echo $$ > {note}; while :; do sleep 0.1; done"
    with pytest.raises(CommandFailed):
        run(["sh", "-c", script], timeout=0.5, grace=0.2)
    assert gone(int(note.read_text()))


def test_ctrl_c_ends_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "pid"
    real: Callable[..., object] = subprocess.Popen.communicate
    first = iter([True])

    def interrupted(child: object, *args: object, **kwargs: object) -> object:
        if next(first, False):
            while not note.exists() or not note.read_text():
                time.sleep(0.01)
            raise KeyboardInterrupt
        return real(child, *args, **kwargs)

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", f"sleep 60 & echo $! > {note}; wait"], timeout=30)
    assert gone(int(note.read_text()))


def test_end_all_ends_what_other_threads_wait_for() -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            run(["sleep", "60"], timeout=60)
        except CommandFailed as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not process._running:
        time.sleep(0.01)
    end_all()
    thread.join(10)
    assert not thread.is_alive()
    assert len(failed) == 1
    assert not process._running


def test_log_is_appended_to_and_returned(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "build.log"
    run(["echo", "first"], timeout=9, log=log)
    assert run(["sh", "-c", "echo second >&2"], timeout=9, log=log).stdout == "second\n"
    assert log.read_text() == "first\nsecond\n"


def test_failure_with_a_log_points_to_it(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    with pytest.raises(CommandFailed, match="broken") as caught:
        run(["sh", "-c", "echo broken; exit 1"], timeout=9, log=log)
    assert f"read {log}" in str(caught.value)


def test_words_are_never_a_shell_line() -> None:
    assert run(["echo", "$HOME; id", Path("/a b")], timeout=9).stdout == "$HOME; id /a b\n"


def test_no_open_files_are_left() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        run(["true"], timeout=9)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def failing(monkeypatch: pytest.MonkeyPatch, *errors: int) -> None:
    """Let starts fail with these errors, in turn, and then succeed."""
    real: Callable[..., object] = subprocess.Popen
    left = list(errors)

    def start(*args: object, **kwargs: object) -> object:
        if left:
            number = left.pop(0)
            raise OSError(number, os.strerror(number))
        return real(*args, **kwargs)

    monkeypatch.setattr(subprocess, "Popen", start)


def test_start_that_met_a_bad_page_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, errno.EFAULT)
    assert run(["echo", "here"], timeout=9).stdout == "here\n"


@pytest.mark.parametrize("errors", [(errno.EFAULT, errno.EFAULT), (errno.ENOMEM,)])
def test_program_that_the_kernel_does_not_start_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, errors: tuple[int, ...]
) -> None:
    failing(monkeypatch, *errors)
    with pytest.raises(CommandFailed, match="echo was not started") as caught:
        run(["echo", "here"], timeout=9, check=False)
    assert caught.value.seen == f"[Errno {errors[-1]}] {os.strerror(errors[-1])}"


def test_sigterm_unwinds_like_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"), ends_on_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
