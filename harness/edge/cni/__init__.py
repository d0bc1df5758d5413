"""What a CNI must tell, so that a cluster of ours can be given it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

from harness.core.model import Direction
from harness.core.target import PodRef

POD_CIDR = "10.244.0.0/16"
API_PORT = 6443


class Cni(Protocol):
    """One CNI."""

    @property
    def name(self) -> str:
        """Its name in options and results."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def daemon_set(self) -> str:
        """The DaemonSet in kube-system that is ready when the CNI is."""
        ...

    def manifests(self, *, control_plane: str) -> str:
        """The YAML that installs it; `control_plane` is the node's name, where the API is found."""
        ...


def rendered(name: str, values: Mapping[str, str]) -> str:
    """A template of this folder with its ${...} filled in."""
    text = files("harness.edge.cni").joinpath(name).read_text(encoding="utf-8")
    # Not string.Template: the text has $ of its own in comments and shell lines.
    for key, value in values.items():
        text = text.replace("${" + key + "}", value)
    return text


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


Drops = Mapping[tuple[PodRef, Direction], Dropped]


class DropCounter(Protocol):
    """A CNI's own account of what it drops: the witness of a diagnosis.

    Read before and after a probe, the end whose number has grown is where the packets went.
    """

    def read(self, pods: Collection[PodRef]) -> Drops:
        """Both ends of each of these pods.

        Raises:
            ProbeError: the CNI does not tell, or not of one of the pods.
        """
        ...
