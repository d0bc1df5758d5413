"""How a fault of the machine or the cluster stops the whole run, instead of failing each row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.errors import HarnessError
from harness.exitcode import exit_code_of


@contextmanager
def stopping(request: pytest.FixtureRequest) -> Iterator[None]:  # noqa: ARG001 - workers need it
    """Stop the run, with one message, if the block raises an error of policylab."""
    try:
        yield
    except HarnessError as error:
        pytest.exit(f"\n{error}", returncode=exit_code_of(error))
