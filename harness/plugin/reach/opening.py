"""The cluster that `reach` asks: one that runs, and that the options name.

Nothing is made or started here, and pods of a user's own cluster get probers only if the options
allow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from harness.commands.shared.access import REAL, Access
from harness.commands.shared.livepods import allow
from harness.core.target import PodRef
from harness.edge.cluster.state import Cluster, ClusterMode
from harness.edge.cluster.tools import tools_with
from harness.edge.machine.filelock import SharedLock
from harness.edge.probe.discovery import Found, equip_found
from harness.errors import ContentError
from harness.plugin.options import Options, cluster_spec, options_of, patience_of
from harness.plugin.reach.changing import Reach
from harness.plugin.reach.live import OnCluster
from harness.plugin.workers import progress_of

ACCESS = pytest.StashKey[Access]()
"""The ways to clusters; a test of policylab puts others there."""


@contextmanager
def opened(config: pytest.Config, shared: Path | None) -> Iterator[Reach]:
    """The flows of the cluster that the options name; the block's end closes the streams.

    `shared` is a folder that the workers of this run share; None without workers.

    Raises:
        ContentError: the options name no cluster.
        EnvironmentFault: the cluster does not run, or a tool is missing.
    """
    options, progress = options_of(config), progress_of(config)
    access = config.stash.get(ACCESS, REAL)
    cluster = _cluster(config, options, access)
    doors = access.doors(cluster)
    kube = doors.kube()
    image = options["prober-image"] or cluster.toolbox

    def equip(found: Found, refs: Iterable[PodRef]) -> None:
        wanted = frozenset(refs)
        bare = [pod for pod in found.without_prober if pod.ref in wanted]
        if bare:
            allowed = options["add-probers"] == "yes"
            allow(cluster, bare, allowed=allowed, how="--lab-add-probers")
            with progress.step(f"{len(bare)} probers"):
                equip_found(kube, bare, image, option="--lab-prober-image")

    lock = SharedLock(shared / "policylab-changes.db") if shared else None
    seconds = cluster.patience.others_change

    def looking() -> AbstractContextManager[None]:
        return lock.looking(seconds=seconds) if lock else nullcontext()

    def changing() -> AbstractContextManager[None]:
        return lock.changing(seconds=seconds) if lock else nullcontext()

    with closing(doors.prober()) as prober:
        asker = OnCluster(kube, prober, equip, looking)
        yield Reach(asker, config.rootpath, asker, changing)


def _cluster(config: pytest.Config, options: Options, access: Access) -> Cluster:
    spec = cluster_spec(config, options)
    if options["context"]:
        return access.open(spec, progress_of(config), tools_with(patience_of(options)))
    if spec.mode is ClusterMode.REUSE:
        return replace(access.running(spec.cluster), patience=patience_of(options))
    raise ContentError(
        "`reach` asks a cluster that runs, and this run names none",
        try_="--lab-context=NAME (or lab_context in pytest's ini file) names a cluster of your "
        "own, --lab-cluster-mode=reuse the one of policylab; `predict` asks manifests instead",
    )
