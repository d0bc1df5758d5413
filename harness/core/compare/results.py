"""The results of a run, read from its `labs.json` (`templates/labs.schema.json` describes it).

The document may come from anybody: each part that is used is checked, and the rest is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.lab.profile import LINES, CniProfile, profile_of
from harness.core.lab.record import Status
from harness.core.outcome import Outcome, Reading
from harness.errors import ContentError

VERSIONS = (2, 3)
"""The versions of the document that can be read; 2 does not say which lines a row follows."""
MAX_ROWS = 50_000
MAX_TEXT = 2_000
"""Letters of one text; a longer text is cut off here, for it is only shown."""
MAX_FACTS = 40
"""Facts about the environment; a run writes about ten."""

Key = tuple[str, str, str]
"""A row's tutorial, phase and id; no two rows of a run have the same."""


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of a run's results.

    Attributes:
        key: the row's tutorial, phase and id.
        step: the name of its step.
        flow: the client and the target, as tables write them.
        documented: the outcome that the tutorial documents, on the run's CNI.
        predicted: the outcome that the policies predict; None if nothing is predicted.
        observed: what the cluster showed; None if nothing was observed.
        status: the status that followed.
        problem: what differs, or why the row was not checked; else empty.
        lines: the lines of `CniProfile` that the row's outcomes follow.
        only_on: the only CNI on which the row's lab can run; empty if it runs on all CNIs.
    """

    key: Key
    step: str
    flow: str
    documented: Reading
    predicted: Reading | None
    observed: Reading | None
    status: Status
    problem: str
    lines: tuple[str, ...]
    only_on: str


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one run.

    Attributes:
        origin: the file or folder, as the user named it.
        environment: the facts about the run's cluster, in words.
        lines_told: whether the rows say which lines of `CniProfile` they follow.
        incomplete: why rows may be missing, in words; empty if the run was complete.
        offline: whether no cluster was asked.
        profile: how the run's CNI behaves, by the table of CNI differences; None if the results do
            not say it.
        rows: the rows by their keys, in the order of the run.
    """

    origin: str
    environment: Mapping[str, str]
    lines_told: bool
    incomplete: str
    offline: bool
    profile: CniProfile | None
    rows: Mapping[Key, ResultRow]

    @property
    def cni(self) -> str:
        """The name of the run's CNI; empty if the results do not say it."""
        return self.environment.get("cni", "")

    @property
    def column(self) -> str:
        """The column of the table of CNI differences that holds for the run; empty if unknown."""
        return self.environment.get("profile") or self.cni


def results_of(document: Any, origin: str) -> Results:
    """The results in a document.

    Raises:
        ContentError: the document is not one of `labs.json`, or a part of it is wrong.
    """
    parts = _Parts(document, origin, "the document")
    version = parts.get("schema_version")
    if version not in VERSIONS or isinstance(version, bool):
        raise ContentError(
            "policylab cannot read this version of labs.json",
            where=origin,
            seen=f"schema_version: {_shown(version)}",
            try_=f"it reads the versions {' and '.join(map(str, VERSIONS))}; run the labs again, "
            "or take the policylab that wrote the file",
        )
    found = parts.get("rows")
    if not isinstance(found, list) or len(found) > MAX_ROWS:
        raise ContentError(
            f"`rows` is not a list of at most {MAX_ROWS} rows", where=origin, seen=_shown(found)
        )
    rows: dict[Key, ResultRow] = {}
    for number, item in enumerate(found, 1):
        row = _row(_Parts(item, origin, f"row {number}"), version)
        if row.key in rows:
            raise ContentError(
                f"row {number} has the same tutorial, phase and id as an earlier row",
                where=origin,
                seen=_shown(" / ".join(row.key)),
            )
        rows[row.key] = row
    environment = _environment(parts)
    return Results(
        origin,
        environment,
        version > VERSIONS[0],
        _incomplete(parts),
        parts.flag("offline"),
        _profile(parts, environment.get("profile") or environment.get("cni", "")),
        rows,
    )


def _profile(parts: _Parts, column: str) -> CniProfile | None:
    """The lines that are told; a line that this policylab does not know says nothing to it."""
    found = parts.get("profile") if "profile" in parts.found else None
    if found is None:  # an older policylab wrote the document
        return None
    if not isinstance(found, Mapping):
        raise parts.wrong("profile", "an object", found)
    told = {}
    for line in LINES.keys() & found.keys():
        word, _, detail = str(found[line])[:MAX_TEXT].partition(" ")
        try:
            told[line] = Reading(Outcome(word), detail)
        except ValueError:
            raise parts.wrong(f"profile.{line}", "an outcome", found[line]) from None
    return profile_of(column, told)


def _environment(parts: _Parts) -> dict[str, str]:
    found = parts.get("environment")
    if not isinstance(found, Mapping):
        raise parts.wrong("environment", "an object", found)
    scalars = {
        str(key)[:MAX_TEXT]: str(value)[:MAX_TEXT]
        for key, value in found.items()
        if isinstance(value, str | int | float) and value != ""
    }
    return dict(list(scalars.items())[:MAX_FACTS])


def _incomplete(parts: _Parts) -> str:
    if parts.flag("interrupted"):
        return "the run was interrupted before its last row"
    return "the run left out rows of its tutorials" if parts.flag("partial") else ""


def _row(parts: _Parts, version: int) -> ResultRow:
    flow = _Parts(parts.get("flow"), parts.origin, f"`flow` of {parts.name}")
    told = version > VERSIONS[0]
    documented = parts.reading("documented")
    if documented is None:
        raise parts.wrong("documented", "an outcome", None)
    return ResultRow(
        key=(parts.text("tutorial"), parts.text("phase"), parts.text("id")),
        step=parts.text("step"),
        flow=f"{flow.text('from')} -> {flow.text('to')}",
        documented=documented,
        predicted=parts.reading("predicted"),
        observed=parts.reading("observed"),
        status=parts.status(),
        problem=parts.text("problem"),
        lines=parts.texts("lines") if told else (),
        only_on=parts.text("only_on", none="") if told else "",
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """An object of the document; `name` says to people which."""

    found: Any
    origin: str
    name: str

    def get(self, key: str) -> Any:
        if not isinstance(self.found, Mapping):
            raise ContentError(
                f"{self.name} is not an object of JSON",
                where=self.origin,
                seen=_shown(self.found),
                try_="name a folder of results, or the labs.json in it",
            )
        if key not in self.found:
            raise ContentError(
                f"{self.name} lacks `{key}`",
                where=self.origin,
                try_="name a folder of results, or the labs.json in it",
            )
        return self.found[key]

    def flag(self, key: str) -> bool:
        found = self.get(key)
        if not isinstance(found, bool):
            raise self.wrong(key, "true or false", found)
        return found

    def text(self, key: str, none: str | None = None) -> str:
        found = self.get(key)
        if found is None and none is not None:
            return none
        if not isinstance(found, str):
            raise self.wrong(key, "a text", found)
        return found[:MAX_TEXT]

    def texts(self, key: str) -> tuple[str, ...]:
        found = self.get(key)
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self.wrong(key, "a list of texts", found)
        return tuple(each[:MAX_TEXT] for each in found[:MAX_FACTS])

    def reading(self, column: str) -> Reading | None:
        word = self.get(column)
        detail = self.text(f"{column}_detail", none="")
        if word is None:
            return None
        try:
            return Reading(Outcome(word), detail)
        except ValueError:
            raise self.wrong(column, "an outcome", word) from None

    def status(self) -> Status:
        word = self.get("status")
        try:
            return Status(word)
        except ValueError:
            raise self.wrong("status", "a status", word) from None

    def wrong(self, key: str, wanted: str, found: Any) -> ContentError:
        return ContentError(
            f"`{key}` of {self.name} is not {wanted}", where=self.origin, seen=_shown(found)
        )


def _shown(found: Any) -> str:
    match found:
        case Mapping() | list():
            kind = "an object" if isinstance(found, Mapping) else "a list"
            return f"{kind} with {len(found)} entries"
        case None:
            return "null"
        case str():
            return ascii(found[:80])  # it may hold what steers a terminal
        case int() if abs(found) >= 10**20:
            return "a very large number"
    return str(found)[:80]
