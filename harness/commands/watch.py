"""`policylab watch`: probes flows of a running cluster again and again, and times each flip."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.commands.shared.livepods import STAYS, LivePods, add_options, live_pods
from harness.core.policy.reachability import Matrix, asks_of
from harness.core.probe.attempts import POLL
from harness.core.probe.cells import Cell
from harness.core.probe.flips import FlipLog
from harness.core.target import parse_pod, parse_target
from harness.core.target.ask import Ask
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress
from harness.report.matrix.heatmap import look
from harness.report.matrix.tables import STYLES

SHOWN = 40
"""The number of flows in the live table; the flow that flipped last comes first."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = commands.add_parser(
        "watch",
        help="watch flows of a running cluster, and report each flow that flips",
        description=f"Probes each flow once every --every seconds. {STAYS} Ctrl-C ends the command "
        "with a summary.",
    )
    add_options(parser)
    parser.add_argument(
        "--flow",
        action="append",
        nargs=2,
        metavar=("FROM", "TO"),
        help="watch this flow only, for example --flow shop/web pod/shop/api:8080; the option may "
        "be repeated (default: all flows)",
    )
    parser.add_argument(
        "--every",
        type=_seconds,
        default=0.25,
        metavar="SECONDS",
        help="the time from one round of probes to the next (default: %(default)s)",
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
                lambda: live.observer.matrix(live.sources, live.targets, POLL, only=chosen),
                log,
                console,
                every=arguments.every,
                seconds=arguments.seconds,
            )
        except KeyboardInterrupt:
            console.print("interrupted")
        console.print(summary(log, time.monotonic() - began))
    return ExitCode.OK


def _chosen(flows: list[list[str]] | None, live: LivePods) -> tuple[Ask, ...] | None:
    if not flows:
        return None
    chosen = dict.fromkeys(
        Ask(parse_pod(source, where="--flow"), parse_target(target, where="--flow"))
        for source, target in flows
    )
    known = dict.fromkeys(asks_of(live.sources, live.targets))
    for ask in chosen:
        if ask not in known:
            near = get_close_matches(str(ask), map(str, known), n=1)
            raise ContentError(
                f"there is no flow {ask}",
                where="--flow",
                seen=f"pods: {_list(live.sources)}; targets: {_list(live.targets)}",
                try_=f"did you mean `{near[0]}`?" if near else "",
            )
    return tuple(chosen)


def _list(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))


def _looks(
    look_once: Callable[[], Matrix[Cell]],
    log: FlipLog,
    console: Console,
    *,
    every: float,
    seconds: float,
) -> None:
    """Probe at the given pace, never two rounds at once."""
    began = time.monotonic()
    pace = threading.Event()  # nobody sets it: its wait is the pace
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
    latest = sorted(seen, key=lambda entry: -log.tracks[entry[0]].since)
    for ask, cell in latest[:SHOWN]:
        track = log.tracks[ask]
        state = Text(f"{look(cell).letter} {cell.outcome}", STYLES[look(cell)])
        held = f"{(at - track.since) * 1000:.0f} ms"
        table.add_row(str(ask), state, held, str(track.flips))
    return table


def summary(log: FlipLog, at: float) -> Table:
    """Every flow that flipped, and how long it was in each state."""
    flipped = {ask: track for ask, track in log.tracks.items() if track.flips}
    title = f"{len(flipped)} of {len(log.tracks)} flows flipped in {at:.1f} s"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("flow", "flips", "now", "ms in each state"):
        table.add_column(name)
    for ask, track in flipped.items():
        spent = ", ".join(f"{state} {ms:.0f}" for state, ms in track.until(at).items())
        table.add_row(str(ask), str(track.flips), track.state, spent)
    return table
