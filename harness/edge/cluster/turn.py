"""One cluster takes one run of labs or grades at a time: two would change each other's policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from harness.edge.cluster.state import ClusterSpec
from harness.edge.files.cache import cache_home
from harness.edge.machine.filelock import FileLock
from harness.errors import EnvironmentFault


@contextmanager
def turn(spec: ClusterSpec) -> Iterator[None]:
    """Let no other run of this user use the cluster for labs or grades while the block runs.

    Raises:
        EnvironmentFault: another run uses the cluster; the message has the id of its process.
    """
    cluster = spec.context or spec.cluster
    lock = FileLock(cache_home() / "runs" / f"{quote(cluster, safe='')}.lock")
    if not lock.try_take():
        raise EnvironmentFault(
            f"another run uses the cluster {cluster}",
            where=str(lock.path),
            seen=f"it is process {lock.holder}",
            try_="wait until that run ends, or give this run a cluster of its own: "
            "--cluster-name=NAME",
        )
    try:
        yield
    finally:
        lock.release()
