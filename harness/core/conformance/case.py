"""A conformance case: what is on the cluster, and which flows must pass then.

Names are short (`red/a`), because a run puts each case into namespaces of its own
(`harness.core.conformance.placing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from harness.core.conformance.row import Level
from harness.core.model import ContainerPort, Labels, Protocol
from harness.core.target.ask import Ask

HOST_PORTS = range(20_000, 20_010)
"""The ports of pods in their node's network, which no other pod may have.

Each set of namespaces moves them to numbers of its own, for a port of a node is there only once
(`harness.core.conformance.placing`). They are below the ports that a kernel gives to clients, and
below those of Services at nodes.
"""


@dataclass(frozen=True, slots=True)
class CasePod:
    """A pod of a case. Its prober answers on every port that it declares.

    Attributes:
        labels: its labels.
        ports: the ports that it declares.
        host_network: whether it is in the network of its node; then its ports are of `HOST_PORTS`.
        address_of: the pod that has ended whose address it asks for, as NAMESPACE/NAME; empty for
            any address. Not every CNI can be asked.
    """

    labels: Labels
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    address_of: str = ""

    def is_same(self, later: CasePod | None) -> bool:
        """Whether a running pod can become that one; all but its labels must be equal."""
        return later is not None and replace(self, labels=later.labels) == later


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is on the cluster in one state of a case.

    Attributes:
        namespaces: the labels of each namespace, by its name.
        pods: the pods, by NAMESPACE/NAME.
        services: the spec of each Service as a manifest has it, by NAMESPACE/NAME.
    """

    namespaces: Mapping[str, Labels]
    pods: Mapping[str, CasePod]
    services: Mapping[str, Mapping[str, Any]]


class Said(StrEnum):
    """What a case says of a flow: it passes, it is dropped, or the API leaves it open."""

    ALLOW = "allow"
    DENY = "deny"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True)
class State:
    """One state of the cluster; the states of a case follow each other.

    Attributes:
        does: what was done to come here, in a sentence; empty for the first state.
        cast: who is there.
        policies: the policies in force, as manifests have them, in the case's short names.
        expected: what the case says of each flow: every pod to each declared port of every other
            pod, and the flows to Services and to the outside that the case names.
        opens: the flows over which a connection is opened in this state. It stays open, and is
            asked for an answer in every later state: one that policies have allowed all along must
            live on, and what happens to another one the API leaves open.
        ends: the pods that ended before this state. They are no more in the cast, and stay as
            objects with their labels, as a Job's pods do; the CNI may give their addresses away.
    """

    does: str
    cast: Cast
    policies: tuple[Mapping[str, Any], ...]
    expected: Mapping[Ask, Said]
    opens: tuple[Ask, ...] = ()
    ends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a CNI must do.

    Attributes:
        name: the case's name: that of its file.
        about: what must be so, in one sentence.
        source: where that is written: an address of the API reference, a KEP or an issue.
        level: what it asks for.
        features: the tags (`harness.core.conformance.features`).
        topology: the name of the topology that it begins with.
        states: the states, in their order; at least one.
        text: the case as its file has it.
    """

    name: str
    about: str
    source: str
    level: Level
    features: tuple[str, ...]
    topology: str
    states: tuple[State, ...]
    text: str

    @property
    def asks_for_addresses(self) -> bool:
        """Whether a pod of it asks for an address."""
        return any(pod.address_of for state in self.states for pod in state.cast.pods.values())

    @property
    def sends_sctp(self) -> bool:
        """Whether a flow of it is SCTP, which not every kernel has."""
        return any(
            port.protocol is Protocol.SCTP
            for state in self.states
            for pod in state.cast.pods.values()
            for port in pod.ports
        )
