r"""The lines of an outcome table: the step, the row or the command that each line belongs to.

    step deny: 01-workloads, 02-default-deny

    | from     | to               | tutorial says | really    | why                               |
    |----------|------------------|---------------|-----------|-----------------------------------|
    | shop/web | pod/shop/db:6379 | timeout       | connected | [one-door] one sentence, which    |
    |          |                  |               |           | may go on below                   |
      $ nc -z db 6379

A `step` line names the step and the manifests that are in force during the step, by file name
without `.yaml`. A `step` line that ends with a comma continues on the next line. The column
`really` may be left out. A step may have several tables below each other, each with the columns
that its rows need. A row whose `from` cell is empty continues the row above: the texts are joined
with a blank, or without a blank if the text below begins with a dot or a slash. A line that begins
with `$` is the tutorial's own command for the row above. A literal `|` is written `\|`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.errors import OutcomeTableError

FROM, TO, SAYS, REALLY, WHY = "from", "to", "tutorial says", "really", "why"
COLUMNS = (FROM, TO, SAYS, REALLY, WHY)
_STEP = re.compile(r"step ([a-z0-9]+(?:-[a-z0-9]+)*):(.*)\Z")
_RULER = re.compile(r"\|[-:| ]+\|\Z")
_FORM = "step NAME: MANIFEST, MANIFEST"


@dataclass(frozen=True, slots=True)
class Place:
    """The place where a table's text begins.

    Attributes:
        file: the path of the file, or another name for it.
        line: the number of the text's first line, from 1 on.
    """

    file: str
    line: int = 1

    def at(self, offset: int) -> str:
        """The place (`FILE:LINE`) of the line that is `offset` lines below the first line."""
        return f"{self.file}:{self.line + offset}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as text.

    Attributes:
        step: the name of its step.
        apply: the manifests in force during the step, without `.yaml`.
        cells: its cells by column.
        where: `FILE:LINE` of its first line.
        command: the tutorial's own command; empty if there is none.
    """

    step: str
    apply: tuple[str, ...]
    cells: Mapping[str, str]
    where: str
    command: str = ""


@dataclass(slots=True)
class _Step:
    """The current step; `header` is empty until the first line of its table has been read."""

    name: str
    apply: str
    where: str
    header: tuple[str, ...] = ()
    ruled: bool = False
    entries: list[Entry] = field(default_factory=list)

    def manifests(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.apply.split(",") if name.strip())


def entries(text: str, place: Place) -> Iterator[Entry]:
    """The rows of a table's text, in the text's order.

    Raises:
        OutcomeTableError: a line belongs to no step or row, a step is written twice or has no rows,
            a header has wrong columns, or a row has too few or too many cells.
    """
    for step in _steps(text, place):
        if not step.entries:
            raise OutcomeTableError(
                f"step `{step.name}` has no rows",
                where=step.where,
                try_="a step line needs a header, a ruler and at least one row below it",
            )
        yield from step.entries


def _steps(text: str, place: Place) -> list[_Step]:
    found: dict[str, _Step] = {}
    step: _Step | None = None
    for offset, raw in enumerate(text.splitlines()):
        line, where = raw.strip(), place.at(offset)
        if line.startswith("step "):
            step = _begin(line, where)
            if step.name in found:
                raise OutcomeTableError(
                    f"step `{step.name}` is written twice",
                    where=where,
                    seen=f"the first is at {found[step.name].where}",
                    try_="put all rows under one `step` line, or give one step another name",
                )
            found[step.name] = step
        elif step is None and line:
            raise OutcomeTableError(
                "a table begins with a `step` line", where=where, seen=line, try_=_FORM
            )
        elif step is not None and line:
            _take(step, line, where)
    if not found:
        raise OutcomeTableError("the outcome table is empty", where=place.at(0), try_=_FORM)
    return list(found.values())


def _begin(line: str, where: str) -> _Step:
    found = _STEP.match(line)
    if not found:
        raise OutcomeTableError(
            "the `step` line has a wrong form",
            where=where,
            seen=line,
            try_=f"{_FORM}, where NAME consists of small letters, digits and hyphens",
        )
    return _Step(found[1], found[2].strip(), where)


def _take(step: _Step, line: str, where: str) -> None:
    """Add one line to its step."""
    if not step.header and step.apply.endswith(","):
        step.apply += line
    elif line.startswith("$"):
        _command(step, line, where)
    elif not line.startswith("|"):
        raise OutcomeTableError(
            "the line is neither a step nor a row nor a command",
            where=where,
            seen=line,
            try_="a row starts and ends with |, a command starts with $, a step with the word step",
        )
    elif not step.header or _cells(line)[0] == FROM:
        step.header, step.ruled = _header(_cells(line), where), False
    elif not step.ruled:
        if not _RULER.match(line):
            raise OutcomeTableError(
                "the line below the header must be a ruler", where=where, seen=line, try_="|---|"
            )
        step.ruled = True
    else:
        _row(step, line, where)


def _row(step: _Step, line: str, where: str) -> None:
    texts = _cells(line)
    if len(texts) != len(step.header):
        raise OutcomeTableError(
            f"the row has {len(texts)} cells, the header has {len(step.header)}",
            where=where,
            seen=line,
            try_=r"every row starts and ends with |; write a literal | as \|",
        )
    row = dict(zip(step.header, texts, strict=True))
    if row[FROM]:
        step.entries.append(Entry(step.name, step.manifests(), row, where))
        return
    if not step.entries or step.entries[-1].command:
        raise OutcomeTableError(
            "the row has no `from`, and no row is directly above it to continue",
            where=where,
            seen=line,
        )
    above = step.entries[-1]
    cells = {name: _joined(name, above.cells[name], more) for name, more in row.items()}
    step.entries[-1] = replace(above, cells=cells)


def _joined(column: str, above: str, more: str) -> str:
    goes_on = column != WHY and more.startswith((".", "/"))
    return f"{above}{'' if goes_on else ' '}{more}".strip()


def _command(step: _Step, line: str, where: str) -> None:
    if not step.entries or step.entries[-1].command:
        raise OutcomeTableError(
            "no row without a command is directly above this command",
            where=where,
            seen=line,
            try_="write one command directly below its row",
        )
    step.entries[-1] = replace(step.entries[-1], command=line.removeprefix("$").strip())


def _cells(line: str) -> list[str]:
    inner = line.removeprefix("|").removesuffix("|")
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _header(names: Sequence[str], where: str) -> tuple[str, ...]:
    wanted = [name for name in COLUMNS if name != REALLY or name in names]
    if list(names) != wanted:
        raise OutcomeTableError(
            "the header of the outcome table is wrong",
            where=where,
            seen=" | ".join(names),
            try_=f"the columns are, in this order: {' | '.join(COLUMNS)}; "
            f"`{REALLY}` may be left out",
        )
    return tuple(names)
