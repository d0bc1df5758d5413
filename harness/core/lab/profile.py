"""What CNIs do differently, where the API leaves it open or a CNI departs from it: one table.

An outcome cell `cni:LINE` stands for what the run's CNI does. Every line is shown by a live row on
each CNI: a test sees to it that none is only asserted. Each CNI's own folder holds its profile
(`harness/edge/cni/NAME`); this module knows no CNI by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from harness.core.model import NETWORK_POLICY
from harness.core.outcome import Outcome, Reading
from harness.errors import OutcomeTableError

CONNECTED = Reading(Outcome.CONNECTED)
TIMEOUT = Reading(Outcome.TIMEOUT)
REFUSED = Reading(Outcome.REFUSED)
KEPT = Reading(Outcome.SHOWS, "kept")
CUT = Reading(Outcome.SHOWS, "cut")


@dataclass(frozen=True, slots=True)
class CniProfile:
    """One CNI's answers, as a client in a pod sees them.

    `name`: the CNI's name in options and results.
    `kinds`: the kinds of policy that the CNI enforces.

    Every other field is a line of `LINES`, which says what is asked.
    """

    name: str
    denied: Reading
    established: Reading
    unserved_port: Reading
    rules_left_out: Reading
    ip_block_of_pods: Reading
    loopback: Reading
    host_to_pod: Reading
    pod_to_host: Reading
    kinds: frozenset[str] = frozenset({NETWORK_POLICY})

    @property
    def ignores_rules_left_out(self) -> bool:
        """Whether rules of a direction that policyTypes leaves out do nothing, as the API says."""
        return self.rules_left_out == CONNECTED

    @property
    def ip_blocks_mean_pods(self) -> bool:
        """Whether an ipBlock that covers a pod's address means the pod."""
        return self.ip_block_of_pods == CONNECTED


LINES: Mapping[str, str] = {
    "denied": "a new connection that a policy closes",
    "established": "a connection that was open before a policy closed its flow",
    "unserved_port": "a port that a Service does not have, with no policy in the way",
    "rules_left_out": "a flow that egress rules would close if policyTypes did not omit Egress",
    "ip_block_of_pods": "a pod that only an ipBlock over the pod network would let in",
    "loopback": "a pod that asks its own address, under a policy that closes everything",
    "host_to_pod": "the pod's own node asks a pod whose ingress is closed (as the kubelet does)",
    "pod_to_host": "a pod whose egress is closed asks its own node",
}
"""What is asked by each line of the table; `cni:LINE` stands for the answer of the run's CNI."""
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


def reading_of(line: str, profile: CniProfile) -> Reading:
    """What the profile's CNI does, by the table's line (see `checked_line`)."""
    found = getattr(profile, line)
    assert isinstance(found, Reading)  # noqa: S101 - by the dataclass's types
    return found
