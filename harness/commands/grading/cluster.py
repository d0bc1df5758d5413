"""The cluster of a course that is graded live."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from harness.commands.shared.access import access_of
from harness.commands.shared.options import lane_with
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.edge.cluster.opening import ClusterMode, ClusterSpec
from harness.edge.cluster.tools import tools_with
from harness.edge.cluster.turn import turn
from harness.edge.grading.observed import Observed
from harness.plays import proven
from harness.progress import Progress


@contextmanager
def judge_on_cluster(
    arguments: argparse.Namespace, world: World, profile: CniProfile, progress: Progress
) -> Iterator[Observed]:
    """A judge on the cluster that the arguments name, with the pods of the assignment.

    With a seed, each student has pods of their own, so that none are started before.

    Raises:
        HarnessError: the cluster does not run or enforces no policy, or the pods cannot start.
    """
    spec = ClusterSpec(lane_with(profile.name, arguments), registry=arguments.registry)
    if arguments.context:
        spec = replace(spec, mode=ClusterMode.EXTERNAL, context=arguments.context)
    access = access_of(arguments)
    with ExitStack() as run:
        run.enter_context(turn(spec))
        cluster = access.open(spec, progress, tools_with(arguments.patience))
        doors = access.doors(cluster)
        live = run.enter_context(proven(cluster, progress, internet=None, doors=doors))
        # On a cluster of ours the next run goes on with these pods, but for those of one student.
        keep = cluster.owned and not arguments.seed
        judge = Observed(cluster, doors, live.gate.fence, profile, progress, keep=keep)
        run.enter_context(judge)
        if not arguments.seed:
            judge.open(world)
        yield judge
