"""Whom label selectors and peers select, answered for all ends at once.

Every end of a flow has a number, and a set of ends is an int whose bit N means the end N. A label
is then one such set, a requirement a union or a complement of sets, and a peer an intersection. So
the cost of a policy does not grow with the number of flows that are asked about.

The rules are those of the API reference (LabelSelector, NetworkPolicyPeer, NetworkPolicyPort) and,
for entities and names, of Cilium 1.20.2 (pkg/policy/api: entity.go, egress.go).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.fqdn import matches
from harness.core.model import (
    Entity,
    External,
    IPBlock,
    Labels,
    Namespace,
    Network,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Selector,
)

End = Pod | External
Mask = int

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace (KEP-2161, Kubernetes 1.21)."""


@dataclass(frozen=True, slots=True)
class Match:
    """The ends that match for certain, and the ends whose unknown address would decide (`open`)."""

    certain: Mask
    open: Mask = 0

    def __or__(self, other: Match) -> Match:
        certain = self.certain | other.certain
        return Match(certain, (self.open | other.open) & ~certain)

    def __and__(self, mask: Mask) -> Match:
        return Match(self.certain & mask, self.open & mask)


NOBODY = Match(0)


def selects(selector: Selector, labels: Labels) -> bool:
    """Whether a label selector matches; one without requirements matches everything."""
    return all(_holds(requirement, labels) for requirement in selector.requirements)


def _holds(requirement: Requirement, labels: Labels) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case Operator.IN:
            return value in requirement.values
        case Operator.NOT_IN:
            # A missing label is not in any set of values (labels documentation).
            return value not in requirement.values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None


class Crowd:
    """The ends of a topology, and the sets of them that selectors, peers and port names pick.

    `learns_names` says whether some pod's lookups go through Cilium's DNS proxy. If none do, names
    pick nobody.
    """

    def __init__(
        self,
        ends: Sequence[End],
        namespaces: Mapping[str, Namespace],
        *,
        learns_names: bool = False,
    ) -> None:
        self.ends = tuple(ends)
        # By identity: hashing a pod would cost more than all the rest of a verdict.
        self.numbers = {id(end): number for number, end in enumerate(self.ends)}
        self._learns_names = learns_names
        self.everyone: Mask = (1 << len(self.ends)) - 1
        self.pods: Mask = 0
        self.on_host_network: Mask = 0
        self._spaces: dict[str, Mask] = defaultdict(int)
        self._labels: dict[tuple[str, str], Mask] = defaultdict(int)
        self._keys: dict[str, Mask] = defaultdict(int)
        self._ports: dict[tuple[str, Protocol, int], Mask] = defaultdict(int)
        for number, end in enumerate(self.ends):
            if isinstance(end, Pod):
                self._take_in(end, 1 << number)
        # Pods on the host network have their node's identity: no policy speaks of them for certain.
        self._entities = {
            Entity.WORLD: self.everyone & ~self.pods,
            Entity.CLUSTER: self.pods,
            Entity.HOST: self.on_host_network,
            Entity.ALL: self.everyone,
            Entity.NONE: 0,
        }
        # A namespace that no manifest declares has the one label that all have.
        declared = {name: namespaces[name].labels for name in self._spaces if name in namespaces}
        self._space_labels = {name: {NAME_LABEL: name} for name in self._spaces} | declared

    def _take_in(self, pod: Pod, bit: Mask) -> None:
        self.pods |= bit
        self.on_host_network |= bit if pod.host_network else 0
        self._spaces[pod.namespace] |= bit
        for key, value in pod.labels.items():
            self._labels[key, value] |= bit
            self._keys[key] |= bit
        for port in pod.ports:
            self._ports[port.name, port.protocol, port.number] |= bit

    def bit(self, end: End) -> Mask:
        """The set that has this end alone; the end must be one of `ends`, not an equal one."""
        return 1 << self.numbers[id(end)]

    def selected_by(self, policy: NetworkPolicy) -> Mask:
        """The pods that a policy selects: those of its namespace that its podSelector picks."""
        return self._spaces.get(policy.namespace, 0) & self._pods(policy.pod_selector)

    def peer(self, peer: Peer, home: str) -> Match:
        """The ends that an entry of from or to picks; `home` is its policy's namespace."""
        if peer.ip_block is not None:
            return self._block(peer.ip_block)
        if peer.entity is not None:
            return Match(self._entities[peer.entity])
        if peer.fqdn:
            return Match(self._named(peer.fqdn))
        if peer.namespace_selector is None:
            found = self._spaces.get(home, 0)
        else:
            found = sum(
                mask  # namespaces are disjoint, so their sum is their union
                for name, mask in self._spaces.items()
                if selects(peer.namespace_selector, self._space_labels[name])
            )
        return Match(found & self._pods(peer.pod_selector or Selector()))

    def receivers(self, ports: Sequence[PortRule], port: int, protocol: Protocol) -> Mask:
        """The receivers for which a rule's ports cover this port; no ports cover every port."""
        if not ports:
            return self.everyone
        found = 0
        for entry in ports:
            found |= self._listening(entry, port, protocol)
        return found

    def _listening(self, rule: PortRule, port: int, protocol: Protocol) -> Mask:
        """The receivers for which one entry covers this port.

        A name means the port that the receiving pod calls so; nothing outside of the cluster has
        names of ports.
        """
        if rule.protocol not in (None, protocol):
            return 0
        match rule.port:
            case None:
                return self.everyone
            case int():
                return self.everyone if rule.port <= port <= (rule.end_port or rule.port) else 0
            case str():
                return self._ports.get((rule.port, protocol, port), 0)

    def _pods(self, selector: Selector) -> Mask:
        found = self.pods
        for requirement in selector.requirements:
            found &= self._requirement(requirement)
        return found

    def _requirement(self, requirement: Requirement) -> Mask:
        match requirement.operator:
            case Operator.IN:
                return self._any_of(requirement)
            case Operator.NOT_IN:
                return ~self._any_of(requirement)
            case Operator.EXISTS:
                return self._keys.get(requirement.key, 0)
            case Operator.DOES_NOT_EXIST:
                return ~self._keys.get(requirement.key, 0)

    def _any_of(self, requirement: Requirement) -> Mask:
        found = 0
        for value in requirement.values:
            found |= self._labels.get((requirement.key, value), 0)
        return found

    def _named(self, pattern: str) -> Mask:
        """The ends outside of the cluster whose address belongs to a name of this pattern.

        Cilium learns the addresses from DNS answers and enforces by address, so every
        name at that address is open. Addresses inside of the cluster do not count (cilium,
        pkg/policy/api/egress.go, ToFQDNs).
        """
        if not self._learns_names:
            return 0
        outside = [(n, end) for n, end in enumerate(self.ends) if isinstance(end, External)]
        learned = {end.ip for _, end in outside if matches(pattern, end.name)}
        return sum(1 << number for number, end in outside if end.ip in learned)

    def _block(self, block: IPBlock) -> Match:
        certain = unknown = 0
        for number, end in enumerate(self.ends):
            if block.outside_only and isinstance(end, Pod):
                continue
            if end.ip is None:
                unknown |= 1 << number
            elif in_block(block, end):
                certain |= 1 << number
        return Match(certain, unknown)


def in_block(block: IPBlock, end: End) -> bool:
    """Whether an end's known address is inside of a block and outside of all that is cut out."""
    return within(end, block.cidr) and not any(within(end, cut) for cut in block.except_)


def within(end: End, network: Network) -> bool:
    """Whether an end's known address is in a network; no IPv4 address is in an IPv6 one."""
    # `in` is False across versions (ipaddress documentation), so no check of the version here.
    return end.ip is not None and end.ip in network
