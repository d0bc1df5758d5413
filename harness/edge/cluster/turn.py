"""One cluster takes one run of labs or grades at a time: two would change each other's policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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
    lock = FileLock(_file(spec))
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


def others_at_work(spec: ClusterSpec) -> bool:
    """Whether another run of this user uses another cluster just now."""
    for file in _file(spec).parent.glob("*.lock"):
        lock = FileLock(file)
        if file != _file(spec) and not lock.try_take():
            return True
        lock.release()
    return False


def _file(spec: ClusterSpec) -> Path:
    return cache_home() / "runs" / f"{quote(spec.context or spec.cluster, safe='')}.lock"
