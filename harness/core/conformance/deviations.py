"""Differences that are known: a file of deviations, and an earlier run as the baseline.

Neither makes a case softer: it still fails, and the report says so. They decide whether the run as
a whole is red. A listed case that passes is red as well: the list is out of date. Only a case that
the list says fails now and then may do both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from harness.core.conformance.row import MADE_UP, Row, Status
from harness.core.manifests.text.parts import Part
from harness.core.manifests.text.reading import read
from harness.errors import ContentError

MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Deviation:
    """A case that a CNI is known not to pass.

    Attributes:
        case: the case's name.
        reason: why the CNI does otherwise, in a sentence.
        link: where that is written: its documentation, or an issue.
        sometimes: whether the case fails only now and then, so that it may pass as well.
    """

    case: str
    reason: str
    link: str
    sometimes: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row as the run counts it.

    Attributes:
        row: the row.
        red: whether it makes the run fail.
        deviation: the deviation that lists it, if there is one.
        says: what the list or the baseline makes of it, in a sentence; empty if nothing.
    """

    row: Row
    red: bool
    deviation: Deviation | None = None
    says: str = ""


def read_deviations(text: str, *, origin: str) -> tuple[Deviation, ...]:
    """Read a file: a list of entries with `case`, `reason`, `link` and perhaps `sometimes`.

    Raises:
        ContentError: it is not of this form, has a second document, or lists a case twice.
    """
    if len(text.encode()) > MAX_BYTES:
        raise ContentError(f"the deviations have more than {MAX_BYTES} bytes", where=origin)
    documents = read(text, origin=origin)
    if not documents:
        return ()
    if len(documents) > 1:
        seen = f"{len(documents)} documents"
        raise ContentError("the file of deviations is one YAML document", where=origin, seen=seen)
    top = Part(documents[0], origin, root="the file of deviations")
    top.only(("deviations",))
    found = [_deviation(part) for part in top.parts("deviations")]
    names = [each.case for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        top.fail(f"the case {twice[0]} is listed twice", "deviations")
    return tuple(found)


def _deviation(part: Part) -> Deviation:
    part.only(("case", "reason", "link", "sometimes"))
    sometimes = part.flag("sometimes", default=False)
    return Deviation(part.sentence("case"), part.sentence("reason"), part.link("link"), sometimes)


def known(deviations: Iterable[Deviation], rows: Collection[str], *, origin: str) -> None:
    """Check that every deviation is of one of these rows, or of a policy that a seed draws.

    Raises:
        ContentError: there is no such case.
    """
    for each in deviations:
        if each.case not in rows and not each.case.startswith(f"{MADE_UP}/"):
            near = get_close_matches(each.case, rows, n=1)
            raise ContentError(
                f"there is no case {each.case}",
                where=origin,
                try_=f"did you mean {near[0]}?" if near else "take it out of the list",
            )


def judged(
    rows: Iterable[Row],
    deviations: Iterable[Deviation] = (),
    baseline: Mapping[str, Status] | None = None,
) -> list[Verdict]:
    """How the run counts each row.

    With a `baseline` (the statuses of an earlier run) only a change is red, and not that of a case
    that is listed as failing now and then; a row that it does not have counts as without a
    baseline. What was not checked is never red, and says what was before.
    """
    listed = {each.case: each for each in deviations}
    found = []
    for row in rows:
        deviation = listed.get(row.name)
        before = (baseline or {}).get(row.name)
        if row.status not in (Status.PASSED, Status.FAILED):
            says = f"the baseline has {before}" if before in (Status.PASSED, Status.FAILED) else ""
            found.append(Verdict(row, False, deviation, says))
        elif before in (Status.PASSED, Status.FAILED):
            found.append(_changed(row, before, deviation))
        elif deviation is None:
            found.append(Verdict(row, row.status is Status.FAILED))
        elif row.status is Status.FAILED:
            found.append(Verdict(row, False, deviation, f"a known deviation: {deviation.reason}"))
        elif deviation.sometimes:
            says = f"it passed this time; a deviation is known: {deviation.reason}"
            found.append(Verdict(row, False, deviation, says))
        else:
            says = "it is listed as a deviation, and it passes: take it out of the list"
            found.append(Verdict(row, True, deviation, says))
    return found


def _changed(row: Row, before: Status, deviation: Deviation | None) -> Verdict:
    if row.status is before:
        says = f"as in the baseline: {before}" if before is Status.FAILED else ""
        return Verdict(row, False, deviation, says)
    sometimes = deviation is not None and deviation.sometimes
    return Verdict(row, not sometimes, deviation, f"the baseline has {before}")
