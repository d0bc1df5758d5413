"""What a run of conformance consists of: cases, deviations, a baseline; read before it begins."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import yaml

from harness.core.compare.sharding import Shard, parse_shard
from harness.core.conformance.case import Case
from harness.core.conformance.deviations import Deviation, known, read_deviations
from harness.core.conformance.earlier import Earlier, read_report
from harness.core.conformance.report import NOT_NAMED
from harness.core.conformance.row import Level, Status, is_measured
from harness.edge.conformance.life.lifecycle import ROWS
from harness.edge.conformance.shipped import cases_in, deviations_of, shipped
from harness.errors import ContentError
from harness.listing import few

MAX_REPORT = 64 * 1024 * 1024
SHOWN = 5
"""Names of rows that a message tells."""


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
        notes: what a reader must know of the choice, as sentences.
    """

    cases: tuple[Case, ...]
    profiles: frozenset[Profile]
    deviations: tuple[Deviation, ...]
    baseline: Mapping[str, Status] | None
    shard: Shard | None
    asked: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def chosen(arguments: argparse.Namespace, cni: str) -> Chosen:
    """What the options choose; `cni` is the name of the CNI, whose own deviations count.

    Raises:
        ContentError: nothing is chosen, a file is not of its form, a deviation is of no case, or
            the baseline is of another CNI or of other cases.
    """
    profiles = frozenset(map(Profile, arguments.profile or DEFAULT))
    all_cases = cases_in(arguments.cases) if arguments.cases else shipped()
    cases = _cases(all_cases, profiles, arguments)
    measured = profiles - set(DEFAULT)
    listed = _deviations(arguments, all_cases, cni)
    baseline, notes = _baseline(arguments, cases, cni)
    shard = parse_shard(arguments.shard) if arguments.shard else None
    asked = _asked(arguments, cases, profiles, listed, baseline)
    if shard is not None:
        cases = tuple(case for number, case in enumerate(cases, 1) if shard.takes(number))
        # What disturbs a cluster is measured once.
        profiles -= measured if shard.number > 1 else frozenset()
    return Chosen(cases, profiles, listed, baseline, shard, asked, notes)


def _cases(
    all_cases: Sequence[Case], profiles: frozenset[Profile], arguments: argparse.Namespace
) -> tuple[Case, ...]:
    """The cases of these profiles that fit `--only`, each pattern of which must fit one."""
    levels = {Level(profile.value) for profile in profiles if profile in DEFAULT}
    there = [case for case in all_cases if case.level in levels]
    for pattern in arguments.only:
        if not any(_fits(case, pattern) for case in there):
            _fits_none(pattern, all_cases, sorted(levels))
    cases = tuple(case for case in there if any(_fits(case, p) for p in arguments.only or ("*",)))
    if not cases and not arguments.fuzz and not profiles - set(DEFAULT):
        raise ContentError(
            "no case is chosen, and a run without a case proves nothing",
            seen=f"of {len(all_cases)} cases none is of the profile {' or '.join(sorted(levels))}",
            try_="name another --profile",
        )
    return cases


def _fits(case: Case, pattern: str) -> bool:
    return fnmatchcase(case.name, pattern) or pattern in case.features


def _fits_none(pattern: str, all_cases: Sequence[Case], levels: Sequence[Level]) -> NoReturn:
    """A pattern that fits nothing is a mistake: what it should have chosen would not be run."""
    if found := [case for case in all_cases if _fits(case, pattern)]:
        seen = f"{len(found)} cases fit, and are of the profile {found[0].level}"
        try_ = f"add --profile {found[0].level}"
    else:
        words = {case.name for case in all_cases} | {f for case in all_cases for f in case.features}
        near = get_close_matches(pattern, sorted(words), n=1)
        seen = f"there are {len(all_cases)} cases"
        try_ = f"did you mean {near[0]}?" if near else "`policylab conformance --list` shows them"
    of = f" of the profile {' or '.join(levels)}" if levels else ": these profiles have no cases"
    raise ContentError(f"no case is chosen by --only {pattern}{of}", seen=seen, try_=try_)


def _deviations(
    arguments: argparse.Namespace, all_cases: Sequence[Case], cni: str
) -> tuple[Deviation, ...]:
    listed = {} if arguments.cases else {d.case: d for d in deviations_of(cni)}
    if file := arguments.deviations:
        found = read_deviations(_text(file), origin=str(file))
        known(found, [*(case.name for case in all_cases), *ROWS], origin=str(file))
        listed |= {deviation.case: deviation for deviation in found}
    return tuple(listed.values())


def _baseline(
    arguments: argparse.Namespace, cases: Sequence[Case], cni: str
) -> tuple[dict[str, Status] | None, tuple[str, ...]]:
    """The statuses of the earlier run, and what a reader must know of them."""
    if (file := arguments.baseline) is None:
        return None, ()
    earlier = read_report(document_in(file), where=str(file))
    if (project := earlier.facts.implementation.project) != (cni or NOT_NAMED):
        raise ContentError(
            "the baseline is the report of another CNI",
            where=str(file),
            seen=f"it is of {project}, and this run of {cni or NOT_NAMED}",
            try_="name a report of this CNI; --cni-name is the name of your cluster's",
        )
    statuses = earlier.statuses
    new = [case.name for case in cases if case.name not in statuses]
    if cases and len(new) == len(cases):
        raise ContentError(
            "the baseline has no case of this run",
            where=str(file),
            seen=f"it has {few(statuses, SHOWN) or 'no row'}",
            try_="choose the cases that were run then, or name another report",
        )
    return statuses, tuple(_of_baseline(earlier, new, {case.name for case in cases}))


def _of_baseline(earlier: Earlier, new: list[str], chosen: set[str]) -> Iterator[str]:
    if earlier.facts.interrupted:
        yield "The run of the baseline was interrupted before its last row."
    if new:
        yield (
            f"The baseline lacks {len(new)} cases of this run ({few(new, SHOWN)}): they count as "
            "without a baseline."
        )
    if gone := [n for n in earlier.statuses if n not in chosen and not is_measured(n)]:
        yield f"{len(gone)} cases of the baseline are not run ({few(gone, SHOWN)})."


def _asked(
    arguments: argparse.Namespace,
    cases: Sequence[Case],
    profiles: Collection[Profile],
    listed: Sequence[Deviation],
    baseline: Mapping[str, Status] | None,
) -> dict[str, Any]:
    texts = "".join(f"{case.name}\n{case.text}\n" for case in cases)
    return {
        "the profiles": sorted(profile.value for profile in profiles),
        "the choice of cases": list(arguments.only),
        "the text of the cases": f"{len(cases)} cases, {_digest(texts)}",
        "the number of policies to draw": arguments.fuzz,
        "the seed": arguments.seed,
        "the sample": arguments.sample or "",
        "the number of repetitions": arguments.repeat,
        "the time that policies may take": arguments.late,
        "the known deviations": f"{len(listed)} cases, {_digest(str(listed))}",
        "the baseline": _digest(str(sorted(baseline.items()))) if baseline is not None else "",
    }


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def document_in(file: Path) -> Any:
    """The plain data of a `report.yaml`.

    Raises:
        ContentError: the file cannot be read, is too large, or is no YAML.
    """
    try:
        return yaml.safe_load(_text(file))
    # A date that there is none is a ValueError, and a depth of thousands a RecursionError.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
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
