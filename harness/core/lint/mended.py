"""A state with a fix in place, of which the oracle judges single flows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.core.ask import Flow
from harness.core.model import External, NetworkPolicy, Pod, Topology
from harness.core.outcome import Verdict
from harness.core.policy.decision import Decision
from harness.core.policy.oracle import Oracle


@dataclass(frozen=True, slots=True)
class Mended:
    """A state whose policies are mended. Each flow is judged by the few that are about its ends."""

    topology: Topology
    policies: tuple[NetworkPolicy, ...]

    def verdict(self, flow: Flow) -> Verdict:
        """The oracle's verdict."""
        return self._oracle(flow).verdict(flow)

    def decide(self, flow: Flow) -> Decision:
        """The oracle's verdict with its reasons."""
        return self._oracle(flow).decide(flow)

    def _oracle(self, flow: Flow) -> Oracle:
        ends = (flow.source, flow.target)
        pods = {str(end): end for end in ends if isinstance(end, Pod)}
        outside = {end.name: end for end in ends if isinstance(end, External)}
        # A policy acts on pods of its own namespace; one without a namespace acts on all.
        homes = {"", *(pod.namespace for pod in pods.values())}
        about = (policy for policy in self.policies if policy.namespace in homes)
        external = {**self.topology.external, **outside}
        return Oracle(replace(self.topology, pods=pods, external=external), about)
