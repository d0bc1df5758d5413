"""A CNI's own count of the packets that it drops, which confirms a diagnosis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.core.model import Direction, PodRef
from harness.edge.api.livenames import LivePod


@dataclass(frozen=True, slots=True)
class Dropped:
    """The packets that policies dropped in one direction of a pod.

    Attributes:
        packets: the number of packets so far; it only grows.
        policies: the policies that the CNI applies to these packets, as `namespace/name`.
        by_port: the packets by their source port; empty if the CNI does not report ports.
    """

    packets: int
    policies: tuple[str, ...] = ()
    by_port: Mapping[int, int] | None = None

    def since(self, before: Dropped, ports: Collection[int]) -> int:
        """The number of new packets; if the CNI reports ports, only packets from these ports."""
        if self.by_port is None:
            return self.packets - before.packets
        known = before.by_port or {}
        return sum(self.by_port.get(port, 0) - known.get(port, 0) for port in ports)


Drops = Mapping[tuple[LivePod, Direction], Dropped]


class DropCounter(Protocol):
    """A reader of the CNI's count.

    The count is read before and after a probe. The packets were dropped at the end whose number has
    grown.
    """

    def read(self, pods: Collection[LivePod]) -> Drops:
        """The count of both directions of each of these pods.

        Raises:
            ProbeError: the CNI gives no count, or none for one of the pods.
        """
        ...

    def tell(self, pods: Collection[PodRef]) -> Mapping[str, str]:
        """The rules for these pods and the log of their agents, as files by their names.

        They are for a person who looks into a flow that went otherwise than expected.

        Raises:
            ProbeError: the CNI does not answer.
        """
        ...
