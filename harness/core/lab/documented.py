"""An outcome table: what a tutorial documents, row by row.

A table is Markdown with these columns (order free; a * marks those that may be missing):

    step      the state that the row looks at; rows of one step share one `apply` cell
    apply     the manifests in force, by file name without `.yaml`, separated by commas
    from, to  who asks whom (`harness.core.target.grammar` says how)
    outcome   what the tutorial says: a word of `Outcome`, then a detail where it needs one;
              `cni:LINE` for what the run's CNI does by `CniProfile`
    why       one sentence for the reader
    actual*   what is true instead, where the tutorial is wrong; needs `erratum`
    erratum*  the id of the `Erratum` that explains it
    command*  the tutorial's own command, replayed in the `from` pod
    cite*     the tutorial's section; `ours` marks a row that the text does not have
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from harness.core.ask import Ask
from harness.core.lab.profile import PREFIX, CniProfile, checked_line, reading_of
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodRef, Target, parse_pod, parse_target
from harness.errors import OutcomeTableError

REQUIRED = ("step", "apply", "from", "to", "outcome", "why")
OPTIONAL = ("actual", "erratum", "command", "cite")
OURS = "ours"
HEADER_RULER_ROW = 3
"""Lines of the smallest table."""


@dataclass(frozen=True, slots=True)
class Erratum:
    """A sentence of a tutorial that is false as written: what is wrong, why, and what works.

    `corrected` names the manifest (without `.yaml`) or the wording that holds.
    """

    id: str
    wrong: str
    why: str
    corrected: str


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: its state, its flow, and what the tutorial says of it."""

    id: str
    step: str
    apply: tuple[str, ...]
    source: PodRef
    target: Target
    documented: Reading
    why: str
    actual: Reading | None
    erratum: Erratum | None
    command: tuple[str, ...]
    cite: str
    where: str
    lines: tuple[str, str] = ("", "")
    """Lines of `CniProfile` that `documented` and `actual` follow; empty for a fixed answer."""

    def on(self, profile: CniProfile) -> Row:
        """The row as it stands on that CNI; an erratum that does not show there is dropped."""
        documented, actual = (
            reading_of(line, profile) if line else reading
            for line, reading in zip(self.lines, (self.documented, self.actual), strict=True)
        )
        assert documented is not None  # noqa: S101 - every row documents something
        if actual == documented:
            return replace(self, documented=documented, actual=None, erratum=None)
        return replace(self, documented=documented, actual=actual)

    @property
    def ask(self) -> Ask:
        """Who asks, and whom."""
        return Ask(self.source, self.target)

    @property
    def outcome(self) -> Reading:
        """What must be observed: what the tutorial says or, under an erratum, what is true."""
        return self.actual or self.documented

    @property
    def ours(self) -> bool:
        """Whether this row is policylab's, not the tutorial's."""
        return self.cite == OURS


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one phase; `source` is `TUTORIAL#SECTION`.

    `cni` names the only CNI that can do what the phase is about; empty for all.
    """

    source: str
    rows: tuple[Row, ...]
    errata: tuple[Erratum, ...]
    cni: str = ""

    @property
    def tutorial(self) -> str:
        """The tutorial's name, which is also its folder under manifests/."""
        return self.source.partition("#")[0]


def parse_table(
    text: str, *, source: str, errata: Sequence[Erratum] = (), cni: str = "", where: str = ""
) -> Table:
    """Read an outcome table.

    Raises:
        OutcomeTableError: a missing or unknown column, a misspelt word, a doubled row, an erratum
            that is missing, unused or contradicts its row. Each names the line of the table.
    """
    known = {erratum.id: erratum for erratum in errata}
    if len(known) != len(errata):
        raise OutcomeTableError("two errata share an id", where=where or source)
    rows = tuple(
        _row(cells, known, source, f"{where or source}, table line {line}")
        for line, cells in _records(text, where or source)
    )
    _check(rows, known, where or source)
    return Table(source, rows, tuple(errata), cni)


def _check(rows: Sequence[Row], errata: dict[str, Erratum], where: str) -> None:
    for row_id, count in Counter(row.id for row in rows).items():
        if count > 1:
            raise OutcomeTableError(
                f"{count} rows share the id `{row_id}`",
                where=where,
                try_="give them different steps, or drop one",
            )
    unused = errata.keys() - {row.erratum.id for row in rows if row.erratum}
    if unused:
        raise OutcomeTableError(f"no row shows the errata {', '.join(sorted(unused))}", where=where)
    applied: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if applied.setdefault(row.step, row.apply) != row.apply:
            raise OutcomeTableError(
                f"step `{row.step}` has two different `apply` cells",
                where=row.where,
                try_="give the row a step of its own",
            )


def _records(text: str, where: str) -> Iterable[tuple[int, dict[str, str]]]:
    lines = [(number, line.strip()) for number, line in enumerate(text.strip().splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line]
    if len(lines) < HEADER_RULER_ROW or not re.fullmatch(r"\|[-:| ]+\|", lines[1][1]):
        raise OutcomeTableError(
            "the outcome table needs a header, a ruler and at least one row", where=where
        )
    header = _cells(lines[0][1])
    _check_header(header, where)
    for number, line in lines[2:]:
        cells = _cells(line)
        if len(cells) != len(header):
            raise OutcomeTableError(
                f"the row has {len(cells)} cells, the header {len(header)}",
                where=f"{where}, table line {number}",
                seen=line,
                try_=r"every row starts and ends with |; write a literal | as \|",
            )
        yield number, dict(zip(header, cells, strict=True))


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _check_header(header: Sequence[str], where: str) -> None:
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in REQUIRED + OPTIONAL]
    if missing or unknown or len(set(header)) != len(header):
        raise OutcomeTableError(
            "the outcome table's header is wrong",
            where=where,
            seen=f"missing: {', '.join(missing) or 'none'}; "
            f"unknown: {', '.join(unknown) or 'none'}",
            try_=f"columns are {', '.join(REQUIRED)} and, where needed, {', '.join(OPTIONAL)}",
        )


def _row(cells: dict[str, str], errata: dict[str, Erratum], source: str, where: str) -> Row:
    documented, line = _reading(cells["outcome"], where)
    actual, other = _reading(cells["actual"], where) if cells.get("actual") else (None, "")
    erratum = _erratum(cells.get("erratum", ""), actual, documented, errata, where)
    if not cells["why"]:
        raise OutcomeTableError(
            "the row has no `why`", where=where, try_="one sentence for the reader"
        )
    origin = parse_pod(cells["from"], where=where)
    return Row(
        id=_row_id(cells),
        step=cells["step"],
        apply=tuple(name.strip() for name in cells["apply"].split(",") if name.strip()),
        source=origin,
        target=parse_target(cells["to"], where=where),
        documented=documented,
        why=cells["why"],
        actual=actual,
        erratum=erratum,
        command=tuple(cells.get("command", "").strip("`").split()),
        cite=cells.get("cite") or source.partition("#")[2],
        where=where,
        lines=(line, other),
    )


def _reading(cell: str, where: str) -> tuple[Reading, str]:
    """A cell's reading, and the line of `CniProfile` that it follows.

    Until `Row.on` says which CNI it is, such a cell reads as itself.
    """
    if cell.startswith(PREFIX):
        line = checked_line(cell.removeprefix(PREFIX), where=where)
        return Reading(Outcome.SHOWS, cell), line
    return parse_reading(cell, where=where), ""


def _row_id(cells: dict[str, str]) -> str:
    return f"{cells['step']}:{cells['from']}->{cells['to']}"


def _erratum(
    name: str, actual: Reading | None, documented: Reading, errata: dict[str, Erratum], where: str
) -> Erratum | None:
    if bool(name) != (actual is not None):
        raise OutcomeTableError(
            "`actual` and `erratum` go together", where=where, try_="fill in both cells, or neither"
        )
    if not name:
        return None
    if name not in errata:
        raise OutcomeTableError(
            f"there is no erratum `{name}`",
            where=where,
            seen=f"known: {', '.join(errata) or 'none'}",
        )
    if actual == documented:
        raise OutcomeTableError(
            "the erratum says the same as the tutorial",
            where=where,
            try_="drop `actual` and `erratum`",
        )
    return errata[name]


def parse_reading(text: str, *, where: str) -> Reading:
    """Read an outcome cell: a word of `Outcome` and, after it, a detail.

    Raises:
        OutcomeTableError: the first word is not an outcome; the message suggests the nearest.
    """
    word, _, detail = text.partition(" ")
    try:
        outcome = Outcome(word)
    except ValueError:
        near = get_close_matches(word, list(Outcome), n=1)
        raise OutcomeTableError(
            f"`{word}` is no outcome",
            where=where,
            try_=f"did you mean `{near[0]}`?" if near else f"one of {', '.join(Outcome)}",
        ) from None
    if outcome is Outcome.UNSTABLE:
        raise OutcomeTableError(
            "a table cannot document `unstable`: it is the absence of an answer", where=where
        )
    if outcome is Outcome.SHOWS and not detail:
        raise OutcomeTableError(
            "`shows` needs what it shows", where=where, try_="e.g. `shows ndots:5`"
        )
    return Reading(outcome, detail.strip())
