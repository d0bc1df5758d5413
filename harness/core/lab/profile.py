"""What CNIs do differently, where the API leaves it open or a CNI departs from it: one table.

An outcome cell `cni:LINE` stands for what the run's CNI does. Every line is shown by a live row on
each CNI: a test sees to it that none is only asserted. Each CNI's own folder holds its profile
(`harness/edge/cni/NAME`); this module knows no CNI by name.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

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
    `denied`: a new connection that a policy closes (dropped, or rejected).
    `established`: a connection that was open when a policy closed its flow.
    `unserved_port`: a port that a Service does not have, with no policy in the way.
    `rules_left_out`: a flow that egress rules would close if policyTypes did not leave Egress out.
    `ip_block_of_pods`: a pod that an ipBlock over the pod network would let in, and nothing else.
    `loopback`: a pod to its own address, under a policy that closes everything.
    `host_to_pod`: the pod's own node to a pod whose ingress is closed (the kubelet's probes).
    `pod_to_host`: a pod whose egress is closed to its own node.
    `kinds`: the kinds of policy that the CNI enforces.
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


LINES = tuple(f.name for f in fields(CniProfile) if f.name not in {"name", "kinds"})
PREFIX = "cni:"


def checked_line(line: str, *, where: str) -> str:
    """The name of a line of the table.

    Raises:
        OutcomeTableError: the table has no such line.
    """
    if line not in LINES:
        raise OutcomeTableError(
            f"`{PREFIX}{line}` is no line of CniProfile",
            where=where,
            seen=f"known: {', '.join(LINES)}",
        )
    return line


def reading_of(line: str, profile: CniProfile) -> Reading:
    """What the profile's CNI does, by the table's line (see `checked_line`)."""
    found = getattr(profile, line)
    assert isinstance(found, Reading)  # noqa: S101 - by the dataclass's types
    return found
