"""The content of every report, in words; the terminal, Markdown and HTML only lay it out.

All text passes through `clean`, so that control characters in a command's output have no effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from harness.core.lab.record import NOT_REACHED, Status
from harness.core.outcome import MEANING, Outcome

COLUMNS = (
    ("documented", "tutorial says"),
    ("predicted", "policies predict"),
    ("observed", "cluster shows"),
)

STATUS_WORDS = {
    Status.PASS: "pass",
    Status.FAIL: "FAIL",
    Status.ERRATUM: "erratum",
    Status.NOT_CHECKED: "not checked",
    Status.NOT_OBSERVED: "not observed",
    Status.NOT_CHECKED_OFFLINE: "not checked offline",
}
STATUS_MEANING = {
    Status.PASS: "the cluster does what the tutorial says",
    Status.FAIL: "something else is found than the table says, and no erratum explains why",
    Status.ERRATUM: "the tutorial is wrong here; the erratum says why, and gives the right version",
    Status.NOT_CHECKED: "there is no verdict: this row proves nothing",
    Status.NOT_OBSERVED: "the policies predict what the table says; no cluster was asked",
    Status.NOT_CHECKED_OFFLINE: "nothing can be predicted: only a cluster can show it",
}
ONLINE = (Status.PASS, Status.ERRATUM, Status.FAIL, Status.NOT_CHECKED)
OFFLINE = (Status.NOT_OBSERVED, Status.FAIL, Status.NOT_CHECKED_OFFLINE)
"""The statuses that a run with a cluster can give, and a run without, in the order of reports."""

NOT_OBSERVED = "not observed"
"""What stands in the cluster's column where it was not asked, or gave no answer."""
NONE = "-"
NONE_MEANING = "no answer in this column"

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: window titles, links
    r"|\x1b[PX^_].*?(?:\x1b\\|$)"  # DCS, SOS, PM, APC
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(value: Any) -> Any:
    """The value without terminal escapes, control characters and direction overrides.

    Newlines and tabs stay. All texts in mappings and lists are cleaned as well.
    """
    match value:
        case str():
            return _CONTROL.sub("", _ESCAPES.sub("", value.replace("\r\n", "\n")))
        case Mapping():
            return {clean(key): clean(item) for key, item in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Step:
    """The rows of one step.

    Attributes:
        name: the step's name.
        apply: the manifests in force, without `.yaml`.
        rows: the rows, as `labs.json` has them.
    """

    name: str
    apply: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def in_force(self) -> str:
        """The manifests in force, in words."""
        return ", ".join(self.apply) or "no manifest"


@dataclass(frozen=True, slots=True)
class Phase:
    """The rows of one lab module.

    Attributes:
        tutorial: the tutorial's name.
        name: the phase's name.
        rows: the rows, as `labs.json` has them, in their order.
    """

    tutorial: str
    name: str
    rows: tuple[dict[str, Any], ...]

    @property
    def title(self) -> str:
        """The phase's name as words."""
        return self.name.replace("_", " ")

    @property
    def steps(self) -> list[Step]:
        """The steps; neighbouring rows with the same step are grouped."""
        return [
            Step(name, tuple(apply), tuple(rows))
            for (name, apply), rows in groupby(self.rows, lambda row: (row["step"], row["apply"]))
        ]

    @property
    def errata(self) -> list[dict[str, str]]:
        """The errata of the phase; an erratum that several rows show is listed once."""
        found = {row["erratum"]["id"]: row["erratum"] for row in self.rows if row["erratum"]}
        return list(found.values())

    @property
    def amiss(self) -> list[dict[str, Any]]:
        """The rows that failed or were not checked, except rows that the run did not reach."""
        amiss = (Status.FAIL, Status.NOT_CHECKED)
        return [r for r in self.rows if r["status"] in amiss and r["problem"] != NOT_REACHED]

    @property
    def counts(self) -> str:
        """The phase's rows by status, in words."""
        found = [row["status"] for row in self.rows]
        return _counts({status: found.count(status) for status in Status}, Status, brief=True)


def phases(rows: Iterable[dict[str, Any]]) -> list[Phase]:
    """The phases with their rows, both in the order in which they first appear."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["tutorial"], row["phase"]), []).append(row)
    return [Phase(tutorial, name, tuple(group)) for (tutorial, name), group in grouped.items()]


def statuses(document: Mapping[str, Any]) -> tuple[Status, ...]:
    """The statuses that the rows of this run can have."""
    return OFFLINE if document["offline"] else ONLINE


def counts(document: Mapping[str, Any]) -> str:
    """`36 pass, 7 erratum, 0 FAIL, 0 not checked`."""
    return _counts(document["summary"], statuses(document))


def _counts(summary: Mapping[str, int], shown: Iterable[Status], *, brief: bool = False) -> str:
    return ", ".join(f"{summary[s]} {STATUS_WORDS[s]}" for s in shown if summary[s] or not brief)


def total(document: Mapping[str, Any]) -> str:
    """The number of rows, in total and for each status."""
    part = " (a part of the tutorials)" if document["partial"] else ""
    return f"{_rows(len(document['rows']))}{part}: {counts(document)}."


def verdict(document: Mapping[str, Any]) -> str:
    """The run in one sentence."""
    summary = document["summary"]
    if not sum(summary.values()):
        return "No row was checked."
    failed, open_ = summary[Status.FAIL], summary[Status.NOT_CHECKED]
    parts = [f"{_rows(failed)} failed"] * bool(failed)
    parts += [f"{_rows(open_)} {'was' if open_ == 1 else 'were'} not checked"] * bool(open_)
    found = " and ".join(parts)
    if document["offline"] and not found:
        found = "Nothing differs, and no cluster was asked"
    if document["interrupted"]:
        return f"The run was interrupted before its last row{': ' * bool(found)}{found}."
    return f"{found or 'Every row was checked and none failed'}."


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def explanation(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The explanation of a row that failed or was not checked, as texts with their labels.

    An assertion's message and all reports show this same explanation.
    """
    parts = [("problem", row["problem"])]
    parts += [(words, " ".join(filter(None, answer(row, column)))) for column, words in COLUMNS]
    parts.append(("why", row["why"]))
    parts += [("policies", reason) for reason in row["reasons"]]
    parts += [("seen", note) for note in row["notes"]]
    parts.append(("next step", row["next_step"]))
    return [(label, text) for label, text in parts if text]


def explained(row: Mapping[str, Any]) -> list[str]:
    """The explanation as lines of text, after a line that names the flow and the step."""
    width = max(len(words) for _, words in COLUMNS) + 1
    head = f"{row['flow']['from']} -> {row['flow']['words']} (step {row['step']})"
    lines = [f"  {label + ':':<{width}} {text}" for label, text in explanation(row)]
    return [head, *"\n".join(lines).splitlines()]


def answer(row: Mapping[str, Any], column: str) -> tuple[str, str]:
    """One column's word and detail; `-` or `not observed` if there is no answer.

    A `shows` reading has its text or count instead of a word.
    """
    none = NOT_OBSERVED if column == "observed" else NONE
    word, detail = row[column] or none, row[f"{column}_detail"] or ""
    return (detail, "") if word == Outcome.SHOWS and detail else (word, detail)


def stands_out(row: Mapping[str, Any], column: str) -> bool:
    """Whether to emphasise this column, because it is refuted or it is the unexpected answer."""
    match row["status"]:
        case Status.ERRATUM:
            return answer(row, column)[0] != answer(row, "observed")[0]
        case Status.FAIL:
            return column == ("observed" if row["observed"] else "predicted")
        case Status.NOT_OBSERVED:
            return column == "documented" and row["erratum"] is not None
    return False


def wrap(text: str, width: int) -> str:
    """Lines of at most `width` characters, if possible: broken at blanks, else after `.` or `/`."""
    lines = [""]
    for piece in re.findall(r"[^ ./]*[ ./]?", text):
        if len(lines[-1]) + len(piece.rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def duration(seconds: float) -> str:
    """A time for people: `3 ms`, `2.0 s`, `1 min 31 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{seconds:.1f} s"


def legend(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The outcome words that these rows use, with their meanings."""
    rows = list(rows)
    seen = {row[column] for row in rows for column, _ in COLUMNS}
    words = [(o.value, MEANING[o]) for o in MEANING if o in seen and o is not Outcome.SHOWS]
    none = any(row[column] is None for row in rows for column, _ in COLUMNS[:-1])
    return words + ([(NONE, NONE_MEANING)] if none else [])


def environment_line(environment: Mapping[str, Any]) -> str:
    """The versions under test in one line; unknown parts are left out."""
    scalars = {k: v for k, v in environment.items() if v is not None and not _nested(v)}
    return ", ".join(f"{key} {value}" for key, value in scalars.items())


def _nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))
