"""The containers that kind's nodes are: a name can be taken again, a container's id cannot."""

from __future__ import annotations

from harness.edge.process import run

__all__ = ["node_containers"]

# kind puts this label on every node of a cluster.
LABEL = "io.x-k8s.kind.cluster"
ENGINE_SECONDS = 60.0


def node_containers(cluster: str) -> tuple[str, ...]:
    """Return the ids of a cluster's nodes, stopped ones included; empty if it has none.

    Raises `CommandFailed` if the engine does not answer.
    """
    words = ["docker", "ps", "--all", "--quiet", "--no-trunc", f"--filter=label={LABEL}={cluster}"]
    return tuple(sorted(run(words, timeout=ENGINE_SECONDS).stdout.split()))
