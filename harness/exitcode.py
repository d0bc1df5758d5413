"""The exit codes of `policylab` and of `pytest labs/`: one table, and no code with two meanings.

A caller (a CI job, a script) reads from the code alone what to do next. pytest chooses 4 and 5
itself, and 3 where pytest breaks, which gives no verdict either. pytest's own 2 has two meanings;
here it keeps one (a lab cannot be collected), and Ctrl-C ends with 130, as in a shell.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from harness.errors import ContentError, EnvironmentFault, HarnessError


class ExitCode(IntEnum):
    """What the end of a program says; `meaning` is the sentence for people."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """Make a member: a number that carries its sentence."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    OK = 0, "as wanted: everything was checked, and nothing differs"
    DIFFERS = 1, "something that was checked differs: a row failed, or the cluster does otherwise"
    USAGE = 2, "the command line, a manifest or a lab is wrong; correct it and run again"
    NO_VERDICT = (
        3,
        "nothing differs, but something was not checked: a tool broke, or gave no answer",
    )
    PYTEST_USAGE = 4, "pytest only: the options, a manifest or a table is wrong; no test was run"
    PYTEST_NO_TESTS = 5, "pytest only: no test was selected"
    FAULT = 10, "the machine or the cluster is at fault; mend it and run again"
    INTERRUPTED = 130, "stopped by Ctrl-C or SIGTERM"


def exit_code_of(error: HarnessError) -> ExitCode:
    """The exit code of a program that ends with this error."""
    match error:
        case ContentError():
            return ExitCode.USAGE
        case EnvironmentFault():
            return ExitCode.FAULT
    return ExitCode.NO_VERDICT


def table() -> str:
    """The table as text, one code a line, for `--help`."""
    return "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
