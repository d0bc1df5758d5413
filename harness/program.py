"""The end of a command of policylab: the one place that prints errors and chooses exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from rich.console import Console

from harness.edge.machine.process import ends_on_sigterm
from harness.errors import HarnessError
from harness.exitcode import ExitCode, exit_code_of


def end_of(name: str, work: Callable[[], ExitCode], *, after_interrupt: str = "") -> ExitCode:
    """Do the work; the exit code that it ends with.

    `name` begins every message. `after_interrupt` is a sentence that says what became of unfinished
    work when Ctrl-C stopped it.
    """
    console = Console(stderr=True)

    def say(text: str, style: str = "") -> None:
        # Lines are not wrapped, so that a command in the message can be copied.
        console.print(f"{name}: {text}", style=style, highlight=False, markup=False, soft_wrap=True)

    try:
        with ends_on_sigterm():
            return work()
    except HarnessError as error:
        say(str(error), "bold red")
        return exit_code_of(error)
    except KeyboardInterrupt:
        say(" ".join(filter(None, ("interrupted.", after_interrupt))))
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has ended. Python would fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say("the program that reads this output closed it too early, so there is no verdict")
        return ExitCode.NO_VERDICT
    except Exception:  # noqa: BLE001 - Python's own exit code for it is 1, which means "differs"
        say(traceback.format_exc())
        say("this is a bug in policylab: please report the lines above", "bold red")
        return ExitCode.NO_VERDICT
