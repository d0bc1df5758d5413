"""What a run of conformance consists of: cases, deviations, a baseline; read before it begins."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from harness.core.conformance.case import Case
from harness.core.conformance.deviations import Deviation, known, read_baseline, read_deviations
from harness.core.conformance.row import Level, Status
from harness.edge.conformance.shipped import cases_in, deviations_of, shipped
from harness.errors import ContentError

MAX_REPORT = 64 * 1024 * 1024


class Profile(StrEnum):
    """What is run. CORE and EXTENDED are cases; the others measure, and disturb the cluster."""

    CORE = "core"
    EXTENDED = "extended"
    LIFECYCLE = "lifecycle"
    LATENCY = "latency"


DEFAULT = (Profile.CORE, Profile.EXTENDED)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a run consists of.

    Attributes:
        cases: the cases.
        profiles: the profiles.
        deviations: what the CNI is known not to pass.
        baseline: the statuses of an earlier run; None if there is none.
    """

    cases: tuple[Case, ...]
    profiles: frozenset[Profile]
    deviations: tuple[Deviation, ...]
    baseline: Mapping[str, Status] | None


def chosen(arguments: argparse.Namespace, cni: str) -> Chosen:
    """What the options choose; `cni` is the name of the CNI, whose own deviations count.

    Raises:
        ContentError: nothing is chosen, a file is not of its form, or a deviation is of no case.
    """
    profiles = frozenset(map(Profile, arguments.profile or DEFAULT))
    all_cases = cases_in(arguments.cases) if arguments.cases else shipped()
    levels = {Level(profile.value) for profile in profiles if profile in DEFAULT}
    cases = tuple(c for c in all_cases if c.level in levels and _fits(c, arguments.only))
    measured = profiles - set(DEFAULT)
    if not cases and not arguments.fuzz and not measured:
        raise ContentError(
            "no case is chosen, and a run without a case proves nothing",
            seen=f"--only {' '.join(arguments.only)}" if arguments.only else "",
            try_=f"there are {len(all_cases)}; `--only 'ports/*'` chooses by their names",
        )
    listed = {} if arguments.cases else {d.case: d for d in deviations_of(cni)}
    if arguments.deviations:
        found = read_deviations(_text(arguments.deviations), origin=str(arguments.deviations))
        known(found, [case.name for case in all_cases], origin=str(arguments.deviations))
        listed |= {deviation.case: deviation for deviation in found}
    return Chosen(cases, profiles, tuple(listed.values()), _baseline(arguments.baseline))


def _fits(case: Case, patterns: Sequence[str]) -> bool:
    return not patterns or any(
        fnmatchcase(case.name, pattern) or pattern in case.features for pattern in patterns
    )


def _baseline(file: Path | None) -> Mapping[str, Status] | None:
    if file is None:
        return None
    try:
        found: Any = yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        seen = str(error)[:200]
        raise ContentError("this is no YAML", where=str(file), seen=seen) from error
    return read_baseline(found, where=str(file))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_REPORT + 1)
    except OSError as error:
        seen = error.strerror or str(error)
        raise ContentError("the file cannot be read", where=str(file), seen=seen) from error
    if len(data) > MAX_REPORT:
        raise ContentError(f"the file has more than {MAX_REPORT} bytes", where=str(file))
    return data.decode("utf-8", errors="replace")
