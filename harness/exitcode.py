"""The exit codes of `policylab` and of `pytest labs/`: one table, and no code with two meanings.

The code alone tells a caller (a CI job, a script) what to do next. pytest itself chooses 4 and 5,
and 3 if pytest breaks, which gives no verdict either. pytest's own code 2 has two meanings; here it
keeps one (a lab cannot be collected), and Ctrl-C ends with 130, as in a shell.
"""

from __future__ import annotations

from enum import IntEnum

from harness.errors import ContentError, EnvironmentFault, HarnessError


class ExitCode(IntEnum):
    """The exit codes; `meaning` says what each of them means."""

    OK = 0
    DIFFERS = 1
    USAGE = 2
    NO_VERDICT = 3
    PYTEST_USAGE = 4
    PYTEST_NO_TESTS = 5
    FAULT = 10
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """The meaning of the code, for people."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "as wanted: everything was checked, and nothing differs",
    ExitCode.DIFFERS: "something that was checked differs: a row failed, the cluster does "
    "otherwise, or lint found a fault",
    ExitCode.USAGE: "the command line, a manifest or a lab is wrong; correct it and run again",
    ExitCode.NO_VERDICT: "nothing differs, but something was not checked: a tool broke, or gave no "
    "answer",
    ExitCode.PYTEST_USAGE: "pytest only: the options, a manifest or a table is wrong; no test was "
    "run",
    ExitCode.PYTEST_NO_TESTS: "pytest only: no test was selected",
    ExitCode.FAULT: "the machine or the cluster is at fault; mend it and run again",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C or SIGTERM",
}


def exit_code_of(error: HarnessError) -> ExitCode:
    """The exit code of a program that this error ends."""
    match error:
        case ContentError():
            return ExitCode.USAGE
        case EnvironmentFault():
            return ExitCode.FAULT
    return ExitCode.NO_VERDICT


def table() -> str:
    """The table as text for `--help`, one line for each code."""
    return "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
