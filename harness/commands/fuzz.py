"""`policylab fuzz`: random policies on a live cluster, where the CNI must do as predicted."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from harness.commands.shared.access import access_of
from harness.commands.shared.options import add_lane, add_mode, add_patience, lane_of, positive
from harness.core.fuzz.cases import draw_cases
from harness.core.fuzz.result import LATE_SECONDS, Judged, Totals, totals
from harness.core.probe.spread import Spread
from harness.edge.cluster.lane import Lane
from harness.edge.cluster.opening import ClusterMode, ClusterSpec
from harness.edge.cluster.tools import tools_with
from harness.edge.fuzz import Finding, Fuzz, Lost, Result
from harness.exitcode import ExitCode
from harness.plays import proven
from harness.progress import Progress

OUT = "results/fuzz"
POLICIES, JOBS = 200, 3
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one run.

    Attributes:
        lane: what the cluster was made with.
        seed: the seed from which the cases were drawn.
        judged: the cases that agree with the oracle, or leave some flows without a verdict.
        findings: the cases that disagree, as drawn and as shrunk.
        lost: the cases that could not be judged at all, each with its error.
        seconds: how long the run took.
        late_seconds: a case whose policies came into force later than this is late.
    """

    lane: Lane
    seed: int
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

    @property
    def in_force(self) -> Spread | None:
        """The times until the policies of a case were in force; None if no case shows one."""
        times = [j.in_force_ms for j in self.drawn if j.in_force_ms is not None]
        return Spread.of(times) if times else None

    @property
    def exit_code(self) -> ExitCode:
        """A finding is certain, even if other cases could not be judged."""
        if self.findings or self.late:
            return ExitCode.DIFFERS
        return ExitCode.NO_VERDICT if self.lost or not self.totals.agreed else ExitCode.OK


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
        type=float,
        default=LATE_SECONDS,
        metavar="SECONDS",
        help="the policies of a case must be in force within this time (default: %(default)s)",
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
    parser.set_defaults(run=_fuzz, after_interrupt="The namespaces of the fuzz were deleted.")


def _fuzz(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    report = _run(arguments, progress)
    files = write(report, arguments.out)
    if arguments.json:
        print(json.dumps(as_json(report), indent=2))  # noqa: T201 - the command's output
    else:
        _show(Console(), report, files)
    return report.exit_code


def _run(arguments: argparse.Namespace, progress: Progress) -> Report:
    lane = lane_of(arguments)
    mode = ClusterMode(arguments.cluster_mode)
    spec = ClusterSpec(lane, mode=mode)
    access = access_of(arguments)
    cluster = access.open(spec, progress, tools_with(arguments.patience))
    with proven(cluster, progress, internet=None, doors=access.doors(cluster)) as live:
        fuzz = Fuzz(cluster, live.doors, live.gate.fence, jobs=arguments.jobs)
        cases = list(draw_cases(arguments.seed, arguments.n, lane.value.profile, lane.families))
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
        tuple(r for r in results if isinstance(r, Judged)),
        tuple(r for r in results if isinstance(r, Finding)),
        tuple(r for r in results if isinstance(r, Lost)),
        round(seconds, 1),
        arguments.late,
    )


def write(report: Report, folder: Path) -> list[Path]:
    """Write the report, and a corpus file for each finding; the paths of the corpus files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{report.lane.key}-seed{report.seed}"
    for old in folder.glob(f"{name}-*.yaml"):
        old.unlink()
    text = json.dumps(as_json(report), indent=2) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    files = []
    for finding in report.findings:
        file = folder / f"{name}-{finding.drawn.case.name}.yaml"
        file.write_text(finding.text, encoding="utf-8")
        files.append(file)
    return files


def as_json(report: Report) -> dict[str, Any]:
    """The run as plain data."""
    return {
        "cni": report.lane.cni,
        "kubernetes": report.lane.kubernetes,
        "variant": report.lane.variant,
        "seed": report.seed,
        "seconds": report.seconds,
        **asdict(report.totals),
        "cells": report.totals.cells,
        "in_force_ms": report.in_force.as_evidence() if report.in_force else None,
        "late_seconds": report.late_seconds,
        "late": [{"case": j.case.name, "in_force_ms": j.in_force_ms} for j in report.late],
        "lost": [{"case": lost.case.name, "why": str(lost.error)} for lost in report.lost],
        "no_verdicts": [why for judged in report.judged for why in judged.no_verdict],
        "findings": [_finding(finding) for finding in report.findings],
        "exit_code": report.exit_code.value,
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


def _show(console: Console, report: Report, files: Sequence[Path]) -> None:
    sums = report.totals
    table = Table(title=f"fuzz: {report.lane.words}, seed {report.seed}", title_justify="left")
    for column in ("cases", "policies", "flows", "agree", "left open", "no verdict"):
        table.add_column(column, justify="right")
    table.add_column("differ", justify="right", style="bold red" if sums.disagreed else "")
    table.add_column("seconds", justify="right")
    counts = (sums.cases, sums.policies, sums.cells, sums.agreed, sums.open, sums.no_verdict)
    table.add_row(*map(str, counts), str(sums.disagreed), f"{report.seconds:.1f}")
    console.print(table)
    if report.exit_code is ExitCode.OK:
        console.print(f"{report.lane.cni} does what policylab predicts for all these flows.")
    if report.in_force:
        console.print(f"The policies of a case were in force after {report.in_force}.")
    for judged in report.late[:SHOWN]:
        console.print(
            f"late: {judged.case.name} was in force after {judged.in_force_ms:.0f} ms; "
            f"{report.late_seconds:g} s are allowed",
            highlight=False,
        )
    for why in [why for judged in report.judged for why in judged.no_verdict][:SHOWN]:
        console.print(f"no verdict: {why}", highlight=False, markup=False)
    if report.lost:
        console.print(f"{len(report.lost)} cases could not be judged at all.")
    for file in files:
        console.print(f"counter-example: {file}", highlight=False, markup=False)
