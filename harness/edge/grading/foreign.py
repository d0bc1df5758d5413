"""Somebody else's grader: a command that is run for each variant, in a folder of its own.

The command is split into words as a shell would, and `{dir}` in a word becomes the folder with the
variant's files. No shell reads it. Its exit code says right (0) or wrong, unless its output is JSON
with a score: `{"score": 7, "max_score": 10}`, or Gradescope's form with `tests` that have both.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.core.grading.mutation.trial import Answer, Said
from harness.core.grading.mutation.variants import Variant
from harness.edge.machine.bounded import Bounded, run_bounded
from harness.errors import ContentError

PLACE = "{dir}"
MAX_OUTPUT = 64 * 1024
NOT_RUN = (126, 127)
"""The exit codes by which shells and `env` say that there is no such program."""
_WORDS = 200


@dataclass(frozen=True)
class Foreign:
    """A command, in words; `deadline` are the seconds that it has for each variant."""

    words: tuple[str, ...]
    deadline: float

    def __call__(self, variant: Variant) -> Said:
        """Write the variant's files into a new folder, and ask the command about them.

        Raises:
            ToolMissing: the program does not exist.
            CommandFailed: the kernel does not start it.
        """
        with TemporaryDirectory(prefix="policylab-variant-") as folder:
            for name, data in variant.files:
                (Path(folder) / name).write_bytes(data)
            words = [word.replace(PLACE, folder) for word in self.words]
            return said_of(
                run_bounded(words, timeout=self.deadline, most=MAX_OUTPUT, cwd=Path.cwd())
            )


def foreign(command: str, deadline: float) -> Foreign:
    """A grader from its command.

    Raises:
        ContentError: the command cannot be read, or does not say where the files are.
    """
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ContentError(
            "the grader's command cannot be split into words", where=command, seen=str(error)
        ) from error
    if not any(PLACE in word for word in words[1:]):
        raise ContentError(
            f"the grader's command does not say {PLACE}, where the submission's folder goes",
            where=command or "--grader",
            try_=f"--grader './verify.sh {PLACE}'",
        )
    if deadline <= 0:
        raise ContentError("a grader has at least some seconds", where="--deadline")
    return Foreign(words, deadline)


def said_of(done: Bounded) -> Said:
    """What a command's end means."""
    if not done.in_time:
        return Said(Answer.NONE, f"it was not done after {done.seconds:.0f} s")
    if done.returncode < 0:
        return Said(Answer.NONE, f"signal {-done.returncode} ended it")
    if done.returncode in NOT_RUN:
        return Said(Answer.NONE, f"exit code {done.returncode}: {_last(done)}")
    score = _score(done.stdout)
    if isinstance(score, str):
        return Said(Answer.NONE, score)
    if score is not None:
        got, most = score
        answer = Answer.RIGHT if got >= most else Answer.WRONG
        return Said(answer, f"{got:g} of {most:g} points")
    answer = Answer.WRONG if done.returncode else Answer.RIGHT
    return Said(answer, f"exit code {done.returncode}: {_last(done)}")


def _last(done: Bounded) -> str:
    """The last line that it printed, as plain text."""
    text = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return "".join(c for c in (lines or ["no output"])[-1] if c.isprintable())[:_WORDS]


def _score(output: bytes) -> tuple[float, float] | str | None:
    """The score and the most; a text says what is wrong with it; None: there is none."""
    text = output.strip()
    if not text.startswith(b"{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"its output begins as JSON and is none: {error}"
    pair = _pair(found)
    if pair is None and isinstance(found.get("tests"), list):
        pairs = [_pair(test) for test in found["tests"] if isinstance(test, dict)]
        known = [one for one in pairs if one is not None]
        if known and len(known) == len(found["tests"]):
            pair = sum(got for got, _ in known), sum(most for _, most in known)
    return pair or "its JSON has no `score` with a `max_score`"


def _pair(found: Mapping[str, Any]) -> tuple[float, float] | None:
    got, most = found.get("score"), found.get("max_score")
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in (got, most)):
        return None
    pair = float(got or 0), float(most or 0)
    return pair if all(map(isfinite, pair)) else None
