"""The names of rows: those of cases, those that are measured, and a folder for each."""

from __future__ import annotations

import re
from collections.abc import Iterable

MADE_UP, MEASURED = "made-up", ("lifecycle", "latency")
"""The first parts of the names of rows that are no cases."""

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


def folder_name(row: str) -> str:
    """A row's name, or a file's, as the name of a folder or a file, which leads nowhere else."""
    return _UNFIT.sub("-", row).strip(".") or "row"


def why_no_case(name: str) -> str:
    """Why a case cannot have this name; empty if it can."""
    parts = name.split("/")
    if not all(map(_PART.fullmatch, parts)):
        return "it has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit"
    if is_measured(name):
        return f"rows whose names begin with `{parts[0]}/` are measured, and are no cases"
    return ""


def is_measured(name: str) -> bool:
    """Whether the row of this name is no case: it is measured, or about policies of a seed."""
    group, slash, _ = name.partition("/")
    return bool(slash) and group in (MADE_UP, *MEASURED)


def alike(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that are equal, or that would share a folder; None if there are none."""
    seen: dict[str, str] = {}
    for name in names:
        folder = folder_name(name)
        if folder in seen:
            return seen[folder], name
        seen[folder] = name
    return None
