"""The command `policylab`: clusters, images, and what this machine lacks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness import __version__
from harness.commands import claims, fuzz, judge, probe, watch
from harness.edge import images
from harness.edge.cluster.opening import (
    ClusterMode,
    ClusterSpec,
    delete_cluster,
    open_cluster,
    owned_clusters,
    status,
)
from harness.edge.cni.known import CNIS, DEFAULT
from harness.edge.images import Source
from harness.edge.machine.process import ends_on_sigterm
from harness.errors import HarnessError
from harness.progress import ConsoleProgress

OK, FAULT, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 for a fault that it names, or 130 after Ctrl-C."""
    console = Console(stderr=True)
    arguments = _parser().parse_args(argv)
    try:
        with ends_on_sigterm():
            return int(arguments.run(arguments, ConsoleProgress(console)))
    except HarnessError as error:
        console.print(f"policylab: {error}", style="bold red", highlight=False, markup=False)
        return FAULT
    except KeyboardInterrupt:
        console.print(
            "policylab: interrupted; what was half made was removed, run it again", markup=False
        )
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="policylab", description=__doc__)
    parser.add_argument("--version", action="version", version=f"policylab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _cluster_parser(
        commands.add_parser("cluster", help="make, look at and remove policylab's clusters")
    )
    _images_parser(
        commands.add_parser("images", help="build, save and load what clusters are made from")
    )
    claims.add_parser(commands)
    judge.add_parsers(commands)
    probe.add_parser(commands)
    watch.add_parser(commands)
    fuzz.add_parser(commands)
    return parser


def _cluster_parser(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    up = verbs.add_parser("up", help="make the cluster, or find it healthy")
    up.add_argument("--cni", default=DEFAULT, choices=CNIS)
    up.add_argument("--name", default="", help="default: policylab-CNI")
    up.add_argument("--workers", type=int, default=0)
    up.add_argument("--images", type=Source, default=Source.AUTO, choices=list(Source))
    up.add_argument(
        "--mode", type=ClusterMode, default=ClusterMode.AUTO, choices=list(ClusterMode)[:3]
    )
    up.set_defaults(run=_up)
    down = verbs.add_parser("down", help="delete a cluster of ours; never anybody else's")
    down.add_argument("name", nargs="?", default=ClusterSpec().cluster)
    down.add_argument("--all", action="store_true", help="every cluster that policylab made")
    down.set_defaults(run=_down)
    state = verbs.add_parser("status", help="what is there and whether it is healthy")
    state.add_argument("name", nargs="?", default=ClusterSpec().cluster)
    state.set_defaults(run=_status)


def _images_parser(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    build = verbs.add_parser("build", help="build whatever is not cached")
    build.set_defaults(run=_build)
    save = verbs.add_parser("save", help="one file for a classroom without a network")
    save.add_argument("file", type=Path)
    save.set_defaults(run=_save)
    load = verbs.add_parser("load", help="take in such a file, after checking its sums")
    load.add_argument("file", type=Path)
    load.set_defaults(run=_load)


def _up(arguments: argparse.Namespace, progress: ConsoleProgress) -> int:
    spec = ClusterSpec(
        cni=arguments.cni,
        name=arguments.name,
        mode=arguments.mode,
        workers=arguments.workers,
        images=arguments.images,
    )
    cluster = open_cluster(spec, progress)
    _facts(cluster.name, {**cluster.environment, "kubeconfig": str(cluster.kubeconfig)})
    return OK


def _down(arguments: argparse.Namespace, progress: ConsoleProgress) -> int:
    for name in owned_clusters() if arguments.all else [arguments.name]:
        with progress.step(f"delete cluster {name}"):
            delete_cluster(name)
    return OK


def _status(arguments: argparse.Namespace, _: ConsoleProgress) -> int:
    found = status(arguments.name)
    _facts(arguments.name, found.facts)
    return OK if found.healthy else FAULT


def _build(_: argparse.Namespace, progress: ConsoleProgress) -> int:
    made = images.provide(Source.BUILD, progress)
    _facts("images", {"node": made.node, **made.refs})
    return OK


def _save(arguments: argparse.Namespace, progress: ConsoleProgress) -> int:
    progress.note(f"the bundle is {images.save(arguments.file, progress)}")
    return OK


def _load(arguments: argparse.Namespace, progress: ConsoleProgress) -> int:
    progress.note(f"loaded; the node image is {images.load(arguments.file, progress).node}")
    return OK


def _facts(title: str, facts: object) -> None:
    table = Table(title=title, show_header=False, title_justify="left")
    for name, value in dict(facts).items():  # type: ignore[call-overload]
        table.add_row(str(name), str(value))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
