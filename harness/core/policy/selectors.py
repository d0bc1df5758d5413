"""Whom label selectors and peers select, answered for all ends at once.

Every end of a flow has a number, and a set of ends is an int whose bit N means the end N. A label
is then one such set, a requirement a union or a complement of sets, and a peer an intersection. So
the cost of a policy does not grow with the number of flows that are asked about.

The rules are those of the API reference (LabelSelector, NetworkPolicyPeer, NetworkPolicyPort) and,
for entities, names and Services, of Cilium 1.20.2 (pkg/policy/api: entity.go, egress.go;
pkg/policy/k8s/service.go). Where the answer hangs on a thing that is not known, it is open: an
address, the labels of a namespace that nobody declares, a label whose value a controller chooses,
and whether a pod on the host network counts as a pod or as its node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from ipaddress import IPv4Network
from operator import or_

from harness.core.model import (
    ECHO,
    ECHO_V6,
    Address,
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
    Service,
    ServiceRef,
)
from harness.core.policy.fqdn import matches

End = Pod | External
Mask = int

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace (KEP-2161, Kubernetes 1.21)."""
API_SERVER = "default/kubernetes"
"""The Service of the API server; the addresses behind it are those of the entity kube-apiserver."""
CILIUM_LABELS = "io.cilium."
"""The beginning of labels that Cilium itself gives: of a service account, a cluster and so on."""
ALL_IPV4 = IPv4Network("0.0.0.0/0")
_V6 = 6


@dataclass(frozen=True, slots=True)
class Match:
    """The ends that match for certain, and the ends of which something unknown decides (`open`).

    Of the ends in `some`, only a part of the requests matches, such as those of an HTTP rule.
    """

    certain: Mask
    open: Mask = 0
    some: Mask = 0

    def __or__(self, other: Match) -> Match:
        certain = self.certain | other.certain
        some = (self.some | other.some) & ~certain
        return Match(certain, (self.open | other.open) & ~certain & ~some, some)

    def __and__(self, mask: Mask) -> Match:
        return Match(self.certain & mask, self.open & mask, self.some & mask)

    def meet(self, other: Match) -> Match:
        """The ends that match both; of matches in part there are none here."""
        certain = self.certain & other.certain
        possible = (self.certain | self.open) & (other.certain | other.open)
        return Match(certain, possible & ~certain)

    def doubted(self, mask: Mask) -> Match:
        """The same, but for the ends of the set it is open."""
        hit = (self.certain | self.some) & mask
        return Match(self.certain & ~mask, self.open | hit, self.some & ~mask)

    def in_part(self) -> Match:
        """The same ends, but only a part of what they send."""
        return Match(0, self.open, self.some | self.certain)

    def without(self, denied: Match) -> Match:
        """The ends that are left when others are denied, whatever allows them."""
        hit = denied.open | denied.some
        sure = denied.certain | hit
        doubtful = (self.certain | self.some) & hit
        return Match(
            self.certain & ~sure,
            (self.open | doubtful) & ~denied.certain,
            self.some & ~sure,
        )


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

    `learners` are the pods whose lookups go through Cilium's DNS proxy: rules by name pick
    something for them alone. It is set by the oracle, which knows the policies. `nodes_apart`: pods
    on the host network are no pods, but nodes; else whether they are is open (`doubtful`).
    """

    def __init__(
        self,
        ends: Sequence[End],
        namespaces: Mapping[str, Namespace],
        services: Mapping[str, Service] | None = None,
        *,
        nodes_apart: bool = False,
    ) -> None:
        self.ends = tuple(ends)
        self._services = services or {}
        self._nodes_apart = nodes_apart
        # By identity: hashing a pod would cost more than all the rest of a verdict.
        self.numbers = {id(end): number for number, end in enumerate(self.ends)}
        self.everyone: Mask = (1 << len(self.ends)) - 1
        self.pods: Mask = 0
        self.on_host_network: Mask = 0
        self.learners: Mask = 0
        self._six: Mask = 0
        self._spaces: dict[str, Mask] = defaultdict(int)
        self._labels: dict[tuple[str, str], Mask] = defaultdict(int)
        self._keys: dict[str, Mask] = defaultdict(int)
        self._hidden: dict[str, Mask] = defaultdict(int)
        self._ports: dict[tuple[str, Protocol, int], Mask] = defaultdict(int)
        for number, end in enumerate(self.ends):
            self._six |= (1 << number) if end.ip is not None and end.ip.version == _V6 else 0
            if isinstance(end, Pod):
                self._take_in(end, 1 << number)
        self._namespaces = {name: namespaces[name] for name in self._spaces if name in namespaces}
        self.doubtful: Mask = 0 if nodes_apart else self.on_host_network
        self._entities = self._places()

    def _take_in(self, pod: Pod, bit: Mask) -> None:
        if pod.host_network:
            self.on_host_network |= bit
            if self._nodes_apart:
                return
        self.pods |= bit
        self._spaces[pod.namespace] |= bit
        for key, value in pod.labels.items():
            self._labels[key, value] |= bit
            self._keys[key] |= bit
        for key in pod.hidden:
            self._hidden[key] |= bit
        for port in pod.ports:
            self._ports[port.name, port.protocol, port.number] |= bit

    def _places(self) -> dict[Entity, Match]:
        """Who is at which place. A pod on the host network is at its node's, own or not."""
        api = self._services.get(API_SERVER)
        servers = self._at({endpoint.ip for endpoint in api.endpoints} if api else set())
        inside = self.pods | servers | self.on_host_network
        host = Match(0, self.on_host_network)
        nobody = (Entity.INGRESS, Entity.HEALTH, Entity.INIT, Entity.UNMANAGED, Entity.NONE)
        return dict.fromkeys(nobody, NOBODY) | {
            Entity.ALL: Match(self.everyone),
            Entity.WORLD: Match(self.everyone & ~inside),
            Entity.CLUSTER: Match(inside),
            Entity.CLUSTER_MESH: Match(inside),
            Entity.HOST: host,
            Entity.REMOTE_NODE: host,
            Entity.KUBE_APISERVER: Match(servers, self.on_host_network),
        }

    def _at(self, addresses: set[Address]) -> Mask:
        outside = (
            1 << number
            for number, end in enumerate(self.ends)
            if isinstance(end, External) and end.ip in addresses
        )
        return reduce(or_, outside, 0)

    def bit(self, end: End) -> Mask:
        """The set that has this end alone; the end must be one of `ends`, not an equal one."""
        return 1 << self.numbers[id(end)]

    def members(self, namespace: str) -> Mask:
        """The pods of a namespace; without a name, all pods."""
        return self._spaces.get(namespace, 0) if namespace else self.pods

    def selected_by(self, policy: NetworkPolicy) -> Mask:
        """The pods that a policy selects for certain."""
        return self.selection(policy).certain

    def selection(self, policy: NetworkPolicy) -> Match:
        """The pods that a policy selects: those of its namespace that its podSelector picks."""
        home = Match(self.members(policy.namespace))
        if policy.namespace_selector is not None:
            home = home.meet(self._in_spaces(policy.namespace_selector))
        return home.meet(self._pods(policy.pod_selector))

    def peer(self, peer: Peer, home: str) -> Match:
        """The ends that an entry of from or to picks; `home` is its policy's namespace.

        A name picks addresses for everybody here: that it does so for `learners` alone is the
        oracle's affair.
        """
        if peer.unread:
            return Match(0, self.everyone & ~self.pods & ~self.on_host_network)
        if peer.ip_block is not None:
            return self._block(peer.ip_block)
        if peer.entity is not None:
            return self._entities[peer.entity]
        if peer.fqdn:
            return Match(self._named(peer.fqdn))
        if peer.service is not None:
            return self._behind(peer.service)
        spaces = Match(self.members(home))
        if peer.namespace_selector is not None:
            spaces = self._in_spaces(peer.namespace_selector)
        found = spaces.meet(self._pods(peer.pod_selector or Selector()))
        return found.doubted(self.doubtful)

    def unknown(self, peer: Peer, home: str, end: End) -> Iterator[str]:
        """What would have to be known to say whether a peer picks an end, in words."""
        if not self.peer(peer, home).open & self.bit(end):
            return
        if peer.unread:
            yield peer.unread
        elif peer.service is not None:
            yield f"the Service {peer.service.namespace or '*'}/{peer.service.name or '*'}"
        elif isinstance(end, Pod) and end.host_network:
            yield f"whether {end}, which is on the host network, counts as a pod or as its node"
        elif peer.ip_block is not None:
            yield f"the address of {end}"
        elif isinstance(end, Pod):
            if peer.namespace_selector and end.namespace not in self._namespaces:
                yield f"the labels of the namespace {end.namespace}, which nothing declares"
            yield from self._hidden_keys(peer.pod_selector or Selector(), end)

    def unsure_about(self, end: End, policy: NetworkPolicy) -> Iterator[str]:
        """What would have to be known to say whether a policy selects a pod, in words."""
        home = Peer(policy.pod_selector, policy.namespace_selector)
        if isinstance(end, Pod):
            yield from self.unknown(home, policy.namespace, end)

    def _hidden_keys(self, selector: Selector, pod: Pod) -> Iterator[str]:
        for requirement in selector.requirements:
            if requirement.key in pod.hidden or requirement.key.startswith(CILIUM_LABELS):
                yield f"the value of the label {requirement.key} of {pod}"

    def receivers(self, ports: Sequence[PortRule], port: int, protocol: Protocol) -> Mask:
        """The receivers for which a rule's ports cover this port; no ports cover every port."""
        if not ports:
            return self.everyone
        found = 0
        for entry in ports:
            found |= self.listening(entry, port, protocol)
        return found

    def listening(self, rule: PortRule, port: int, protocol: Protocol) -> Mask:
        """The receivers for which one entry covers this port.

        A name means the port that the receiving pod calls so; nothing outside of the cluster has
        names of ports.
        """
        if protocol is Protocol.ICMP:
            return self._pinged(rule)
        if rule.protocol not in (None, protocol):
            return 0
        match rule.port:
            case None:
                return self.everyone
            case int():
                return self.everyone if rule.port <= port <= (rule.end_port or rule.port) else 0
            case str():
                return self._ports.get((rule.port, protocol, port), 0)

    def _pinged(self, rule: PortRule) -> Mask:
        """The receivers of a ping; an end whose address is not known counts as one of IPv4."""
        if rule.protocol is not Protocol.ICMP:
            return 0
        six = self._six
        match rule.port:
            case int(kind) if kind == ECHO:
                return self.everyone & ~six
            case int(kind) if kind == ECHO_V6:
                return six
        return 0

    def _in_spaces(self, selector: Selector) -> Match:
        certain = unknown = 0
        for name, mask in self._spaces.items():
            declared = self._namespaces.get(name)
            if declared is not None:
                certain |= mask if selects(selector, declared.labels) else 0
                continue
            # Of a namespace that nothing declares, only the label that all have is known.
            known = [r for r in selector.requirements if r.key == NAME_LABEL]
            if selects(Selector(tuple(known)), {NAME_LABEL: name}):
                sure = len(known) == len(selector.requirements)
                certain, unknown = (certain | mask, unknown) if sure else (certain, unknown | mask)
        return Match(certain, unknown)

    def _pods(self, selector: Selector) -> Match:
        found = Match(self.pods)
        for requirement in selector.requirements:
            found = found.meet(self._requirement(requirement))
        return found

    def _requirement(self, requirement: Requirement) -> Match:
        if requirement.key.startswith(CILIUM_LABELS):
            return Match(0, self.pods)
        hidden = self._hidden.get(requirement.key, 0)
        match requirement.operator:
            case Operator.IN:
                return Match(self._any_of(requirement), hidden)
            case Operator.NOT_IN:
                return Match(~self._any_of(requirement) & ~hidden, hidden)
            case Operator.EXISTS:
                return Match(self._keys.get(requirement.key, 0) | hidden)
            case Operator.DOES_NOT_EXIST:
                return Match(~(self._keys.get(requirement.key, 0) | hidden))

    def _any_of(self, requirement: Requirement) -> Mask:
        found = 0
        for value in requirement.values:
            found |= self._labels.get((requirement.key, value), 0)
        return found

    def _named(self, pattern: str) -> Mask:
        """The ends outside of the cluster whose address belongs to a name of this pattern.

        Cilium learns the addresses from DNS answers and enforces by address, so every name at
        that address is open. Addresses inside of the cluster do not count (cilium,
        pkg/policy/api/egress.go, ToFQDNs).
        """
        outside = [end for end in self.ends if isinstance(end, External)]
        meant = [end for end in outside if matches(pattern, end.name)]
        nameless = reduce(or_, (self.bit(end) for end in meant if end.ip is None), 0)
        return self._at({end.ip for end in meant if end.ip is not None}) | nameless

    def _behind(self, ref: ServiceRef) -> Match:
        """The pods and addresses behind Services; open for all if no Service is known there."""
        found = [
            service
            for service in self._services.values()
            if ref.namespace in ("", service.namespace)
            and (not ref.name or service.name == ref.name)
            and (ref.selector is None or selects(ref.selector, service.labels))
        ]
        if not found:
            return Match(0, self.everyone)
        pods = (
            1 << number
            for number, end in enumerate(self.ends)
            if isinstance(end, Pod) and any(service.selects(end) for service in found)
        )
        addresses = {e.ip for service in found for e in service.endpoints if not service.selector}
        behind = reduce(or_, pods, 0) | self._at(addresses)
        return Match(behind).doubted(self.on_host_network)

    def _block(self, block: IPBlock) -> Match:
        certain = unknown = 0
        for number, end in enumerate(self.ends):
            if block.outside_only and isinstance(end, Pod):
                continue
            if end.ip is None:
                # Of an unknown address we assume what is outside of clusters here: IPv4.
                sure = isinstance(end, External) and block.cidr == ALL_IPV4 and not block.except_
                certain, unknown = (
                    (certain | 1 << number, unknown) if sure else (certain, unknown | 1 << number)
                )
            elif in_block(block, end):
                certain |= 1 << number
        if block.outside_only:  # Cilium knows its API server by another name than its address
            certain &= self._entities[Entity.WORLD].certain
        return Match(certain, unknown).doubted(self.on_host_network)


def in_block(block: IPBlock, end: End) -> bool:
    """Whether an end's known address is inside of a block and outside of all that is cut out."""
    return within(end, block.cidr) and not any(within(end, cut) for cut in block.except_)


def within(end: End, network: Network) -> bool:
    """Whether an end's known address is in a network; no IPv4 address is in an IPv6 one."""
    # `in` is False across versions (ipaddress documentation), so no check of the version here.
    return end.ip is not None and end.ip in network
