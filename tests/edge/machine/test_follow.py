"""A program whose output is read while it runs."""

from __future__ import annotations

import time

import pytest

from harness.edge.machine.follow import TooLate, follow
from harness.edge.machine.process import CommandFailed
from harness.errors import ToolMissing


def said(script: str, *, timeout: float = 20, first: float = 20) -> list[str]:
    lines: list[str] = []
    follow(["sh", "-c", script], timeout=timeout, first=first, heard=lines.append)
    return [line for line in lines if line]


def test_lines_of_both_streams_come_in_order() -> None:
    assert said("echo a; echo b >&2; echo c") == ["a", "b", "c"]


def test_failure_carries_the_last_words() -> None:
    with pytest.raises(CommandFailed, match="exit code 3") as caught:
        said("echo words; exit 3")
    assert not isinstance(caught.value, TooLate)
    assert caught.value.seen == "words"


def test_silence_ends_before_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(TooLate, match=r"said nothing within 0\.2 s"):
        said("exec sleep 30", first=0.2)
    assert time.monotonic() - began < 15


def test_words_and_then_silence_end_at_the_deadline() -> None:
    with pytest.raises(TooLate, match="was not done after 2 s") as caught:
        said("echo begun; exec sleep 30", timeout=2, first=2)
    assert caught.value.seen == "begun"


def test_nobody_waits_without_a_sign_of_life() -> None:
    lines: list[str] = []
    follow(["sleep", "1.5"], timeout=20, first=20, heard=lines.append)
    assert lines == [""]


def test_program_that_is_not_there_is_missing() -> None:
    with pytest.raises(ToolMissing):
        follow(["no-such-program"], timeout=1, first=1, heard=print)
