"""An outcome table: what a tutorial documents, row by row.

`harness.core.lab.layout` says how a table is written down. Its columns:

    from, to        the client and the target (see `harness.core.target.grammar`)
    tutorial says   a word of `Outcome`, then a detail where it needs one;
                    `cni:LINE` for the behaviour of the run's CNI in `CniProfile`
    really          the true outcome, if the tutorial is wrong
    why             one sentence for the reader. Before it, in brackets: the id of the `Erratum`
                    that explains the row, if and only if the row has a `really`; then the
                    tutorial's section, if it is not the table's: `[frontend-open, 3.1]`, `[3.1]`.
                    `[ours]` marks a row that the text does not have
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from harness.core.lab.contract import check_fact
from harness.core.lab.layout import FROM, REALLY, SAYS, TO, WHY, Entry, Place, entries
from harness.core.lab.profile import PREFIX, CniProfile, checked_line, reading_of
from harness.core.lab.rowid import row_ids
from harness.core.outcome import Outcome, Reading
from harness.core.target import Fact, PodRef, Target, parse_pod, parse_target
from harness.core.target.ask import Ask
from harness.errors import OutcomeTableError

OURS = "ours"
_MARKED = re.compile(r"\[([^\[\]]+)\] *(.*)\Z")


@dataclass(frozen=True, slots=True)
class Erratum:
    """A claim of a tutorial that is false as written.

    Attributes:
        id: its name, unique in its table; rows refer to it in brackets.
        wrong: what the tutorial claims.
        why: the reason why the claim is false.
        corrected: the manifest (without `.yaml`) or the wording that is right.
    """

    id: str
    wrong: str
    why: str
    corrected: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a state, a flow, and the outcome that the tutorial documents.

    Attributes:
        id: its name, unique in its table (`harness.core.lab.rowid`).
        step: the name of its step.
        apply: the manifests in force at this step, without `.yaml`.
        source: the pod that asks.
        target: the target of the pod's request, with port and protocol.
        documented: the outcome that the tutorial documents.
        why: the reason, in one sentence.
        actual: the true outcome; None if the tutorial is right.
        erratum: the explanation of `actual`; None if and only if `actual` is None.
        command: the tutorial's own command, in words; empty if there is none.
        cite: the tutorial's section, or `ours` if the tutorial does not have this row.
        where: the file and the line on which the row begins.
        lines: the lines of `CniProfile` that `documented` and `actual` follow; an empty line means
            that the outcome is the same on every CNI.
        only_on: the only CNI on which the row's phase can run; empty if it runs on all CNIs.
    """

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
    only_on: str = ""

    def on(self, profile: CniProfile) -> Row:
        """The row with the outcomes of this CNI, without an erratum that this CNI does not show."""
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
        """The client and the target."""
        return Ask(self.source, self.target)

    @property
    def outcome(self) -> Reading:
        """The outcome to observe: the tutorial's or, with an erratum, the true outcome."""
        return self.actual or self.documented

    @property
    def ours(self) -> bool:
        """Whether policylab added this row, and the tutorial does not have it."""
        return self.cite == OURS


@dataclass(frozen=True, slots=True)
class Table:
    """The table of one phase of a tutorial.

    Attributes:
        source: `TUTORIAL#SECTION`; a row that names no section cites this one.
        rows: the rows, in the table's order.
        errata: the claims that rows of this table refute.
        cni: the only CNI on which the phase can run; empty if it runs on all CNIs.
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
    text: str,
    *,
    source: str,
    errata: Sequence[Erratum] = (),
    cni: str = "",
    place: Place | None = None,
) -> Table:
    """Read an outcome table; messages use `place`, where its text begins.

    Raises:
        OutcomeTableError: a column is missing or unknown, a word is misspelt, a row is repeated, or
            an erratum is missing, is not used or contradicts its row. The message names file and
            line.
    """
    place = place or Place(source)
    known = {erratum.id: erratum for erratum in errata}
    if len(known) != len(errata):
        raise OutcomeTableError("two errata have the same id", where=place.at(0))
    rows = [_row(entry, known, source.partition("#")[2]) for entry in entries(text, place)]
    ids = row_ids([(row.step, row.ask) for row in rows])
    rows = [replace(row, id=row_id, only_on=cni) for row, row_id in zip(rows, ids, strict=True)]
    _check(rows, known, place)
    for row in rows:
        _check_fact(row)
    return Table(source, tuple(rows), tuple(errata), cni)


def _check(rows: Sequence[Row], errata: Mapping[str, Erratum], place: Place) -> None:
    for row_id, count in Counter(row.id for row in rows).items():
        if count > 1:
            same = [row.where for row in rows if row.id == row_id]
            raise OutcomeTableError(
                f"{count} rows have the same id, `{row_id}`",
                where=same[-1],
                seen=f"the others are at {', '.join(same[:-1])}",
                try_="give the rows different steps, or remove one of them",
            )
    unused = errata.keys() - {row.erratum.id for row in rows if row.erratum}
    if unused:
        raise OutcomeTableError(
            f"no row shows the errata {', '.join(sorted(unused))}",
            where=place.at(0),
            try_="begin the `why` of a row that shows the erratum with its id in brackets: [ID]",
        )


def _check_fact(row: Row) -> None:
    documented = zip((row.documented, row.actual), row.lines, strict=True)
    readings = [reading for reading, line in documented if reading and not line]
    if isinstance(row.target, Fact):
        check_fact(row.target, readings, command=bool(row.command), where=row.where)


def _row(entry: Entry, errata: Mapping[str, Erratum], section: str) -> Row:
    cells, where = entry.cells, entry.where
    documented, line = _reading(cells[SAYS], where)
    actual, other = _reading(cells[REALLY], where) if cells.get(REALLY) else (None, "")
    marks, why = _marks(cells[WHY])
    erratum = _erratum(marks[0] if marks else "", actual, documented, errata, where)
    cited = marks[1:] if erratum else marks
    if len(cited) > 1:
        raise OutcomeTableError(
            "the brackets before `why` contain too many words",
            where=where,
            seen=", ".join(marks),
            try_="[ERRATUM, SECTION] if the row has a `really`, else [SECTION]",
        )
    if not why:
        raise OutcomeTableError(
            "the row has no `why`", where=where, try_="write one sentence for the reader"
        )
    return Row(
        id="",  # an id depends on the other rows' ids
        step=entry.step,
        apply=entry.apply,
        source=parse_pod(cells[FROM], where=where),
        target=parse_target(cells[TO], where=where),
        documented=documented,
        why=why,
        actual=actual,
        erratum=erratum,
        command=tuple(entry.command.split()),
        cite=cited[0] if cited else section,
        where=where,
        lines=(line, other),
    )


def _marks(cell: str) -> tuple[list[str], str]:
    """The words in brackets before a sentence, and the sentence."""
    marked = _MARKED.match(cell)
    return ([word.strip() for word in marked[1].split(",")], marked[2]) if marked else ([], cell)


def _reading(cell: str, where: str) -> tuple[Reading, str]:
    """A cell's reading, and the line of `CniProfile` that the cell names (may be empty).

    A cell that names a line keeps its text as its reading until `Row.on` knows the CNI.
    """
    if cell.startswith(PREFIX):
        line = checked_line(cell.removeprefix(PREFIX), where=where)
        return Reading(Outcome.SHOWS, cell), line
    return parse_reading(cell, where=where), ""


def _erratum(
    mark: str,
    actual: Reading | None,
    documented: Reading,
    errata: Mapping[str, Erratum],
    where: str,
) -> Erratum | None:
    if mark in errata and actual is None:
        raise OutcomeTableError(
            f"the row names the erratum `{mark}`, but its cell `{REALLY}` is empty",
            where=where,
            try_=f"write the true outcome into `{REALLY}`, or remove [{mark}]",
        )
    if actual is None:
        return None
    if mark not in errata:
        near = get_close_matches(mark, list(errata), n=1)
        raise OutcomeTableError(
            f"`{mark}` is not an erratum of this table"
            if mark
            else f"the row has a `{REALLY}`, but its `why` names no erratum",
            where=where,
            seen=f"its errata: {', '.join(errata) or 'none'}",
            try_=f"did you mean [{near[0]}]?" if near else "begin the `why` with [ID]",
        )
    if actual == documented:
        raise OutcomeTableError(
            "the erratum says the same as the tutorial",
            where=where,
            try_=f"remove `{REALLY}` and [{mark}]",
        )
    return errata[mark]


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
            f"`{word}` is not an outcome" if word else "the outcome is missing",
            where=where,
            seen=text,
            try_=f"did you mean `{near[0]}`?" if near else f"one of {', '.join(Outcome)}",
        ) from None
    if outcome is Outcome.UNSTABLE:
        raise OutcomeTableError(
            "a table cannot document `unstable`, which means that there is no verdict", where=where
        )
    if outcome is Outcome.SHOWS and not detail:
        raise OutcomeTableError(
            "`shows` needs a text after it", where=where, try_="for example `shows ndots:5`"
        )
    return Reading(outcome, detail.strip())
