"""A CNI's own account of the packets that it drops: the witness of a diagnosis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.core.model import Direction
from harness.edge.api.livenames import LivePod


@dataclass(frozen=True, slots=True)
class Dropped:
    """What policies dropped at one end of a pod: packets so far, a number that only grows.

    `policies` are those by which the CNI judges the packets there, as `namespace/name`. `by_port`
    are the packets by the port that they came from, where the CNI tells.
    """

    packets: int
    policies: tuple[str, ...] = ()
    by_port: Mapping[int, int] | None = None

    def since(self, before: Dropped, ports: Collection[int]) -> int:
        """How many packets more than before; if the CNI tells, of those from these ports."""
        if self.by_port is None:
            return self.packets - before.packets
        known = before.by_port or {}
        return sum(self.by_port.get(port, 0) - known.get(port, 0) for port in ports)


Drops = Mapping[tuple[LivePod, Direction], Dropped]


class DropCounter(Protocol):
    """A reader of the CNI's account.

    Read before and after a probe, the end whose number has grown is where the packets went.
    """

    def read(self, pods: Collection[LivePod]) -> Drops:
        """Both ends of each of these pods.

        Raises:
            ProbeError: the CNI does not tell, or not of one of the pods.
        """
        ...
