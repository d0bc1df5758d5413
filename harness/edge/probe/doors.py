"""All ways in which policylab reaches a live cluster, in one place: its API, probers and programs.

Whoever works on a cluster takes `Doors`; `ClusterDoors` leads to a real one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.edge.api.client import KubeClient
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec, Kubectl
from harness.edge.internet.controls import Controls, Outside
from harness.edge.internet.engine import place_with
from harness.edge.internet.state import Internet
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.probe.nodes.agents import Agents
from harness.edge.probe.nodes.prober import NodeProber
from harness.edge.probe.prober import Prober
from harness.edge.probe.streams import StreamProber


class Doors(Protocol):
    """The doors to one cluster."""

    def kube(self) -> Kube:
        """A new connection to the API.

        Raises:
            ClusterNotReady: the API does not answer.
        """
        ...

    def acting_as(self, account: str) -> Kube:
        """A new connection to the API with the rights of this user and no others.

        Raises:
            ClusterNotReady: the API does not answer.
        """
        ...

    def prober(self) -> Prober:
        """New probers; whoever takes them closes them."""
        ...

    def nodes(self, image: str) -> Prober:
        """New probers that run on the nodes and enter the pods; whoever takes them closes them.

        They are for clusters of policylab's own. `image` is the toolbox's.
        """
        ...

    def programs(self) -> Exec:
        """Programs inside of containers."""
        ...

    def controls(self, internet: Internet) -> Outside:
        """The controls of the simulated internet that the cluster's pods find."""
        ...


@dataclass(frozen=True, slots=True)
class ClusterDoors:
    """The doors to a real cluster: by which kubectl, with which kubeconfig and context of it.

    `patience` has the deadlines of what goes through them.
    """

    kubectl: Path
    kubeconfig: Path
    context: str = ""
    patience: Patience = PATIENCE
    _agents: dict[str, Agents] = field(default_factory=dict, compare=False, repr=False)

    def kube(self) -> Kube:
        """A new connection by the official client."""
        return KubeClient(self.kubeconfig, self.context, self.patience)

    def acting_as(self, account: str) -> Kube:
        """A new connection that impersonates the user."""
        return KubeClient(self.kubeconfig, self.context, self.patience, account=account)

    def prober(self) -> Prober:
        """Probers by `kubectl exec`."""
        return StreamProber(self.kubectl, self.kubeconfig, self.context, self.patience)

    def nodes(self, image: str) -> Prober:
        """Probers by `kubectl exec` in a pod on each node."""
        if image not in self._agents:  # a connection to the API for each prober is enough
            self._agents.setdefault(image, Agents(self.kube(), image))
        agents = self._agents[image]
        return NodeProber(self.kube(), self.kubectl, self.kubeconfig, self.context, agents=agents)

    def programs(self) -> Exec:
        """Programs by `kubectl exec`."""
        return Kubectl(self.kubectl, self.kubeconfig, self.context)

    def controls(self, internet: Internet) -> Outside:
        """The controls of the container that plays the internet."""
        return Controls(internet, place_with(self.patience))
