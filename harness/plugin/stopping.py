"""A fault of the machine or the cluster stops the whole run, instead of failing each row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.errors import HarnessError
from harness.exitcode import exit_code_of
from harness.plugin.state import state_of
from harness.plugin.workers import is_worker


@contextmanager
def stopping(run: pytest.FixtureRequest | pytest.Item, *, offer: str = "") -> Iterator[None]:
    """Stop the run, with one message, if the block raises an error of policylab.

    `run` is the request or the test that leads to pytest's session. A worker cannot end the run
    itself: it asks its controller to stop, and the controller shows the message.
    `offer` is a sentence that follows the message: what can be done all the same.

    Raises:
        HarnessError: in a worker only; the row under test is then not checked.
    """
    try:
        yield
    except HarnessError as error:
        code = exit_code_of(error)
        if not is_worker(run.config):
            pytest.exit("\n".join(filter(None, (f"\n{error}", offer))), returncode=code)
        state_of(run.config).fault = code
        run.session.shouldstop = "\n".join(filter(None, (str(error), offer)))
        raise
