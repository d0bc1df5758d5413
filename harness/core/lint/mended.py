"""A state with a fix in place, of which the oracle judges single flows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.core.model import External, NetworkPolicy, Pod, Topology
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.target.ask import Flow


@dataclass(frozen=True, slots=True)
class Mended:
    """A state whose policies are mended. Flows are judged by the few that are about their ends."""

    topology: Topology
    policies: tuple[NetworkPolicy, ...]

    def verdict(self, flow: Flow) -> Verdict:
        """The oracle's verdict on one flow; for many of them take `oracle`."""
        return self.oracle([flow]).verdict(flow)

    def oracle(self, flows: Iterable[Flow]) -> Oracle:
        """An oracle that knows the ends of these flows, and what is outside."""
        ends = {id(end): end for flow in flows for end in (flow.source, flow.target)}
        found = list(ends.values())
        pods = {f"{number} {end}": end for number, end in enumerate(found) if isinstance(end, Pod)}
        outside = {end.name: end for end in found if isinstance(end, External)}
        # A policy acts on pods of its own namespace; one without a namespace acts on all.
        homes = {"", *(pod.namespace for pod in pods.values())}
        about = (policy for policy in self.policies if policy.namespace in homes)
        external = {**self.topology.external, **outside}
        return Oracle(replace(self.topology, pods=pods, external=external), about)
