"""Progress messages of long work: to a console, to pytest's terminal, or to nobody."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pytest
    from rich.console import Console


class Progress(Protocol):
    """Receives progress messages. The command line prints them; tests record them."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """Announce a step that lasts as long as the returned context."""
        ...

    def note(self, text: str) -> None:
        """Show a line that is about no step."""
        ...


class Quiet:
    """A `Progress` that says nothing."""

    def step(self, text: str) -> AbstractContextManager[None]:  # noqa: ARG002 - the protocol's
        """Say nothing."""
        return nullcontext()

    def note(self, text: str) -> None:
        """Say nothing."""


class ConsoleProgress:
    """Progress with a spinner on a terminal, and with plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that the step runs, and then that it is done."""
        with self._console.status(text):
            if not self._console.is_terminal:
                self.note(f"{text} ...")
            yield
        self.note(f"{text}: done")

    def note(self, text: str) -> None:
        """Say one line. It is not wrapped, so that a command in it can be copied."""
        self._console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)


class TerminalProgress:
    """Progress in pytest's terminal, which pytest's capture of output does not swallow.

    A worker of pytest-xdist has no terminal: it writes to the standard error stream, with its name.
    """

    def __init__(self, config: pytest.Config, worker: str = "") -> None:
        self._config = config
        self._worker = worker

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that a step begins, and then how long it took."""
        began = time.monotonic()
        self.note(f"{text} ...")
        yield
        self.note(f"{text}: {time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        """Say one line."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if capture is None or (reporter is None and not self._worker):
            return
        with capture.global_and_fixture_disabled():
            if reporter is None:
                sys.stderr.write(f"\n  [{self._worker}] {text}")
                sys.stderr.flush()
                return
            reporter.ensure_newline()
            reporter.write_line(f"  {text}")
            reporter.flush()
