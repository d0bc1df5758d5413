"""What differs between runs, in words, as a page and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from string import ascii_uppercase
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from harness.core.compare.results import ResultRow, Results
from harness.core.compare.runs import Comparison, Difference, Kind
from harness.core.outcome import Reading
from harness.report.view import NONE, STATUS_WORDS, clean, environment_line

SCHEMA_VERSION = 1
TITLES = {
    Kind.UNEXPLAINED: "differs, and nothing explains it:",
    Kind.UNCHECKED: "was not checked in each of the runs:",
    Kind.EXPLAINED: "differs, and the table of CNI differences explains it:",
}
MISSING = "this run does not have the row"


def _line(text: str) -> str:
    """A text of the results on one line: nothing in a file can add a line or steer a terminal."""
    return " ".join(str(clean(text)).split())


def letter(number: int) -> str:
    """The name of a run in a text: A is the first."""
    return ascii_uppercase[number]


def runs_text(comparison: Comparison) -> Iterator[str]:
    """The runs, and each row that differs, as lines."""
    for number, run in enumerate(comparison.runs):
        yield f"{letter(number)}: {_run_words(run)}"
    yield from notes(comparison)
    for kind, title in TITLES.items():
        found = comparison.of(kind)
        if found:
            yield ""
            yield title
        for (tutorial, phase), group in groupby(found, key=lambda each: each.key[:2]):
            yield f"  {_line(tutorial)}, phase {_line(phase)}"
            for difference in group:
                yield from _row_text(difference)


def _run_words(run: Results) -> str:
    facts = environment_line(run.environment) or "the results name no versions"
    count = f"{len(run.rows)} row{'' if len(run.rows) == 1 else 's'}"
    return _line(f"{run.origin}: {count}; {facts}")


def notes(comparison: Comparison) -> Iterator[str]:
    """What a reader must know of a run before the rows, as sentences."""
    for number, run in enumerate(comparison.runs):
        if run.incomplete:
            yield f"{letter(number)} lacks rows, because {run.incomplete}"
        if run.offline:
            yield f"{letter(number)} asked no cluster, so it observed nothing"
        if not run.lines_told:
            yield (
                f"{letter(number)} comes from an earlier policylab: it does not say which rows "
                "follow the table of CNI differences, so none is explained by it"
            )


def _row_text(difference: Difference) -> Iterator[str]:
    yield f"    {_line(difference.told.flow)} (step {_line(difference.told.step)})"
    for number, row in enumerate(difference.rows):
        yield f"      {letter(number)}: {_line(row_words(row, difference))}"
    for reason in difference.because:
        yield f"      because: {reason}"


def row_words(row: ResultRow | None, difference: Difference) -> str:
    """One run's answer: the status, what the cluster showed, and the other parts that differ."""
    if row is None:
        return MISSING
    there = [each for each in difference.rows if each is not None]
    words = [STATUS_WORDS[row.status]]
    if row.observed is not None:
        words.append(f"the cluster shows {row.observed}")
    if len({each.documented for each in there}) > 1:
        words.append(f"the table says {row.documented}")
    if len({each.predicted for each in there}) > 1:
        words.append(f"the policies predict {row.predicted or NONE}")
    if row.problem:
        words.append(row.problem)
    return "; ".join(words)


def runs_summary(comparison: Comparison) -> str:
    """The finding in one sentence."""
    count, differ = comparison.compared, len(comparison.differences)
    rows = f"{count} row{'' if count == 1 else 's'} of {len(comparison.runs)} runs"
    if not count:
        return "No run has a row, so nothing was compared."
    compared = f"({rows} were compared)"
    if comparison.never_checked:
        compared = f"({rows} were compared; no run checked {comparison.never_checked} of them)"
    if not differ:
        return f"Nothing differs {compared}."
    parts = [
        f"{len(comparison.of(Kind.UNEXPLAINED))} without an explanation",
        f"{len(comparison.of(Kind.EXPLAINED))} as the table of CNI differences says",
        f"{len(comparison.of(Kind.UNCHECKED))} because a run did not check the row",
    ]
    verb = "row differs" if differ == 1 else "rows differ"
    return f"{differ} {verb}: {', '.join(parts)} {compared}."


def runs_document(comparison: Comparison) -> dict[str, Any]:
    """The comparison for programs, valid by `templates/compare.schema.json`."""
    found: dict[str, Any] = clean(
        {
            "schema_version": SCHEMA_VERSION,
            "runs": [
                {
                    "results": run.origin,
                    "environment": dict(run.environment),
                    "rows": len(run.rows),
                    "offline": run.offline,
                    "incomplete": run.incomplete or None,
                }
                for run in comparison.runs
            ],
            "compared": comparison.compared,
            "never_checked": comparison.never_checked,
            "summary": {str(kind): len(comparison.of(kind)) for kind in Kind},
            "notes": list(notes(comparison)),
            "differences": [_difference(each) for each in comparison.differences],
        }
    )
    return found


def _difference(difference: Difference) -> dict[str, Any]:
    tutorial, phase, row_id = difference.key
    return {
        "tutorial": tutorial,
        "phase": phase,
        "id": row_id,
        "step": difference.told.step,
        "flow": difference.told.flow,
        "kind": str(difference.kind),
        "because": list(difference.because),
        "answers": [_answer(row) for row in difference.rows],
    }


def _answer(row: ResultRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "status": str(row.status),
        "documented": _reading(row.documented),
        "predicted": _reading(row.predicted),
        "observed": _reading(row.observed),
        "problem": row.problem,
    }


def _reading(reading: Reading | None) -> str | None:
    return None if reading is None else str(reading)


def runs_page(comparison: Comparison) -> str:
    """The comparison as one self-contained HTML page; every text is escaped."""
    templates = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(clean=clean)
    page = templates.get_template("compare.html.j2")
    return page.render(
        summary=runs_summary(comparison),
        good=not comparison.of(Kind.UNEXPLAINED) and not comparison.unchecked,
        runs=[(letter(number), run) for number, run in enumerate(comparison.runs)],
        notes=list(notes(comparison)),
        titles=TITLES,
        found=comparison.of,
        words=row_words,
        line=_run_words,
    )
