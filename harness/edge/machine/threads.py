"""Threads that answer through one queue."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TypeVar

LOOK_SECONDS = 1.0
"""How often somebody who waits for an answer looks whether a thread has failed."""

Answer = TypeVar("Answer")


def next_of(answers: SimpleQueue[Answer], threads: Iterable[Future[None]]) -> Answer:
    """The next answer; an error of a thread is raised at once. `threads` are gone through anew."""
    while True:
        try:
            return answers.get(timeout=LOOK_SECONDS)
        except Empty:
            for thread in threads:
                if thread.done() and not thread.cancelled():
                    thread.result()
