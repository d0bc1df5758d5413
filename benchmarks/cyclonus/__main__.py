"""`python -m benchmarks.cyclonus`: Cyclonus and policylab on one cluster, one after the other."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from benchmarks.__main__ import machine
from benchmarks.cyclonus.cases import TOPOLOGY, fits, name_of, text_of, topology_of
from benchmarks.cyclonus.comparing import compared, differing
from benchmarks.cyclonus.output import Printed
from benchmarks.cyclonus.running import alone, load, programs, run
from harness.commands.conformance.writing import REPORT
from harness.core.conformance.case import Case
from harness.edge.api.client import KubeClient
from harness.edge.cluster.lane import Lane
from harness.edge.cluster.opening import ClusterSpec
from harness.edge.cluster.running import running
from harness.edge.cni.known import CNIS, DEFAULT
from harness.edge.conformance.shipped import cases_in
from harness.edge.images.recipe import REPOSITORY
from harness.edge.machine.docker import Docker
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.program import end_of
from harness.progress import ConsoleProgress

OUT = Path("results") / "cyclonus"
SECONDS = 660.0
OWN = 600.0
"""The most seconds for policylab's part."""
INCLUDE = ("any-peer", "policy-namespace", "any-port-protocol", "create-policy")
"""Tags whose cases are run unless others are named."""
EXCLUDE = (
    # The default of Cyclonus, which must be written again where anything is added to it.
    *("multi-peer", "upstream-e2e", "example", "end-port", "namespaces-by-default-label"),
    # The kernel of the machine may have no SCTP.
    "sctp",
    # Which flows these close depends on the addresses that the pods got.
    "peer-ipblock",
    # Steps that the printed text does not show.
    *("create-pod", "create-namespace", "set-pod-labels", "set-namespace-labels"),
)

COMMON = (
    "generate",
    "--noisy",  # prints the tables of cases that passed as well; it changes no probe
    "--cleanup-namespaces",
    "--server-protocol=TCP,UDP",
    f"--image-registry={REPOSITORY}",
    f"--exclude={','.join(EXCLUDE)}",
)
"""The command line of Cyclonus: its own defaults but for these."""
MOCK = ("--mock", "--perturbation-wait-seconds=0", "--retries=0")
"""Cyclonus prints its cases and asks no cluster."""


def main() -> ExitCode:
    """Run both, compare, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cyclonus", description=__doc__)
    parser.add_argument("--cni", default=DEFAULT, choices=CNIS)
    parser.add_argument(
        "--include",
        action="append",
        metavar="TAG",
        help=f"run the cases of Cyclonus with this tag (default: {', '.join(INCLUDE)})",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="end Cyclonus then; the cases that it finished count (default: %(default)g)",
    )
    parser.add_argument(
        "--whole",
        action="store_true",
        help="let Cyclonus only print its cases, and run all that can be repeated with policylab",
    )
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    arguments = parser.parse_args()
    return end_of("benchmarks.cyclonus", lambda: _run(arguments, Console()))


def _run(arguments: argparse.Namespace, console: Console) -> ExitCode:
    cluster = running(ClusterSpec(Lane(arguments.cni)).cluster)
    progress = ConsoleProgress(Console(stderr=True))
    out: Path = arguments.out / (f"{arguments.cni}-whole" if arguments.whole else arguments.cni)
    out.mkdir(parents=True, exist_ok=True)
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="policylab-cyclonus-") as name:
        program, agnhost = programs(Path(name), Docker(), progress)
        options = (
            MOCK if arguments.whole else [f"--include={','.join(arguments.include or INCLUDE)}"]
        )
        argv = [program, *COMMON, *options]

        def cyclonus() -> Printed:
            log = out / "cyclonus.log"
            return run(argv, cluster.kubeconfig, log, seconds=arguments.seconds, heard=heard)

        def heard(line: str) -> None:
            if line.startswith(("starting test case", "finished policy")):
                console.print(f"  {line}", markup=False, highlight=False)

        if arguments.whole:
            theirs = cyclonus()
        else:
            load(cluster, agnhost)
            kube = KubeClient(cluster.kubeconfig, cluster.context)
            with alone(kube), progress.step(f"Cyclonus, at most {arguments.seconds:g} s"):
                theirs = cyclonus()
    loads.append(os.getloadavg()[0])
    cases, rows, seconds = _ours(arguments.cni, theirs, out)
    both = compared(theirs, cases, rows, seconds)
    loads.append(os.getloadavg()[0])
    figures = both.as_json()
    if arguments.whole:  # the probes of nobody else were there to compare with
        own = {name: found for name, found in figures["policylab"].items() if name != "wrong"}
        figures = {"policylab": own, "model_differs": both.theirs.model_differs}
    document = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "load_before_between_after": loads},
        "environment": dict(cluster.environment),
        "command": shlex.join([program.name, *map(str, argv[1:])]),
        **figures,
        "called_wrong": []
        if arguments.whole
        else [f"{case}, step {step}: {cell}" for case, step, cell in differing(theirs)],
    }
    (out / "figures.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    console.print_json(data={"machine": document["machine"], **figures})
    console.print(f"written to {out}")
    if arguments.whole:
        return ExitCode.DIFFERS if both.ours.failed else ExitCode.OK
    wrong = both.theirs.wrong + both.ours.wrong + both.theirs.failed_wrongly
    return ExitCode.DIFFERS if wrong else ExitCode.OK


def _ours(
    cni: str, theirs: Printed, out: Path
) -> tuple[dict[str, Case], list[dict[str, Any]], float]:
    """Run the same cases with `policylab conformance`: the cases, the rows, and the seconds.

    Raises:
        ContentError: Cyclonus finished no case, or the run of policylab was not complete.
    """
    folder = out / "cases"
    tested = [each for each in theirs.tested if fits(each)]
    if not tested:
        raise ContentError("Cyclonus finished no case that policylab can repeat", where=str(out))
    (folder / "topologies").mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.yaml"):
        old.unlink()
    (folder / "topologies" / f"{TOPOLOGY}.yaml").write_text(
        topology_of(tested[0]), encoding="utf-8"
    )
    for each in tested:
        (folder / f"{name_of(each)}.yaml").write_text(text_of(each), encoding="utf-8")
    began = time.monotonic()
    words = ["conformance", f"--cni={cni}", f"--cases={folder}", f"--out={out / 'ours'}"]
    argv = [sys.executable, "-m", "harness.cli", *words]
    done = subprocess.run(argv, check=False, timeout=OWN)
    seconds = time.monotonic() - began
    if done.returncode not in set(ExitCode) or not (out / "ours" / REPORT).is_file():
        raise ContentError("policylab wrote no report", seen=f"exit code {done.returncode}")
    report = yaml.safe_load((out / "ours" / REPORT).read_text(encoding="utf-8"))
    return {case.name: case for case in cases_in(folder)}, report["rows"], seconds


if __name__ == "__main__":
    sys.exit(main())
