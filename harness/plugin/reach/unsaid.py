"""The flows that the running test has named and said nothing of yet: such a test cannot fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import ContentError

_UNSAID: list[object] = []


def named(flow: object) -> None:
    """A test, or one of its fixtures, named a flow."""
    _UNSAID.append(flow)


def said(flow: object) -> None:
    """A test said something of this very flow."""
    _UNSAID[:] = [other for other in _UNSAID if other is not flow]


def forget() -> None:
    """Forget the flows that a test named."""
    _UNSAID.clear()


@contextmanager
def for_several() -> Iterator[None]:
    """A block whose flows are for several tests: no single test must say something of each."""
    before = [*_UNSAID]
    yield
    _UNSAID[:] = before


def all_said() -> None:
    """Make sure that a test has said something of each flow that it named.

    Raises:
        ContentError: it has not.
    """
    if _UNSAID:
        raise ContentError(
            f"the test names the flow {_UNSAID[0]}, and says nothing of it",
            try_="end the sentence: .is_open() or .is_blocked()",
        )
