"""The one way to wait: each wait has a condition, a deadline and a last observation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

from harness.edge.machine.clock import MACHINE_CLOCK, Clock
from harness.errors import EnvironmentFault, NotSettled

T = TypeVar("T")


class NotYet(Exception):  # noqa: N818 - not an error: the state of a wait
    """The condition does not hold yet; the text has the observation."""


def wait_for(
    condition: str,
    check: Callable[[], T],
    *,
    seconds: float,
    every: float = 0.1,
    fault: type[EnvironmentFault] = NotSettled,
    where: str = "",
    try_: str = "",
    clock: Clock = MACHINE_CLOCK,
) -> T:
    """Call `check` every `every` seconds until it returns and does not raise NotYet.

    `clock` measures the seconds.

    Raises:
        EnvironmentFault: (of type `fault`) the condition did not hold within `seconds`; the message
            has the last observation.
    """
    end = clock.monotonic() + seconds
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NotYet),
        wait=tenacity.wait_fixed(every),
        stop=lambda _: clock.monotonic() >= end,
        sleep=clock.sleep,
        reraise=True,
    )
    try:
        return retrying(check)
    except NotYet as last:
        raise fault(
            f"{condition}: not within {seconds:g} s", where=where, seen=str(last), try_=try_
        ) from last
