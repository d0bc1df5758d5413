"""The containers that kind's nodes are: a name can be taken again, a container's id cannot."""

from __future__ import annotations

import re
from functools import partial

from harness.edge.machine.docker import Docker
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import ClusterNotReady

# kind puts this label on every node of a cluster.
LABEL = "io.x-k8s.kind.cluster"


def node_containers(cluster: str, docker: Docker) -> tuple[str, ...]:
    """The ids of a cluster's nodes, stopped ones included; empty if it has none.

    Raises:
        CommandFailed: the engine does not answer.
    """
    return docker.ids(f"label={LABEL}={cluster}", stopped=True)


def node_names(cluster: str, workers: int) -> list[str]:
    """The names that kind gives to a cluster's nodes."""
    numbers = ["", *(str(number) for number in range(2, workers + 1))]
    return [f"{cluster}-control-plane", *(f"{cluster}-worker{n}" for n in numbers[:workers])]


def node_resolver(cluster: str, docker: Docker) -> str:
    """The name server that kind gave the control plane: the machine's, in the end.

    Raises:
        ClusterNotReady: the control plane has none.
        CommandFailed: the engine does not answer.
    """
    words = ["exec", f"{cluster}-control-plane", "cat", "/etc/resolv.conf"]
    told = docker.call(*words).stdout
    found = re.search(r"(?m)^nameserver\s+(\S+)", told)
    if found is None:
        raise ClusterNotReady(
            "the node knows no name server, so names of the real internet cannot be asked for",
            where=" ".join(["docker", *words]),
            seen=told.strip() or "an empty file",
            try_="--lab-internet=simulated",
        )
    return found[1]


def answer_every_refusal(cluster: str, docker: Docker) -> None:
    """Let the nodes send as many ICMP messages to one address as there is reason for.

    kube-proxy refuses a port that a Service does not have by such a message. By default the kernel
    sends six of them to a pod, and then one a second (net.ipv4.icmp_ratelimit, icmp(7)), so what is
    refused would look silent to whoever asks faster.

    Raises:
        CommandFailed: a node does not do it.
    """
    for node in node_containers(cluster, docker):
        docker.call("exec", node, "sysctl", "--write", "net.ipv4.icmp_ratelimit=0")


def end_starts(names: list[str], image: str, docker: Docker) -> None:
    """Remove these containers, and those that the engine is only about to make.

    When kind is interrupted, the engine goes on with what it was asked for, and the container
    appears a second after kind's own clean-up. The engine reserves a name before it begins, so a
    container of ours that gets the name proves that none is on its way.

    Raises:
        ClusterNotReady: the engine does not finish in time.
    """
    for name in names:
        wait_for(
            f"the engine has finished making {name}",
            partial(_free, name, image, docker),
            seconds=docker.patience.node_end,
            fault=ClusterNotReady,
            where=f"container {name}",
            try_=f"docker rm --force --volumes {name}",
        )


def _free(name: str, image: str, docker: Docker) -> None:
    made = docker.call("create", "--pull=never", f"--name={name}", image, check=False)
    taken = "already in use" in made.stderr
    if made.returncode == 0 or taken:
        docker.remove_container(name)
    if taken:
        raise NotYet(made.stderr.strip())
