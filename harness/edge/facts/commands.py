"""Facts that are read off a tutorial's own command: its first line, exit code, and waiting time."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.core.lab.documented import Row
from harness.core.observation import Observation, Transcript
from harness.core.outcome import Outcome, Reading
from harness.edge.stage.bench import Bench

PIPE = "| head -1"
_GAVE_UP = re.compile(r"after (\d+) m(?:illi)?s")
"""How curl says for how long it tried."""


@dataclass(frozen=True, slots=True)
class CommandFact:
    """How the row's command is typed, and what is read off its transcript."""

    read: Callable[[Transcript], str]
    typed: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda words: words


def _first_line(transcript: Transcript) -> str:
    # The command's output comes before its errors and those of kubectl.
    return transcript.output.partition("\n")[0].strip()


def _exit_code(transcript: Transcript) -> str:
    return str(transcript.exit_code)


def _whole_seconds(transcript: Transcript) -> str:
    found = _GAVE_UP.search(transcript.output)
    return f"{int(found[1]) // 1000} s" if found else "it did not give up"


def _piped(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command with a pipe behind it, in a shell without `pipefail`, as people type it."""
    return ("sh", "-c", f"{shlex.join(words)} {PIPE}")


COMMANDS: Mapping[str, CommandFact] = {
    "first-line": CommandFact(_first_line),
    "exit-code": CommandFact(_exit_code),
    "piped-exit-code": CommandFact(_exit_code, _piped),
    "gave-up-after": CommandFact(_whole_seconds),
}
"""Facts that are read off the row's own command."""


def run_command(bench: Bench, row: Row, *, name: str) -> Observation:
    """Run the row's command in its pod and read the fact of that name off it.

    Raises:
        ProbeError: the command did not run.
    """
    fact = COMMANDS[name]
    transcript = bench.replayer.run(row.source, fact.typed(row.command))
    return Observation(Reading(Outcome.SHOWS, fact.read(transcript)), transcripts=(transcript,))
