"""Progress in pytest's terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class TerminalProgress:
    """Progress in pytest's terminal, past its capture of output."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what begins, and how long it took."""
        began = time.monotonic()
        self.note(f"{text} ...")
        yield
        self.note(f"{text}: {time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        """Say one line."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if reporter is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"  {text}")
            reporter.flush()
