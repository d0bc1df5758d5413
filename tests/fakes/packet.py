"""A packet's way through the fake network, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.model import Direction, NetworkPolicy
from harness.core.observation import Phase

PodKey = tuple[str, str]
"""A pod by its namespace and its live name; two empty texts for what is no pod."""

NOBODY: PodKey = ("", "")

Policies = tuple[NetworkPolicy, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """The policies that a CNI has programmed, from a moment of the cluster's clock on."""

    since: float
    policies: Policies


@dataclass(frozen=True, slots=True)
class Drop:
    """A packet that policies dropped at one end of a pod; `port` is the one that it came from."""

    at: float
    pod: PodKey
    direction: Direction
    source: PodKey
    target: PodKey
    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class Packet:
    """What is sent: by which pod, over what (tcp, udp, sctp, icmp), and to whom it comes at last.

    `target` is the pod behind the address, after a Service's translation; `at` the moment in s.
    `probe`: a prober sent it, and not one of the tutorial's own programs. `at_node`: it was sent to
    the port of a node that stands for a Service.
    """

    source: PodKey
    protocol: str
    address: str
    port: int
    payload: bytes
    at: float
    target: PodKey = NOBODY
    probe: bool = True
    at_node: bool = False


@dataclass(frozen=True, slots=True)
class Met:
    """What the sender sees: how far its socket comes, after how many ms, and what it receives.

    `dropped` is the side whose policies dropped the packet; None if none did.
    """

    phase: Phase
    ms: float = 0.3
    data: bytes = b""
    dropped: Direction | None = None
