"""What a state's policies say of themselves: where they block a flow, and what is too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.core.manifests.reader import Resource
from harness.core.manifests.wanted.flows import CONFIG_MAP, wanted_in
from harness.core.model import NetworkPolicy, Topology
from harness.core.outcome import Reading
from harness.core.policy.diagnosis import diagnose
from harness.core.policy.privilege import Privilege, privilege_of
from harness.core.target import UNUSED_RULES, WANTED_AGAINST_ALLOWED, Fact
from harness.core.target.ask import Flow
from harness.errors import ManifestError


@dataclass(frozen=True)
class Audit:
    """One state, as manifests describe it; each answer is worked out once, when asked for."""

    resources: Sequence[Resource]
    topology: Topology
    policies: Sequence[NetworkPolicy]

    @cached_property
    def wanted(self) -> tuple[Flow, ...]:
        """The flows that the state's list wants.

        Raises:
            ManifestError: the state has no such list, or the list is wrong.
        """
        found = wanted_in(self.resources, self.topology)
        if found is None:
            raise ManifestError(
                "no manifest in force says which flows are wanted",
                try_=f"put a manifest with the ConfigMap `{CONFIG_MAP}` in force",
            )
        return found

    @cached_property
    def privilege(self) -> Privilege:
        """The policies measured by the wanted flows.

        Raises:
            ManifestError: no list says which flows are wanted.
        """
        return privilege_of(self.topology, self.policies, self.wanted)

    def blocked(self, flow: Flow) -> tuple[Reading, tuple[str, ...]]:
        """Where a flow is dropped, and the oracle's reasons."""
        found = diagnose(self.topology, self.policies, flow)
        return found.reading, found.reasons

    def fact(self, fact: Fact) -> Reading | None:
        """The answer to a fact that follows from policies and wanted flows; None to all others.

        Raises:
            ManifestError: no list says which flows are wanted.
        """
        if fact.name == UNUSED_RULES:
            return self.privilege.unused_reading
        return self.privilege.flows_reading if fact.name == WANTED_AGAINST_ALLOWED else None
