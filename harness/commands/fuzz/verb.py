"""The verb `fuzz`: random policies on a live cluster, where the CNI must do as predicted."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress as Bar

from harness import __version__
from harness.commands.fuzz.document import code_of, show, write
from harness.commands.shared.access import access_of
from harness.commands.shared.leftovers import told_what_stays
from harness.commands.shared.options import (
    add_lane,
    add_mode,
    add_patience,
    lane_of,
    positive,
    seconds,
)
from harness.core.compare.sharding import Shard, parse_shard
from harness.core.fuzz.cases import draw_cases
from harness.core.fuzz.merging import SCHEMA_VERSION
from harness.core.fuzz.result import LATE_SECONDS, Judged, Totals, totals
from harness.edge.cluster.lane import Lane
from harness.edge.cluster.opening import ClusterMode, ClusterSpec
from harness.edge.cluster.tools import tools_with
from harness.edge.conformance.others import SWEEP, standing_of_fuzz
from harness.edge.fuzz import Finding, Fuzz, Lost, Result
from harness.exitcode import ExitCode
from harness.plays import proven
from harness.progress import Progress

OUT = "results/fuzz"
POLICIES, JOBS = 200, 6


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one run.

    Attributes:
        lane: what the cluster was made with.
        seed: the seed from which the cases were drawn.
        policies: the number of policies that were to be drawn, in all shards.
        shard: the part of the cases that was run here; None for all of them.
        judged: the cases that agree with the oracle, or leave some flows without a verdict.
        findings: the cases that disagree, as drawn and as shrunk.
        lost: the cases that could not be judged at all, each with its error.
        seconds: how long the run took.
        late_seconds: a case whose policies came into force later than this is late.
    """

    lane: Lane
    seed: int
    policies: int
    shard: Shard | None
    judged: tuple[Judged, ...]
    findings: tuple[Finding, ...]
    lost: tuple[Lost, ...]
    seconds: float
    late_seconds: float

    @property
    def drawn(self) -> tuple[Judged, ...]:
        """All cases that were judged; a finding as it was drawn, before it was shrunk."""
        return (*self.judged, *(finding.drawn for finding in self.findings))

    @property
    def totals(self) -> Totals:
        """The sums over all cases."""
        return totals(self.drawn)

    @property
    def late(self) -> tuple[Judged, ...]:
        """The cases whose policies came into force late."""
        return tuple(j for j in self.drawn if j.is_late(self.late_seconds))


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "fuzz",
        help="draw random policies, and check whether the CNI does what policylab predicts",
        epilog=f"Exit code: {ExitCode.OK} the CNI does as predicted, {ExitCode.DIFFERS} it "
        f"differs or is late, {ExitCode.NO_VERDICT} a case could not be judged.",
    )
    parser.add_argument(
        "--n",
        type=positive,
        default=POLICIES,
        metavar="K",
        help="the number of policies to draw (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="the same seed draws the same policies (default: %(default)s)",
    )
    add_lane(parser, "use policylab's cluster")
    parser.add_argument(
        "--jobs",
        type=positive,
        default=JOBS,
        metavar="J",
        help="the number of worlds (sets of namespaces and pods) on the cluster at the same "
        "time (default: %(default)s)",
    )
    parser.add_argument(
        "--late",
        type=seconds,
        default=LATE_SECONDS,
        metavar="SECONDS",
        help="the policies of a case must be in force within this time (default: %(default)s)",
    )
    parser.add_argument(
        "--shard",
        default="",
        metavar="I/N",
        help="run part I of N parts of the cases, the first is 1; `policylab report merge` puts "
        "the reports together",
    )
    add_mode(parser, "--cluster-mode")
    add_patience(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(OUT),
        metavar="DIR",
        help="the folder for the report and the cases that differ (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=_fuzz)


def _fuzz(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    document = as_json(_run(arguments, progress))
    files = write(document, arguments.out)
    if arguments.json:
        print(json.dumps(document, indent=2))  # noqa: T201 - the command's output
    else:
        show(Console(), document, files)
    return code_of(document)


def shard_in(arguments: argparse.Namespace) -> Shard | None:
    """The shard that the command line names.

    Raises:
        ContentError: it is none.
    """
    return parse_shard(arguments.shard) if arguments.shard else None


def _run(arguments: argparse.Namespace, progress: Progress) -> Report:
    lane = lane_of(arguments)
    mode = ClusterMode(arguments.cluster_mode)
    spec = ClusterSpec(lane, mode=mode)
    access = access_of(arguments)
    cluster = access.open(spec, progress, tools_with(arguments.patience))
    doors = access.doors(cluster)
    with (
        told_what_stays(partial(standing_of_fuzz, doors.kube()), progress, sweep=SWEEP),
        proven(cluster, progress, internet=None, doors=doors) as live,
    ):
        fuzz = Fuzz(cluster, live.doors, live.gate.fence, jobs=arguments.jobs)
        shard = shard_in(arguments) or Shard(1, 1)
        drawn = draw_cases(arguments.seed, arguments.n, lane.value.profile, lane.families)
        cases = [case for case in drawn if shard.takes(case.world)]
        source = (
            f"policylab fuzz {lane.arguments} --seed {arguments.seed}"
            f" --n {arguments.n} on {cluster.lane.key}"
        )
        began = time.monotonic()
        results = _shown(fuzz.run(cases, source=source), len(cases), progress)
        return report_of(arguments, results, time.monotonic() - began)


def _shown(results: Iterable[Result], count: int, progress: Progress) -> list[Result]:
    found: list[Result] = []
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("cases", total=count)
        for result in results:
            bar.advance(task)
            found.append(result)
            if isinstance(result, Finding):
                cell = result.shrunk.disagreed[0]
                progress.note(
                    f"{result.drawn.case.name}: {cell.ask} is {cell.observed}, not"
                    f" {cell.predicted}; shrunk to {len(result.shrunk.case.policies)} policies"
                    f" in {result.tries} tries"
                )
            elif isinstance(result, Lost):
                progress.note(f"{result.case.name}: no verdict: {result.error}")
    return found


def report_of(arguments: argparse.Namespace, results: Sequence[Result], seconds: float) -> Report:
    """The run's results, sorted by their kind."""
    return Report(
        lane_of(arguments),
        arguments.seed,
        arguments.n,
        shard_in(arguments),
        tuple(r for r in results if isinstance(r, Judged)),
        tuple(r for r in results if isinstance(r, Finding)),
        tuple(r for r in results if isinstance(r, Lost)),
        round(seconds, 1),
        arguments.late,
    )


def as_json(report: Report) -> dict[str, Any]:
    """The run as plain data."""
    times = [judged.in_force_ms for judged in report.drawn]
    return {
        "schema_version": SCHEMA_VERSION,
        "policylab": __version__,
        "lane": report.lane.words,
        "key": report.lane.key,
        "cni": report.lane.cni,
        "kubernetes": report.lane.kubernetes,
        "variant": report.lane.variant,
        "seed": report.seed,
        "n": report.policies,
        "shard": report.shard and asdict(report.shard),
        "seconds": report.seconds,
        **asdict(report.totals),
        "cells": report.totals.cells,
        "in_force_ms": [ms for ms in times if ms is not None],
        "late_seconds": report.late_seconds,
        "late": [{"case": j.case.name, "in_force_ms": j.in_force_ms} for j in report.late],
        "lost": [{"case": lost.case.name, "why": str(lost.error)} for lost in report.lost],
        "no_verdicts": [why for judged in report.judged for why in judged.no_verdict],
        "findings": [_finding(finding) for finding in report.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "case": finding.drawn.case.name,
        "disagreed": [
            {
                "flow": str(cell.ask),
                "predicted": str(cell.predicted),
                "observed": str(cell.observed),
                "reasons": list(cell.reasons),
            }
            for cell in finding.drawn.disagreed
        ],
        "shrunk_to_policies": len(finding.shrunk.case.policies),
        "tries": finding.tries,
        "stays": finding.stays,
        "corpus": finding.text,
    }
