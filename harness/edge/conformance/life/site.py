"""The site of a measurement: a cluster that runs, with the rights that the run has on it."""

from __future__ import annotations

from harness.edge.api.kubectl import kubectl_base
from harness.edge.cluster.state import Cluster
from harness.edge.conformance.life.ground import NodeShell, Site
from harness.edge.machine.docker import DOCKER, Docker
from harness.edge.machine.process import Completed, run
from harness.edge.probe.doors import Doors


def site_of(cluster: Cluster, doors: Doors, image: str, docker: Docker = DOCKER) -> Site:
    """The site; `image` is one with python3 that the cluster's nodes have.

    On a cluster that policylab made, the nodes are containers of `docker`, and take commands.

    Raises:
        ClusterNotReady: the API does not answer.
        EnvironmentFault: policylab does not know the cluster's CNI.
    """
    base = kubectl_base(cluster.kubectl, cluster.kubeconfig, cluster.context)

    def admin(*words: str, seconds: float) -> Completed:
        return run([*base, *words], timeout=seconds)

    def shell(node: str, *words: str) -> Completed:
        return docker.call("exec", node, *words)

    on_nodes: NodeShell | None = shell if cluster.owned else None
    return Site(
        kube=doors.kube(),
        programs=doors.programs(),
        admin=admin,
        shell=on_nodes,
        image=image,
        daemon_set=cluster.lane.value.daemon_set,
    )
