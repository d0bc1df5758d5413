"""The verb: its options, its progress, and how it ends."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex

from rich.console import Console
from rich.progress import Progress as Bar

from harness import __version__
from harness.commands.conformance.choosing import Chosen, chosen
from harness.commands.conformance.doing import rows_of
from harness.commands.conformance.options import add_choice, add_cluster, add_judging
from harness.commands.conformance.sweeping import run_name, swept
from harness.commands.conformance.telling import exit_code, tell, tell_cases
from harness.commands.conformance.writing import ready, write
from harness.commands.shared.access import access_of
from harness.commands.shared.leftovers import told_what_stays
from harness.commands.shared.options import lane_of
from harness.core.compare.sampling import BLIND
from harness.core.conformance.deviations import judged
from harness.core.conformance.report import NOT_NAMED, Facts, Implementation
from harness.core.conformance.row import Row, Status
from harness.edge.cluster.lane import Lane
from harness.edge.cluster.opening import Cluster, ClusterMode, ClusterSpec
from harness.edge.cluster.tools import tools_with
from harness.edge.cni.known import CNIS
from harness.edge.conformance.others import SWEEP, USER, notes, standing
from harness.edge.probe.doors import Doors
from harness.errors import HarnessError
from harness.exitcode import ExitCode
from harness.plays import proven
from harness.progress import Progress

OUT = "results/conformance"
RUN_BYTES = 2
"""Of the letters that tell the namespaces of a run from those of others."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "conformance",
        help="check whether a CNI does what the NetworkPolicy API says, on any cluster",
        description="Runs cases, made-up policies and measurements on a cluster, and writes "
        "report.yaml, junit.xml, summary.md, report.html, and a folder for each case that failed. "
        "Foreign namespaces and policies are left as they are.",
        epilog=f"Exit code: {ExitCode.OK} no row is red, {ExitCode.DIFFERS} a row is red, "
        f"{ExitCode.NO_VERDICT} no row is red, but one has no verdict.",
    )
    add_cluster(parser)
    add_choice(parser)
    add_judging(parser)
    parser.add_argument(
        "--list",
        action="store_true",
        help="only read and list the chosen cases, and hold those of --cases against the oracle; "
        "no cluster is needed",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(OUT),
        metavar="DIR",
        help="the folder for the reports (default: %(default)s)",
    )
    parser.add_argument(
        "--sweep",
        nargs="?",
        const=True,
        default=False,
        type=run_name,
        metavar="RUN",
        help="only remove the namespaces of runs on the cluster: those that were left, and also "
        "those of a run that still goes on; RUN are the four letters in the names of one run's",
    )
    parser.set_defaults(run=_conformance)


def _conformance(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    access = access_of(arguments)
    if arguments.sweep:
        return swept(arguments, _spec(arguments), access, progress)
    name = arguments.cni_name or ("" if arguments.context else arguments.cni)
    what = chosen(arguments, name)
    if arguments.list:
        tell_cases(Console(), what.cases)
        return ExitCode.OK
    ready(arguments.out)
    cluster = access.open(_spec(arguments), progress, tools_with(arguments.patience))
    if arguments.image:
        refs = dict.fromkeys((*cluster.refs, "toolbox"), arguments.image)
        cluster = replace(cluster, refs=refs)
    doors = access.doors(cluster)
    run = token_hex(RUN_BYTES)
    sampled = (f"Flows between pods are sampled by classes: {BLIND}.",) if arguments.sample else ()
    said = (*sampled, *what.notes, *notes(doors.kube()))
    for note in said:
        progress.note(note)
    began, at = time.monotonic(), datetime.now(UTC)
    rows: list[Row] = []
    finished = False
    try:
        _play(arguments, what, (cluster, doors), progress, run=run, rows=rows)
        finished = True
    finally:
        # What was checked before Ctrl-C or a fault is written down as well.
        facts = Facts(
            _implementation(arguments, cluster, name),
            at.isoformat(timespec="seconds"),
            time.monotonic() - began,
            shlex.join(["policylab", *sys.argv[1:]]),
            __version__,
            {**cluster.environment, **({"cni": name} if arguments.context else {})},
            said,
            interrupted=not finished,
            shard=what.shard,
            asked=what.asked,
        )
        verdicts = judged(rows, what.deviations, what.baseline)
        if rows or what.shard:
            write(verdicts, facts, arguments.out)
    tell(Console(), verdicts, arguments.out)
    return exit_code(verdicts)


def _play(
    arguments: argparse.Namespace,
    what: Chosen,
    site: tuple[Cluster, Doors],
    progress: Progress,
    *,
    run: str,
    rows: list[Row],
) -> None:
    """Bring what is chosen to the cluster; `rows` gets each row as soon as it is known.

    Raises:
        HarnessError: the run ended before its last row.
    """
    cluster, doors = site
    user, finished = f"{USER}-{run}", False
    stays = told_what_stays(partial(standing, doors.kube(), run), progress, sweep=f"{SWEEP} {run}")
    try:
        with (
            stays,
            proven(
                cluster, progress, internet=cluster.internet, doors=doors, user=user, leaves=False
            ) as live,
        ):
            with closing(rows_of(arguments, what, live, progress, run=run)) as found:
                rows.extend(_shown(found, len(what.cases), progress))
            finished = True
    except HarnessError as error:
        if not finished:
            raise
        progress.note(f"All rows are known, but the canaries were not removed: {error}")


def _spec(arguments: argparse.Namespace) -> ClusterSpec:
    if not arguments.context:
        return ClusterSpec(lane_of(arguments), mode=ClusterMode(arguments.cluster_mode))
    # Another CNI than policylab's own is held against what the API says.
    cni = arguments.cni_name if arguments.cni_name in CNIS else arguments.cni
    lane = Lane(cni, family=arguments.family)
    return ClusterSpec(lane, mode=ClusterMode.EXTERNAL, context=arguments.context)


def _implementation(arguments: argparse.Namespace, cluster: Cluster, name: str) -> Implementation:
    version = arguments.cni_version or cluster.environment.get("cni_version", "")
    return Implementation(
        name or NOT_NAMED,
        version,
        arguments.organization,
        arguments.url,
        tuple(filter(None, (arguments.contact,))),
    )


def _shown(rows: Iterable[Row], count: int, progress: Progress) -> Iterator[Row]:
    """The rows, with a bar, and a line for each that did not pass."""
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=count)
        for number, row in enumerate(rows, 1):
            bar.update(task, completed=number, total=max(count, number))
            if row.status not in (Status.PASSED, Status.SKIPPED):
                progress.note(f"{row.name}: {row.status.replace('_', ' ')}: {row.why}")
            yield row
