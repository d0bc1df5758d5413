"""`policylab probe`: which pods reach which pods, and whether policies predict the same."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from harness.commands.shared.livepods import STAYS, LivePods, add_options, live_pods
from harness.commands.shared.output import write_output
from harness.core.compare.sampling import Sample, sample
from harness.core.manifests.library import in_force
from harness.core.manifests.reader import policies_of
from harness.core.model import NetworkPolicy
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.reachability import Matrix, compute
from harness.core.target.ask import Ask
from harness.edge.files.library import read
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.matrix.heatmap import picture_of, svg, told
from harness.report.matrix.tables import Verdicts, legend, tables

SHOWN = 20


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "probe",
        help="show which pods reach which pods in some namespaces of a running cluster",
        description=f"Every pod probes every port of every pod, all at once. {STAYS} A cell says "
        "`blocked` only if three attempts got no answer and the target can connect to itself.",
        epilog=f"Exit code: {ExitCode.OK} every cell has a verdict and agrees with --expect (if "
        f"given), {ExitCode.DIFFERS} a cell differs from --expect, {ExitCode.NO_VERDICT} a cell "
        "has no verdict.",
    )
    add_options(parser)
    parser.add_argument(
        "--expect",
        type=Path,
        metavar="DIR",
        help="compare the results with the outcome that the policies in DIR predict",
    )
    parser.add_argument(
        "--sample",
        choices=("classes",),
        help="probe a flow for each pair of classes of pods that the policies tell apart, and not "
        "every flow; the policies are those of --expect, or those that stand on the cluster",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all cells to this file, as JSON"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the matrix into this file")
    parser.set_defaults(run=_probe)


def _probe(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    # The files are read first, so that their faults are found before the cluster is touched.
    library = read(arguments.expect) if arguments.expect else None
    policies = policies_of(in_force(library, library)) if library else None
    with live_pods(arguments, progress) as live:
        chosen = _sample(live, policies) if arguments.sample else None
        asks = chosen.asks if chosen else None
        seen = live.observer.matrix(live.sources, live.targets, only=asks)
    expected = _expected(live, policies, asks) if policies is not None else None
    verdicts = Verdicts(seen, expected)
    notes = (*live.notes, *(chosen.words if chosen else ()))
    _show(Console(), verdicts, notes, as_table=chosen is None)
    if arguments.json:
        context = {"namespaces": arguments.namespaces, "notes": list(notes)}
        text = json.dumps(verdicts.as_json(**context), indent=1) + "\n"
        write_output(arguments.json, text)
    if arguments.svg:
        title = f"who reaches whom in {', '.join(arguments.namespaces)}"
        write_output(arguments.svg, svg(picture_of(seen, verdicts.differing), title=title))
    return verdicts.exit_code


def _sample(live: LivePods, policies: tuple[NetworkPolicy, ...] | None) -> Sample:
    found = live.found
    known = live.policies() if policies is None else policies
    return sample(found.topology, known, live.targets, found.nodes)


def _expected(
    live: LivePods, policies: tuple[NetworkPolicy, ...], asks: Collection[Ask] | None
) -> Matrix[Verdict]:
    return compute(Oracle(live.found.topology, policies), live.sources, live.targets, only=asks)


def _show(console: Console, verdicts: Verdicts, notes: tuple[str, ...], *, as_table: bool) -> None:
    if as_table:
        for table in tables(verdicts):
            console.print(table)
        console.print(legend())
    for note in notes:
        console.print(f"note: {note}", style="dim", markup=False, highlight=False)
    for miss in verdicts.wrong[:SHOWN]:
        console.print(f"differs: {miss}", style="bold red", markup=False, highlight=False)
    for ask, cell in verdicts.unclear[:SHOWN]:
        line = f"no verdict: {told(ask, cell)}"
        console.print(line, style="yellow", markup=False, highlight=False)
    counts = ", ".join(f"{number} {word}" for word, number in verdicts.summary().items())
    console.print(counts, style="bold", markup=False, highlight=False)
