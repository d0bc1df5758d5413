"""The run of conformance on a cluster that is open: its rows, one after the other."""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from harness.commands.conformance.choosing import Chosen, Profile
from harness.core.compare.sharding import Shard
from harness.core.conformance.judging import made_up_row
from harness.core.conformance.repeating import merged
from harness.core.conformance.row import FlowSeen, Row
from harness.core.fuzz.cases import draw_cases
from harness.core.fuzz.result import Judged
from harness.edge.cluster.opening import Cluster
from harness.edge.conformance.ground import Rules
from harness.edge.conformance.life.ground import Site, alone
from harness.edge.conformance.life.lifecycle import latency, lifecycle
from harness.edge.conformance.life.site import site_of
from harness.edge.conformance.running import Running
from harness.edge.fuzz import Finding, Fuzz, Lost, Result
from harness.plays import Live
from harness.progress import Progress

JOBS, FUZZ_JOBS = 3, 6
"""Sets of pods on the cluster at the same time: for cases, and for policies that are drawn.

A case has twice as many flows in each state as one that is drawn.
"""


def rows_of(
    arguments: argparse.Namespace, chosen: Chosen, live: Live, progress: Progress, *, run: str
) -> Generator[Row, None, None]:
    """The rows as soon as they are known: cases, made-up policies, then measurements.

    However the iteration ends, what was made on the cluster is removed. `run` are a few letters
    that tell its namespaces from those of another run on the cluster.

    Raises:
        ContentError: another run measures the cluster.
    """
    cluster = live.cluster
    if {Profile.LATENCY, Profile.LIFECYCLE} & chosen.profiles:
        alone(live.kube)
    yield from _cases(arguments, chosen, live, run)
    if arguments.fuzz:
        yield from _made_up(arguments, chosen.shard or Shard(1, 1), live, run)
    profile = cluster.lane.value.profile
    if Profile.LATENCY in chosen.profiles:
        threshold = arguments.threshold
        yield from latency(_site(cluster, live), profile, progress, threshold=threshold)
    if Profile.LIFECYCLE in chosen.profiles:
        yield from lifecycle(_site(cluster, live), profile, progress)


def _cases(arguments: argparse.Namespace, chosen: Chosen, live: Live, run: str) -> Iterator[Row]:
    if not chosen.cases:
        return
    rules = Rules(
        arguments.late * 1000 or None,
        frozenset(deviation.case for deviation in chosen.deviations),
        arguments.repeat,
        sample=bool(arguments.sample),
    )
    running = Running(
        live.cluster, live.doors, live.gate.fence, rules, jobs=arguments.jobs or JOBS, run=run
    )
    found: dict[str, list[Row]] = {}
    try:
        for row in running.run(chosen.cases):
            runs = found.setdefault(row.name, [])
            runs.append(row)
            if len(runs) == rules.repeat:
                yield merged(found.pop(row.name))
    except KeyboardInterrupt:
        # A run that failed is not lost because the case was to be run again.
        yield from map(merged, found.values())
        raise


def _made_up(arguments: argparse.Namespace, shard: Shard, live: Live, run: str) -> Iterator[Row]:
    profile = live.cluster.lane.value.profile
    drawn = draw_cases(arguments.seed, arguments.fuzz, profile)
    cases = [replace(case, run=run) for case in drawn if shard.takes(case.world)]
    fuzz = Fuzz(live.cluster, live.doors, live.gate.fence, jobs=arguments.jobs or FUZZ_JOBS)
    source = f"policylab conformance --fuzz {arguments.fuzz} --seed {arguments.seed}"
    for result in fuzz.run(cases, source=source):
        yield _made_up_row(result, f"made-up/{arguments.seed}")


def _made_up_row(result: Result, group: str) -> Row:
    match result:
        case Lost(case, error):
            return made_up_row(f"{group}/{case.name}", 0, (), [str(error)], {})
        case Finding(drawn):
            return _judged(drawn, group, {"case.yaml": drawn.case.text, "shrunk.yaml": result.text})
        case Judged():
            return _judged(result, group, {})


def _judged(judged: Judged, group: str, files: dict[str, str]) -> Row:
    flows = [
        FlowSeen(
            "",
            str(each.ask),
            str(each.predicted),
            str(each.predicted),
            str(each.observed),
            each.reasons,
        )
        for each in judged.disagreed
    ]
    lost: Sequence[str] = judged.no_verdict
    return made_up_row(f"{group}/{judged.case.name}", judged.agreed, flows, lost, files)


def _site(cluster: Cluster, live: Live) -> Site:
    return site_of(cluster, live.doors, cluster.refs["toolbox"])
