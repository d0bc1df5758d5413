"""Hypothesis for all tests: a law is no timing test, and a busy machine breaks no law.

No test depends on who runs it: the variables by which pytest and rich know a build server or a wish
about colours are taken out, and a test that is about one of them sets it.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("laws", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("laws")

# With CI, pytest prints its last summary unshortened; with GITHUB_ACTIONS, reports add annotations.
OF_WHO_RUNS_IT = (
    *("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS"),
    *("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CLICOLOR", "CLICOLOR_FORCE"),
)


@pytest.fixture(autouse=True)
def _the_same_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_WHO_RUNS_IT:
        monkeypatch.delenv(name, raising=False)
