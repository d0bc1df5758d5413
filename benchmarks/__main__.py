"""`python -m benchmarks`: the figures on the running cluster, with their spread, and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.crowd import crowd
from benchmarks.figures import Figure, oracle, rounds, streams, under_load
from benchmarks.grading import grading
from benchmarks.judging import judging
from benchmarks.pods import PORTS, denied, pods, targets_of
from benchmarks.sampling import sampling
from harness.commands.shared.options import add_parts, lane_of
from harness.core.outcome import Verdict
from harness.core.probe.spread import Spread
from harness.edge.api.client import KubeClient
from harness.edge.cluster.opening import Cluster, ClusterSpec
from harness.edge.cluster.running import running
from harness.edge.cni.known import CNIS, DEFAULT
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.observe import Observer
from harness.edge.probe.streams import StreamProber
from harness.exitcode import ExitCode
from harness.program import end_of

ALLOW, DENY = Verdict.ALLOW, Verdict.DENY
SIZES = ((9, 4, 0.5, 1.6), (30, 1, None, 2.5), (60, 1, None, None))
"""Pods, ports of each, and the wanted seconds if all is allowed and if all is denied."""


def main() -> ExitCode:
    """Measure, print, write; `DIFFERS` if a figure misses its target or a verdict was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cni", default=DEFAULT, choices=CNIS)
    add_parts(parser)
    parser.add_argument("--name", default="", help="measure on the cluster of this name")
    parser.add_argument(
        "--crowd",
        type=int,
        metavar="PODS",
        help="measure so many pods alone: probers in the pods against probers of the nodes",
    )
    parser.add_argument("--out", type=Path, default=Path("results") / "bench.json")
    arguments = parser.parse_args()
    return end_of("benchmarks", lambda: _run(arguments, Console()))


def _run(arguments: argparse.Namespace, console: Console) -> ExitCode:
    cluster = running(arguments.name or ClusterSpec(lane_of(arguments)).cluster)
    before = os.getloadavg()
    found = measure(cluster, console, arguments.crowd)
    console.print(table(found))
    document = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "load_before": before[0]},
        "environment": dict(cluster.environment),
        "figures": [figure.as_json() for figure in found],
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    console.print(f"{machine()}; written to {arguments.out}")
    return ExitCode.DIFFERS if any(map(missed, found)) else ExitCode.OK


def measure(cluster: Cluster, console: Console, many: int | None = None) -> list[Figure]:
    """All figures, or those of a crowd of pods; each is printed as soon as it is measured."""
    found: list[Figure] = []

    def add(figure: Figure) -> None:
        found.append(figure)
        console.print(f"  {figure.name}: {said(figure)}", markup=False)

    if many:
        for figure in crowd(cluster, many):
            add(figure)
        return found

    def make() -> StreamProber:
        return StreamProber(cluster.kubectl, cluster.kubeconfig, cluster.context)

    add(oracle())
    for figure in chain(judging(), sampling(), grading()):
        add(figure)
    kube = KubeClient(cluster.kubeconfig, cluster.context)
    most = max(size for size, *_ in SIZES)
    with pods(kube, most, cluster.toolbox) as ends:
        for size, *_ in SIZES:
            add(streams(make, ends[:size]))
        with make() as prober:
            observer = Observer(prober, PodAddresses(ends))
            observer.listen(targets_of(ends, PORTS))
            for size, ports, target, _ in SIZES:
                add(rounds(prober, observer, ends[:size], ports, ALLOW, target=target))
            add(under_load(prober, observer, ends, ALLOW))
            with denied(kube, observer, ends):
                for size, ports, _, target in SIZES:
                    add(rounds(prober, observer, ends[:size], ports, DENY, target=target))
                add(under_load(prober, observer, ends, DENY))
    return found


def missed(figure: Figure) -> bool:
    """Whether a figure is slower than wanted, or a verdict was wrong."""
    slow = figure.target is not None and Spread.of(figure.seconds).median > figure.target
    return slow or bool(figure.counts.get("wrong_verdicts"))


def said(figure: Figure) -> str:
    """A figure in words."""
    spread = str(Spread.of([s * 1000 for s in figure.seconds])) if figure.seconds else ""
    counts = ", ".join(f"{name} {count}" for name, count in figure.counts.items())
    return "; ".join(filter(None, (spread, counts)))


def table(found: list[Figure]) -> Table:
    """All figures for the terminal."""
    shown = Table(title="median (least-greatest, repetitions)", title_justify="left")
    for name in ("what", "measured", "wanted"):
        shown.add_column(name)
    for figure in found:
        wanted = f"<= {figure.target:g} s" if figure.target else ""
        shown.add_row(figure.name, said(figure), f"{wanted} MISSED" if missed(figure) else wanted)
    return shown


def machine() -> dict[str, Any]:
    """The machine on which the figures were measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
