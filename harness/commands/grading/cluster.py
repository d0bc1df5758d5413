"""The cluster of a course that is graded live."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from harness.commands.shared.access import access_of
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.edge.cluster.opening import ClusterMode, ClusterSpec
from harness.edge.cluster.tools import tools_with
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
    spec = ClusterSpec(cni=profile.name, kubernetes=arguments.k8s)
    if arguments.context:
        spec = replace(spec, mode=ClusterMode.EXTERNAL, context=arguments.context)
    access = access_of(arguments)
    cluster = access.open(spec, progress, tools_with(arguments.patience))
    with (
        proven(cluster, progress, internet=None, doors=access.doors(cluster)) as live,
        Observed(cluster, live.doors, live.gate.fence, profile, progress) as judge,
    ):
        if not arguments.seed:
            judge.open(world)
        yield judge
