"""`policylab watch`: flows of a running cluster, looked at again and again; each flip timed."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.commands.livepods import STAYS, LivePods, add_options, live_pods
from harness.core.policy.reachability import Key, Matrix
from harness.core.probe.attempts import POLL
from harness.core.probe.cells import Cell
from harness.core.probe.flips import FlipLog
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.heatmap import look
from harness.report.matrix import STYLES

SHOWN = 40
"""Flows in the live table: those that flipped last come first."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "watch",
        help="watch flows of a running cluster, and say when each one flips",
        description=f"Looks at the flows every --every seconds, with one attempt each. {STAYS} "
        "Ctrl-C ends it with a summary.",
    )
    add_options(parser)
    parser.add_argument(
        "--flow",
        action="append",
        nargs=2,
        metavar=("POD", "POD:PORT/TCP"),
        help="watch this flow only, for example --flow shop/web shop/api:8080/TCP; the option may "
        "be repeated (default: all flows)",
    )
    parser.add_argument(
        "--every",
        type=_seconds,
        default=0.25,
        metavar="SECONDS",
        help="the time from one look to the next (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=float("inf"),
        metavar="SECONDS",
        help="stop after this time (default: at Ctrl-C)",
    )
    parser.set_defaults(run=_watch)


def _seconds(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("the time must be more than 0 seconds")
    return number


def _watch(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    console = Console()
    with live_pods(arguments, progress) as live:
        chosen = _chosen(arguments.flow, live)
        log = FlipLog()
        began = time.monotonic()
        try:
            _looks(
                lambda: live.observer.matrix(live.pods, live.targets, POLL, only=chosen),
                log,
                console,
                every=arguments.every,
                seconds=arguments.seconds,
            )
        except KeyboardInterrupt:
            console.print("interrupted")
        console.print(summary(log, time.monotonic() - began))
    return ExitCode.OK


def _chosen(flows: list[list[str]] | None, live: LivePods) -> frozenset[Key] | None:
    if not flows:
        return None
    sources = {str(pod) for pod in live.pods}
    targets = {str(target) for target in live.targets}
    chosen = frozenset((source, target) for source, target in flows)
    for source, target in chosen:
        if source not in sources or target not in targets:
            raise ContentError(
                f"there is no flow {source} -> {target}",
                seen=f"pods: {', '.join(sorted(sources))}; ports: {', '.join(sorted(targets))}",
            )
    return chosen


def _looks(
    look_once: Callable[[], Matrix[Cell]],
    log: FlipLog,
    console: Console,
    *,
    every: float,
    seconds: float,
) -> None:
    """Look at the pace that was asked for; never two looks at once."""
    began = time.monotonic()
    pace = threading.Event()  # never set: its wait is the pace
    with Live(console=console, auto_refresh=False, transient=True) as screen:
        while (at := time.monotonic() - began) < seconds:
            seen = look_once()
            for flip in log.note(at, seen):
                screen.console.print(str(flip), highlight=False, markup=False)
            screen.update(_now(log, seen, at), refresh=True)
            pace.wait(max(0.0, every - (time.monotonic() - began - at)))


def _now(log: FlipLog, seen: Matrix[Cell], at: float) -> RenderableType:
    table = Table(title=f"{at:.1f} s, {len(seen)} flows", title_justify="left", box=None)
    for name in ("flow", "now", "for", "flips"):
        table.add_column(name, justify="left" if name in ("flow", "now") else "right")
    latest = sorted(seen, key=lambda entry: -log.tracks[entry[0], entry[1]].since)
    for source, target, cell in latest[:SHOWN]:
        track = log.tracks[source, target]
        state = Text(f"{look(cell).letter} {cell.outcome}", STYLES[look(cell)])
        held = f"{(at - track.since) * 1000:.0f} ms"
        table.add_row(f"{source} -> {target}", state, held, str(track.flips))
    return table


def summary(log: FlipLog, at: float) -> Table:
    """Every flow that flipped, and how long it was in each state."""
    flipped = {key: track for key, track in log.tracks.items() if track.flips}
    title = f"{len(flipped)} of {len(log.tracks)} flows flipped in {at:.1f} s"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("flow", "flips", "now", "ms in each state"):
        table.add_column(name)
    for (source, target), track in flipped.items():
        spent = ", ".join(f"{state} {ms:.0f}" for state, ms in track.until(at).items())
        table.add_row(f"{source} -> {target}", str(track.flips), track.state, spent)
    return table
