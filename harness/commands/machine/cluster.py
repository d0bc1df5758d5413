"""`policylab cluster`: make, delete and inspect policylab's clusters."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from harness.commands.shared.access import access_of
from harness.commands.shared.options import (
    add_lane,
    add_mode,
    add_patience,
    add_registry,
    lane_of,
    not_negative,
)
from harness.edge.cluster.opening import (
    ClusterMode,
    ClusterSpec,
)
from harness.edge.cluster.tools import tools_with
from harness.edge.images import Source
from harness.exitcode import ExitCode
from harness.progress import Progress

DEFAULT = ClusterSpec().cluster


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and its own verbs."""
    parser = commands.add_parser("cluster", help="make, delete and inspect policylab's clusters")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    up = verbs.add_parser("up", help="make the cluster; if it exists and is healthy, keep it")
    add_lane(up, "make the cluster")
    up.add_argument(
        "--name",
        default="",
        help="the cluster's name (default: policylab-CNI, with each part of the lane that is "
        "not the default one)",
    )
    up.add_argument(
        "--workers",
        type=not_negative,
        default=0,
        metavar="N",
        help="number of worker nodes, in addition to the control plane (default: %(default)s)",
    )
    up.add_argument(
        "--images",
        default=str(Source.AUTO),
        choices=[str(source) for source in Source],
        help="where the cluster's images come from (default: %(default)s)",
    )
    add_registry(up, ", for --images=registry and auto")
    add_mode(up, "--mode")
    add_patience(up)
    up.set_defaults(
        run=_up,
        after_interrupt="A half-made cluster was deleted. Run the same command again.",
    )
    down = verbs.add_parser(
        "down", help="delete a cluster that policylab made; other clusters are never deleted"
    )
    down.add_argument("name", nargs="?", default=DEFAULT, help="default: %(default)s")
    down.add_argument("--all", action="store_true", help="delete every cluster of policylab")
    down.set_defaults(run=_down)
    state = verbs.add_parser(
        "status",
        help="say whether one of policylab's clusters exists and is healthy",
        epilog=f"Exit code: {ExitCode.OK} the cluster is healthy, {ExitCode.FAULT} it is not.",
    )
    state.add_argument("name", nargs="?", default=DEFAULT, help="default: %(default)s")
    state.set_defaults(run=_status)


def _up(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    spec = ClusterSpec(
        lane_of(arguments),
        name=arguments.name,
        mode=ClusterMode(arguments.mode),
        workers=arguments.workers,
        images=Source(arguments.images),
        registry=arguments.registry,
    )
    tools = tools_with(arguments.patience)
    cluster = access_of(arguments).open(spec, progress, tools)
    show_facts(cluster.name, {**cluster.environment, "kubeconfig": str(cluster.kubeconfig)})
    return ExitCode.OK


def _down(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    access = access_of(arguments)
    for name in access.owned() if arguments.all else [arguments.name]:
        with progress.step(f"delete cluster {name}"):
            access.delete(name)
    return ExitCode.OK


def _status(arguments: argparse.Namespace, _: Progress) -> ExitCode:
    found = access_of(arguments).status(arguments.name)
    show_facts(arguments.name, found.facts)
    return ExitCode.OK if found.healthy else ExitCode.FAULT


def show_facts(title: str, facts: Mapping[str, str]) -> None:
    """Print names and values as a table with two columns."""
    table = Table(title=title, show_header=False, title_justify="left")
    for name, value in facts.items():
        table.add_row(name, value)
    Console().print(table)
