"""What a run of conformance consists of: cases, deviations, a baseline; read before it begins."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from harness.core.compare.sharding import Shard, parse_shard
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
        shard: the part of the run that is run here; None for all of it.
        asked: what all parts of the run must agree about, by its name in words.
    """

    cases: tuple[Case, ...]
    profiles: frozenset[Profile]
    deviations: tuple[Deviation, ...]
    baseline: Mapping[str, Status] | None
    shard: Shard | None
    asked: Mapping[str, Any]


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
    shard = parse_shard(arguments.shard) if arguments.shard else None
    asked = _asked(arguments, cases, profiles)
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
    if shard is not None:
        cases = tuple(case for number, case in enumerate(cases, 1) if shard.takes(number))
        # What disturbs a cluster is measured once.
        profiles -= measured if shard.number > 1 else frozenset()
    baseline = None
    if file := arguments.baseline:
        baseline = read_baseline(document_in(file), where=str(file))
    return Chosen(cases, profiles, tuple(listed.values()), baseline, shard, asked)


def _asked(
    arguments: argparse.Namespace, cases: Sequence[Case], profiles: Collection[Profile]
) -> dict[str, Any]:
    texts = "".join(f"{case.name}\n{case.text}\n" for case in cases)
    return {
        "the profiles": sorted(profile.value for profile in profiles),
        "the choice of cases": list(arguments.only),
        "the text of the cases": f"{len(cases)} cases, {sha256(texts.encode()).hexdigest()[:12]}",
        "the number of policies to draw": arguments.fuzz,
        "the seed": arguments.seed,
        "the sample": arguments.sample or "",
        "the number of repetitions": arguments.repeat,
        "the time that policies may take": arguments.late,
    }


def _fits(case: Case, patterns: Sequence[str]) -> bool:
    return not patterns or any(
        fnmatchcase(case.name, pattern) or pattern in case.features for pattern in patterns
    )


def document_in(file: Path) -> Any:
    """The plain data of a `report.yaml`.

    Raises:
        ContentError: the file cannot be read, is too large, or is no YAML.
    """
    try:
        return yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        seen = str(error)[:200]
        raise ContentError("this is no YAML", where=str(file), seen=seen) from error


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
