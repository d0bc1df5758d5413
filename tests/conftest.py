"""Hypothesis for all tests: a law is no timing test, and a busy machine breaks no law.

No test depends on who runs it: the variables by which pytest and rich know a build server or a wish
about colours are taken out, and a test that is about one of them sets it. The background of a shell
ignores Ctrl-C, and what it starts inherits that: a program that a test starts does not.

A program that a test interrupts is not measured. Coverage takes a lock for each new file that it
meets; an interrupt that arrives just then leaves the lock taken, and the program waits for it for
ever (seen in one of six interrupted programs; coveragepy issues 1101 and 1892 are of this kind).
"""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("laws", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("laws")

# With CI, pytest prints its last summary unshortened; with GITHUB_ACTIONS, reports add annotations.
OF_WHO_RUNS_IT = (
    *("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS"),
    *("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CLICOLOR", "CLICOLOR_FORCE"),
)

# By this variable, coverage measures the programs that a measured program starts.
MEASURED = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture
def not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test starts may be interrupted: coverage leaves it alone."""
    monkeypatch.delenv(MEASURED, raising=False)


@pytest.fixture(autouse=True)
def _the_same_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_WHO_RUNS_IT:
        monkeypatch.delenv(name, raising=False)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A handler is not inherited by another program; that a signal is ignored, is.
        signal.signal(signal.SIGINT, signal.default_int_handler)
