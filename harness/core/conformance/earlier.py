"""The `report.yaml` of an earlier run or of a shard, read strictly: it may be anybody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.core.compare.sharding import Shard, parse_shard
from harness.core.conformance.deviations import Deviation, Verdict
from harness.core.conformance.report import API_VERSION, KIND, Facts, Implementation
from harness.core.conformance.row import Figure, FlowSeen, Level, Row, Runs, Status
from harness.errors import ContentError

T = TypeVar("T")
Files = Mapping[str, str]
NO_REPORT = "this is no report of `policylab conformance`"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A report: every row as its run counted it, and what the report says of the run."""

    verdicts: tuple[Verdict, ...]
    facts: Facts

    @property
    def statuses(self) -> dict[str, Status]:
        """The status of each row, by its name."""
        return {verdict.row.name: verdict.row.status for verdict in self.verdicts}


def read_report(
    document: Any, *, where: str, files: Callable[[str], Files] = lambda _: {}
) -> Earlier:
    """Read the document; `files` gives what lies beside the report for a row, by the row's name.

    Raises:
        ContentError: it is no report, or one of another version, or a part of it cannot be read.
    """
    if not isinstance(document, Mapping) or document.get("kind") != KIND or "rows" not in document:
        raise ContentError(NO_REPORT, where=where, try_="name the report.yaml of a run")
    if (version := document.get("apiVersion")) != API_VERSION:
        raise ContentError(
            "this report has another version than this policylab reads",
            where=where,
            seen=f"apiVersion: {version}, and not {API_VERSION}",
            try_="run it again with this policylab, or read it with the one that wrote it",
        )
    try:
        facts = _facts(document)
    except (KeyError, TypeError, ValueError) as error:
        raise ContentError("this report cannot be read", where=where, seen=_words(error)) from error
    if not isinstance(rows := document["rows"], list):
        raise ContentError(NO_REPORT, where=where, seen="its rows are no list")
    return Earlier(
        tuple(_verdict(row, number, where, files) for number, row in enumerate(rows, 1)), facts
    )


def _verdict(row: Any, number: int, where: str, files: Callable[[str], Files]) -> Verdict:
    try:
        name = _is(row, "name", str)
        found = _row(row, files(name))
        listed = row["deviation"]
        deviation = listed and Deviation(name, _is(listed, "reason", str), _is(listed, "link", str))
        return Verdict(found, _is(row, "red", bool), deviation, _is(row, "says", str))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = "a row of this report cannot be read"
        raise ContentError(what, where=where, seen=f"row {number}: {_words(error)}") from error


def _facts(document: Mapping[str, Any]) -> Facts:
    whose, ours = _is(document, "implementation", dict), _is(document, "policylab", dict)
    return Facts(
        Implementation(
            _is(whose, "project", str),
            _is(whose, "version", str),
            _is(whose, "organization", str),
            _is(whose, "url", str),
            tuple(map(str, _is(whose, "contact", list))),
        ),
        _is(document, "date", str),
        float(ours["seconds"]),
        _is(whose, "additionalInformation", str),
        _is(ours, "version", str),
        _is(document, "environment", dict),
        tuple(map(str, _is(ours, "notes", list))),
        interrupted=_is(ours, "interrupted", bool),
        shard=_shard(ours["shard"]),
        asked=_is(ours, "asked", dict),
    )


def _shard(value: Any) -> Shard | None:
    return None if value is None else parse_shard(f"{value['number']}/{value['of']}")


def _is(part: Any, key: str, kind: type[T]) -> T:
    """A value of this kind.

    Raises:
        KeyError, TypeError: it is not there, or of another kind.
    """
    if not isinstance(part, Mapping):
        raise TypeError(f"`{str(part)[:80]}` has no named parts")
    value = part[key]
    if not isinstance(value, kind):
        raise TypeError(f"`{key}` is `{str(value)[:80]}`")
    return value


def _words(error: Exception) -> str:
    return f"it lacks `{error.args[0]}`" if isinstance(error, KeyError) else str(error)


def _row(data: Mapping[str, Any], files: Files) -> Row:
    """The row that `report.row_json` wrote, with its files.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    return Row(
        str(data["name"]),
        Level(data["level"]),
        tuple(map(str, data["features"])),
        Status(data["status"]),
        str(data["why"]),
        str(data["about"]),
        str(data["source"]),
        tuple(map(_figure, data["figures"])),
        tuple(
            FlowSeen(
                str(seen["state"]),
                str(seen["flow"]),
                str(seen["expected"]),
                str(seen["predicted"]),
                str(seen["observed"] or ""),
                tuple(map(str, seen["why"])),
            )
            for seen in data["flows"]
        ),
        int(data["agreed"]),
        tuple(map(str, data["evidence"])),
        float(data["seconds"]),
        files,
        _runs(data.get("runs")),
    )


def _figure(data: Mapping[str, Any]) -> Figure:
    value, budget = (None if data[key] is None else float(data[key]) for key in ("value", "budget"))
    return Figure(str(data["name"]), value, str(data["unit"]), budget)


def _runs(data: Mapping[str, Any] | None) -> Runs | None:
    if data is None:
        return None
    ends = data["interval"] and tuple(map(float, data["interval"]))
    return Runs(int(data["passed"]), int(data["of"]), ends)
