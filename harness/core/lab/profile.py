"""The differences between CNIs, where the API leaves behaviour open or a CNI departs from it.

An outcome cell `cni:LINE` means the behaviour of the run's CNI. A live row on each CNI shows every
line; a test checks that no line lacks such a row. The folder of each CNI has its profile
(`harness/edge/cni/NAME`); this module knows no CNI by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from harness.core.model import NETWORK_POLICY
from harness.core.outcome import Outcome, Reading, Verdict
from harness.errors import OutcomeTableError

CONNECTED = Reading(Outcome.CONNECTED)
TIMEOUT = Reading(Outcome.TIMEOUT)
REFUSED = Reading(Outcome.REFUSED)
KEPT = Reading(Outcome.SHOWS, "kept")
CUT = Reading(Outcome.SHOWS, "cut")
UNTOLD = Reading(Outcome.SHOWS, "nothing that policylab was told")
"""A line of which nobody said how the CNI behaves; a row that follows it is left out."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a measurement of a CNI may be.

    `most`: in ms. `source`: what was measured when this was set, on which machine.
    """

    most: float
    source: str


@dataclass(frozen=True, slots=True)
class CniProfile:
    """The behaviour of one CNI, as a client in a pod sees it.

    `name`: the CNI's name in options and results.
    `kinds`: the kinds of policy that the CNI enforces.
    `budgets`: the budgets of measurements, by `ROW FIGURE` (`harness.core.conformance.lifecycle`).
    `variant`: the words for the variant of the CNI that behaves so; empty for its usual variant,
        and for each that behaves like it.

    Every other field is the outcome of the flow that `LINES` describes under the same name.
    """

    name: str
    denied: Reading
    established: Reading
    unserved_port: Reading
    rules_left_out: Reading
    ip_block_of_pods: Reading
    loopback: Reading
    hairpin: Reading
    host_to_pod: Reading
    pod_to_host: Reading
    kinds: frozenset[str] = frozenset({NETWORK_POLICY})
    budgets: Mapping[str, Budget] = field(default_factory=dict, hash=False)
    variant: str = ""

    @property
    def column(self) -> str:
        """The name of its column in the table of CNI differences."""
        return f"{self.name}-{self.variant}" if self.variant else self.name

    @property
    def told(self) -> dict[str, Reading]:
        """The lines of which somebody said how the CNI behaves, in the order of `LINES`."""
        return {line: found for line in LINES if (found := reading_of(line, self)) != UNTOLD}

    @property
    def ignores_rules_left_out(self) -> bool:
        """Whether rules of a direction that policyTypes leaves out have no effect (API's rule)."""
        return self.rules_left_out in (CONNECTED, UNTOLD)

    @property
    def hairpin_verdict(self) -> Verdict:
        """What becomes of a pod's flow to itself through a Service that policies would deny."""
        found = {CONNECTED: Verdict.ALLOW, TIMEOUT: Verdict.DENY}
        return found.get(self.hairpin, Verdict.UNDEFINED)

    @property
    def ip_blocks_mean_pods(self) -> bool:
        """Whether an ipBlock that covers a pod's address matches the pod."""
        return self.ip_block_of_pods == CONNECTED


LINES: Mapping[str, str] = {
    "denied": "a new connection that a policy blocks",
    "established": "a connection that was open before a policy blocked its flow",
    "unserved_port": "a port that a Service does not have, with no policy in the way",
    "rules_left_out": "a flow that egress rules would block if policyTypes did not leave out "
    "Egress",
    "ip_block_of_pods": "a client that only an ipBlock over the pod network could let in",
    "loopback": "a pod that connects to its own address, under a policy that blocks everything",
    "hairpin": "a pod that connects to itself through its Service, under a policy that blocks "
    "everything",
    "host_to_pod": "the pod's own node connects to a pod whose ingress is denied (as the kubelet "
    "does)",
    "pod_to_host": "a pod whose egress is denied connects to its own node",
}
"""The flow that each line is about; `cni:LINE` means its outcome on the run's CNI."""
PREFIX = "cni:"


def checked_line(line: str, *, where: str) -> str:
    """The name of a line of the table.

    Raises:
        OutcomeTableError: the table has no such line.
    """
    if line not in LINES:
        near = get_close_matches(line, LINES, n=1)
        raise OutcomeTableError(
            f"`{PREFIX}{line}` is not a line of CniProfile",
            where=where,
            seen=f"the lines are: {', '.join(LINES)}",
            try_=f"did you mean `{PREFIX}{near[0]}`?" if near else "",
        )
    return line


def profile_of(
    name: str, told: Mapping[str, Reading], kinds: frozenset[str] = frozenset({NETWORK_POLICY})
) -> CniProfile:
    """The profile with these lines; the other lines are `UNTOLD`."""
    lines: dict[str, Any] = {line: told.get(line, UNTOLD) for line in LINES}
    return CniProfile(name=name, kinds=kinds, **lines)


def reading_of(line: str, profile: CniProfile) -> Reading:
    """The outcome on the profile's CNI, by the line's name (see `checked_line`)."""
    found = getattr(profile, line)
    assert isinstance(found, Reading)  # noqa: S101 - by the dataclass's types
    return found
