"""The containers of kind's nodes; unlike a name, a container's id is never used again."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from harness.core.target.family import IPV4, Families, Family
from harness.edge.api.kube import Object
from harness.edge.machine.docker import Docker
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import ClusterNotReady, EnvironmentFault

# kind puts this label on every node of a cluster.
LABEL = "io.x-k8s.kind.cluster"
_ADD_HOST = 'grep -qxF "$1" /etc/hosts || echo "$1" >>/etc/hosts'


def node_containers(cluster: str, docker: Docker) -> tuple[str, ...]:
    """The ids of a cluster's nodes, with stopped nodes; empty if the cluster has no nodes.

    Raises:
        CommandFailed: the engine does not answer.
    """
    return docker.ids(f"label={LABEL}={cluster}", stopped=True)


def container_of(node: Object, docker: Docker) -> dict[str, Any]:
    """The container that is this node of a cluster; kind, k3d and minikube give both one name.

    Raises:
        EnvironmentFault: this machine's engine does not run the node.
    """
    name = node["metadata"]["name"]
    told = [at["address"] for at in node.get("status", {}).get("addresses") or []]
    found = docker.inspect("container", name)
    networks = (found or {}).get("NetworkSettings", {}).get("Networks", {}).values()
    own = {one.get(key) for one in networks for key in ("IPAddress", "GlobalIPv6Address")}
    if found is None or own.isdisjoint(told):
        raise EnvironmentFault(
            f"the node {name} is no container of this machine's engine",
            where=f"docker container inspect {name}",
            seen="there is no such container"
            if found is None
            else "a container of this name has none of the node's addresses",
            try_="run policylab where kind, k3d or minikube (with Docker) made the cluster",
        )
    return found


def node_names(cluster: str, workers: int) -> list[str]:
    """The names that kind gives to a cluster's nodes."""
    numbers = ["", *(str(number) for number in range(2, workers + 1))]
    return [f"{cluster}-control-plane", *(f"{cluster}-worker{n}" for n in numbers[:workers])]


def node_resolver(cluster: str, docker: Docker) -> str:
    """The name server in the control plane's resolv.conf, which leads to the machine's own.

    Raises:
        ClusterNotReady: the control plane has no name server.
        CommandFailed: the engine does not answer.
    """
    words = ["exec", f"{cluster}-control-plane", "cat", "/etc/resolv.conf"]
    told = docker.call(*words).stdout
    found = re.search(r"(?m)^nameserver\s+(\S+)", told)
    if found is None:
        raise ClusterNotReady(
            "the node has no name server, so pods cannot look up names of the real internet",
            where=" ".join(["docker", *words]),
            seen=told.strip() or "an empty file",
            try_="--lab-internet=simulated",
        )
    return found[1]


def introduce(cluster: str, docker: Docker) -> None:
    """Let each worker find the control plane by its name.

    Pods on a node's own network (kube-proxy, the CNI) reach the API by that name, before there is
    DNS; and the name server of such pods is the simulated internet's, which does not know it. When
    a node starts, the engine writes its /etc/hosts anew; so this is done at each opening.

    Raises:
        CommandFailed: a node does not take the line.
        EnvironmentFault: the engine does not answer.
    """
    containers = node_containers(cluster, docker)
    if len(containers) < 2:  # noqa: PLR2004 - a node alone knows itself
        return
    found = docker.inspect("container", f"{cluster}-control-plane") or {}
    networks = found.get("NetworkSettings", {}).get("Networks", {})
    addresses = [a for one in networks.values() if (a := one.get("IPAddress"))]
    for node in containers if addresses else ():
        line = f"{addresses[0]} {cluster}-control-plane"
        docker.call("exec", node, "sh", "-c", _ADD_HOST, "sh", line)


def answer_every_refusal(cluster: str, docker: Docker, families: Families = IPV4) -> None:
    """Let the nodes send ICMP messages to one address without a limit.

    kube-proxy refuses a port that a Service does not have with such a message. By default the
    kernel sends six of them to a pod, and then one each second (net.ipv4.icmp_ratelimit, icmp(7);
    net.ipv6.icmp.ratelimit, the kernel's Documentation/networking/ip-sysctl.rst).
    A client that asks faster would take a refusal for silence.

    Raises:
        CommandFailed: a node does not accept the setting.
    """
    limits = {Family.IPV4: "net.ipv4.icmp_ratelimit", Family.IPV6: "net.ipv6.icmp.ratelimit"}
    settings = [f"{limits[family]}=0" for family in families]
    for node in node_containers(cluster, docker):
        docker.call("exec", node, "sysctl", "--write", *settings)


def end_starts(names: list[str], image: str, docker: Docker) -> None:
    """Remove these containers, and containers that the engine is about to make.

    When kind is interrupted, the engine continues its work, and the container appears a second
    after kind's own clean-up. The engine reserves a name before it makes a container. A test
    container that gets the name therefore proves that the engine is not making another one.

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
