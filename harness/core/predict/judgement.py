"""What a state's policies say of themselves: where they block a flow, and what is too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.core.ask import Flow
from harness.core.manifests.reader import Resource
from harness.core.manifests.wanted import wanted_in
from harness.core.model import NetworkPolicy, Topology
from harness.core.outcome import Reading
from harness.core.policy.diagnosis import diagnose
from harness.core.policy.privilege import FACTS, Privilege, judge
from harness.core.target import Fact


@dataclass(frozen=True)
class Judgement:
    """One state, as manifests describe it; what is asked for is worked out once."""

    resources: Sequence[Resource]
    topology: Topology
    policies: Sequence[NetworkPolicy]

    @cached_property
    def wanted(self) -> tuple[Flow, ...] | None:
        """The flows that the state's list wants, or None if it has no list."""
        return wanted_in(self.resources, self.topology)

    @cached_property
    def privilege(self) -> Privilege | None:
        """The policies measured by the state's list of wanted flows, if it has one."""
        return None if self.wanted is None else judge(self.topology, self.policies, self.wanted)

    def blocked(self, flow: Flow) -> tuple[Reading, tuple[str, ...]]:
        """Where a flow is dropped, and the oracle's reasons."""
        found = diagnose(self.topology, self.policies, flow)
        return found.reading, found.reasons

    def fact(self, target: Fact) -> Reading | None:
        """The answer to a fact that follows from policies and wishes; None to all others."""
        if target.name not in FACTS or self.privilege is None:
            return None
        return self.privilege.reading(target.name)
