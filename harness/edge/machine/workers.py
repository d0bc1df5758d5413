"""Processes that share a long list of work, and leave nothing behind however it ends.

They begin as copies of this process, so that what the work needs is not sent to them. Ctrl-C is
this process's affair: a worker ends the piece that it has begun. A worker whose parent was killed
ends by itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

from harness.errors import EnvironmentFault

Item = TypeVar("Item")
Result = TypeVar("Result")


def shared(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Iterator[tuple[Item, Result]]:
    """Each item with what the work makes of it, in the order of the items, in `jobs` processes.

    With one job the work is done in this process. Results are sent between processes.

    Raises:
        EnvironmentFault: a process was ended from outside.
    """
    jobs = min(jobs, len(items))
    if jobs <= 1:
        for item in items:
            yield item, work(item)
        return
    pool = ProcessPoolExecutor(jobs, get_context("fork"), _begin, (work,))
    try:
        with pool:
            try:
                yield from zip(items, pool.map(_work, items), strict=True)
            except BaseException:
                # What nobody has begun is not begun any more.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    except BrokenProcessPool as error:
        raise EnvironmentFault(
            f"one of the {jobs} processes that share the work was ended from outside",
            seen=str(error),
            try_="see whether the machine ran out of memory, and ask for fewer with --jobs",
        ) from error


_begun: list[Callable[[Any], Any]] = []


def _begin(work: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _begun.append(work)
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    """The queue of work would never end, for the other workers hold it open too."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _work(item: Any) -> Any:
    return _begun[-1](item)
