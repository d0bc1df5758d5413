"""The containers that kind's nodes are: a name can be taken again, a container's id cannot."""

from __future__ import annotations

import re
from functools import partial

from harness.edge.machine.process import run
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import ClusterNotReady

__all__ = ["end_starts", "node_containers", "node_names", "node_resolver"]

# kind puts this label on every node of a cluster.
LABEL = "io.x-k8s.kind.cluster"
ENGINE_SECONDS = 60.0
START_SECONDS = 30.0


def node_containers(cluster: str) -> tuple[str, ...]:
    """Return the ids of a cluster's nodes, stopped ones included; empty if it has none.

    Raises `CommandFailed` if the engine does not answer.
    """
    words = ["docker", "ps", "--all", "--quiet", "--no-trunc", f"--filter=label={LABEL}={cluster}"]
    return tuple(sorted(run(words, timeout=ENGINE_SECONDS).stdout.split()))


def node_names(cluster: str, workers: int) -> list[str]:
    """Return the names that kind gives to a cluster's nodes."""
    numbers = ["", *(str(number) for number in range(2, workers + 1))]
    return [f"{cluster}-control-plane", *(f"{cluster}-worker{n}" for n in numbers[:workers])]


def node_resolver(cluster: str) -> str:
    """Return the name server that kind gave the control plane: the machine's, in the end.

    Raises `ClusterNotReady` if it has none.
    """
    words = ["docker", "exec", f"{cluster}-control-plane", "cat", "/etc/resolv.conf"]
    told = run(words, timeout=ENGINE_SECONDS).stdout
    found = re.search(r"(?m)^nameserver\s+(\S+)", told)
    if found is None:
        raise ClusterNotReady(
            "the node knows no name server, so names of the real internet cannot be asked for",
            where=" ".join(words),
            seen=told.strip() or "an empty file",
            try_="--lab-internet=simulated",
        )
    return found[1]


def end_starts(names: list[str], image: str) -> None:
    """Remove these containers, and those that the engine is only about to make.

    When kind is interrupted, the engine goes on with what it was asked for, and the container
    appears a second after kind's own clean-up. The engine reserves a name before it begins, so a
    container of ours that gets the name proves that none is on its way.

    Raises `ClusterNotReady` if the engine does not finish within 30 s.
    """
    for name in names:
        wait_for(
            f"the engine has finished making {name}",
            partial(_free, name, image),
            seconds=START_SECONDS,
            fault=ClusterNotReady,
            where=f"container {name}",
            try_=f"docker rm --force --volumes {name}",
        )


def _free(name: str, image: str) -> None:
    words = ["docker", "create", "--pull=never", f"--name={name}", image]
    made = run(words, timeout=ENGINE_SECONDS, check=False)
    taken = "already in use" in made.stderr
    if made.returncode == 0 or taken:
        remove = ["docker", "rm", "--force", "--volumes", name]
        run(remove, timeout=ENGINE_SECONDS, check=False)
    if taken:
        raise NotYet(made.stderr.strip())
