"""What CNIs do differently, where the API leaves it open or a CNI departs from it: one table.

An outcome cell `cni:LINE` stands for what the run's CNI does. Every line is shown by a live row on
each CNI: a test sees to it that none is only asserted.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

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

    `denied`: a new connection that a policy closes (dropped, or rejected).
    `established`: a connection that was open when a policy closed its flow.
    `unserved_port`: a port that a Service does not have, with no policy in the way.
    `rules_left_out`: a flow that egress rules would close if policyTypes did not leave Egress out.
    `ip_block_of_pods`: a pod that an ipBlock over the pod network would let in, and nothing else.
    `loopback`: a pod to its own address, under a policy that closes everything.
    `host_to_pod`: the pod's own node to a pod whose ingress is closed (the kubelet's probes).
    `pod_to_host`: a pod whose egress is closed to its own node.
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


CALICO = CniProfile(
    name="calico",
    denied=TIMEOUT,
    established=KEPT,
    unserved_port=REFUSED,
    rules_left_out=CONNECTED,
    ip_block_of_pods=CONNECTED,
    loopback=CONNECTED,
    host_to_pod=CONNECTED,
    pod_to_host=TIMEOUT,
)
CILIUM = CniProfile(
    name="cilium",
    denied=TIMEOUT,
    established=CUT,
    unserved_port=TIMEOUT,
    rules_left_out=TIMEOUT,
    ip_block_of_pods=TIMEOUT,
    loopback=CONNECTED,
    host_to_pod=CONNECTED,
    pod_to_host=TIMEOUT,
)
PROFILES = {profile.name: profile for profile in (CALICO, CILIUM)}
LINES = tuple(field.name for field in fields(CniProfile) if field.name != "name")
PREFIX = "cni:"


def reading_of(line: str, cni: str, *, where: str) -> Reading:
    """What a CNI does, by the table's line.

    Raises:
        OutcomeTableError: the table has no such line.
    """
    if line not in LINES:
        raise OutcomeTableError(
            f"`{PREFIX}{line}` is no line of CniProfile",
            where=where,
            seen=f"known: {', '.join(LINES)}",
        )
    found = getattr(PROFILES[cni], line)
    assert isinstance(found, Reading)  # noqa: S101 - by the dataclass's types
    return found
