"""Reads the text that `cyclonus generate --noisy` prints (v0.5.6, pkg/connectivity/printer.go).

The text is the only output that has each flow: its JUnit file has one word a case. Each line comes
with the time at which it was heard, because Cyclonus prints no times of its cases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml

from harness.errors import ContentError

MOST_LINES = 1_000_000
"""Of one run: its default cases print a tenth of this."""
_PLANNED = re.compile(r"test #(\d+): (.*)")
_TAGS = re.compile(r" - tags: (.*)")
_STARTED = re.compile(r"starting test case #(\d+)")
_FINISHED = re.compile(r"finished policy #(\d+)")
_STEP = re.compile(r"step \d+ on (?:port (\S+), protocol (\S+)|all available ports/protocols):")
_COUNTS = re.compile(r"(?:Discrepancy found:)?(\d+) wrong, (\d+) ignored, (\d+) correct")
_TRY = re.compile(r"kube results, try \d+:")
_POLICY, _EXPECTED, _OTHER = "Network policy:", "Expected combined:", "Actual vs expected"


class Mark(StrEnum):
    """What a table of Cyclonus says of a flow.

    ALLOWED: the probe's program ended well. BLOCKED: it ended with any error, whatever the error
    was. FAILED: the program could not be started. The others are asked of no pod.
    """

    ALLOWED = "."
    BLOCKED = "X"
    FAILED = "!"
    UNKNOWN = "?"
    NO_SUCH_NAME = "P"
    NO_SUCH_PORT = "N"


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A flow as Cyclonus names it: NAMESPACE/POD twice, and PROTOCOL/PORT."""

    source: str
    target: str
    port: str

    @property
    def is_own(self) -> bool:
        """Whether the pod asks for itself, through its own Service."""
        return self.source == self.target


@dataclass(slots=True)
class Step:
    """A change of the cluster, and the flows afterwards.

    Attributes:
        policies: the policies in force, as manifests have them.
        expected: what Cyclonus's own model says.
        tries: what its probes showed; a further try follows where one differs from the model.
        single: the only port that was probed, as PROTOCOL/PORT; empty: several.
        wrong: the pairs of pods that it counts as wrong.
    """

    policies: list[Mapping[str, Any]] = field(default_factory=list)
    expected: dict[Cell, Mark] = field(default_factory=dict)
    tries: list[dict[Cell, Mark]] = field(default_factory=list)
    single: str = ""
    wrong: int = 0


@dataclass(slots=True)
class Ran:
    """One case of Cyclonus that was run to its end.

    Attributes:
        number: its number in the run.
        about: its description.
        tags: its tags.
        began: when it began, in seconds.
        ended: when it was printed.
        steps: its steps.
    """

    number: int
    about: str
    tags: tuple[str, ...]
    began: float
    ended: float = 0.0
    steps: list[Step] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def passed(self) -> bool:
        """Its verdict on the CNI."""
        return not any(step.wrong for step in self.steps)


@dataclass(frozen=True, slots=True)
class Printed:
    """A run, or its beginning.

    Attributes:
        planned: the number of cases that it wanted to run.
        tested: those that it ran to their end.
    """

    planned: int
    tested: tuple[Ran, ...]


def printed(lines: Iterable[tuple[float, str]]) -> Printed:
    """Read the lines of a run, each with the time at which it was heard.

    Raises:
        ContentError: the text is not of this form, or too long.
    """
    reader = _Reader()
    heard = iter(_bounded(lines))
    for at, line in heard:
        reader.take(at, line, heard)
    return Printed(len(reader.planned), tuple(reader.tested))


class _Reader:
    def __init__(self) -> None:
        self.planned: dict[int, tuple[str, tuple[str, ...]]] = {}
        self.tested: list[Ran] = []
        self._last = 0
        self._now: Ran | None = None

    def take(self, at: float, line: str, rest: Iterator[tuple[float, str]]) -> None:
        if found := _PLANNED.fullmatch(line):
            self._last = int(found[1])
            self.planned[self._last] = (found[2], ())
        elif (found := _TAGS.fullmatch(line)) and self._last in self.planned:
            about, _ = self.planned[self._last]
            self.planned[self._last] = (about, tuple(found[1].split(", ")))
        elif found := _STARTED.fullmatch(line):
            self._now = Ran(int(found[1]), *self._plan(int(found[1])), began=at)
        elif self._now is not None:
            self._in_case(self._now, at, line, rest)

    def _plan(self, number: int) -> tuple[str, tuple[str, ...]]:
        if number not in self.planned:
            raise ContentError(f"Cyclonus runs case {number}, which it did not name before")
        return self.planned[number]

    def _in_case(self, now: Ran, at: float, line: str, rest: Iterator[tuple[float, str]]) -> None:
        if _FINISHED.fullmatch(line):
            now.ended = at
            self.tested.append(now)
            self._now = None
        elif found := _STEP.fullmatch(line):
            now.steps.append(Step(single=f"{found[2]}/{found[1]}" if found[1] else ""))
        elif now.steps:
            step = now.steps[-1]
            if line == _POLICY:
                step.policies.append(_policy(rest))
            elif found := _COUNTS.fullmatch(line):
                step.wrong = int(found[1])
            elif line == _EXPECTED:
                step.expected = table(_text_table(rest), step.single)
            elif _TRY.fullmatch(line):
                step.tries.append(table(_text_table(rest), step.single))


def _bounded(lines: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    for number, (at, line) in enumerate(lines):
        if number == MOST_LINES:
            raise ContentError(f"Cyclonus printed more than {MOST_LINES} lines")
        yield at, line.rstrip("\n")


def _policy(rest: Iterator[tuple[float, str]]) -> Mapping[str, Any]:
    """The YAML between the next two empty lines."""
    text: list[str] = []
    for _, line in rest:
        if line.strip():
            text.append(line)
        elif text:
            break
    try:
        found = yaml.safe_load("\n".join(text))
    except yaml.YAMLError as error:
        raise ContentError("a policy that Cyclonus printed is no YAML", seen=str(error)) from error
    if not isinstance(found, dict) or not {"metadata", "spec"} <= found.keys():
        raise ContentError("a policy that Cyclonus printed has no spec", seen=str(found)[:200])
    return found


def _text_table(rest: Iterator[tuple[float, str]]) -> list[str]:
    """The lines of a table, up to the empty line after it."""
    found: list[str] = []
    for _, line in rest:
        if line.startswith(("+", "|")):
            found.append(line)
        elif found:
            break
    return found


def table(lines: Sequence[str], single: str) -> dict[Cell, Mark]:
    """A printed table; `single` is the port of a table that names none.

    Raises:
        ContentError: a row does not have a mark for each port and pod.
    """
    rules = [number for number, line in enumerate(lines) if line.startswith("+")]
    if len(rules) < 2:  # noqa: PLR2004 - one above the header, and one below
        raise ContentError("this is no table of Cyclonus", seen="\n".join(lines)[:200])
    header = [_cells(line) for line in lines[rules[0] + 1 : rules[1]]]
    ports = [row[0] for row in header if row[0]] or [single]
    targets = [name.lower() for name in header[0][1:]]
    found: dict[Cell, Mark] = {}
    for line in lines[rules[1] :]:
        if line.startswith("+"):
            continue
        source, *shown = _cells(line)
        for target, marks in zip(targets, shown, strict=True):
            if len(marks.split()) != len(ports):
                raise ContentError("a row of Cyclonus lacks marks", seen=line)
            for port, mark in zip(ports, marks.split(), strict=True):
                found[Cell(source, target, port)] = Mark(mark)
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
