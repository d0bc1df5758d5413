"""A submission on a cluster: who is started there, and which questions show which flows.

A cluster cannot show all flows of an assignment's world: nobody starts the next pod of each kind,
and nothing of ours asks from outside. What it can show is compared, flow by flow, with what the
oracle says of the very pods that run there. The marks come from the world of the assignment, which
is the same for everybody, so that no address or number that a cluster happens to draw counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import ip_address

from harness.core.compare.world import rules_of
from harness.core.grading.model import Got, Heard, Submission, Want
from harness.core.grading.world import (
    ELSEWHERE,
    KUBE_SYSTEM,
    LIKE,
    NO_LABELS,
    OTHER_LABELS,
    World,
)
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import Resource, parse, policies_of
from harness.core.model import Address, External, IPBlock, Peer, Pod, PodRef, Protocol
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading, Verdict
from harness.core.policy.fqdn import matches
from harness.core.policy.selectors import NAME_LABEL
from harness.core.predict.enforced import policies_as_enforced
from harness.core.predict.scenario import Scenario
from harness.core.predict.settle import KNOWN_NAME
from harness.core.predict.surroundings import NAME_SERVERS
from harness.core.probe.container import prober_container
from harness.core.probe.judge import verdict
from harness.core.target import INTERNET, DnsQuery, ExternalPort, NamePort, PodPort, Target
from harness.core.target.ask import Ask

DNS_PORT = 53
_ASKED = frozenset({Protocol.TCP, Protocol.UDP})
_SHUT = frozenset({Outcome.TIMEOUT, Outcome.DNS_TIMEOUT, Outcome.DNS_REFUSED})
_GOT = {Verdict.ALLOW: Got.OPEN, Verdict.DENY: Got.CLOSED, None: Got.NO_VERDICT}


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on the cluster.

    `pods` are the pods that were started, by the names that the assignment gives them, with the
    addresses and labels that they got. `servers` are the addresses of the cluster's name servers.
    `outside` maps names outside to the addresses at which they are found; empty: there are none.
    """

    pods: Mapping[str, Pod]
    servers: tuple[Address, ...] = ()
    outside: Mapping[str, Address] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A question to the cluster that shows a flow, and the reading that the oracle expects."""

    ask: Ask
    expected: Reading

    @property
    def open(self) -> bool:
        """Whether the flow must pass."""
        return self.expected.outcome not in _SHUT


def cast_of(world: World) -> tuple[Resource, ...]:
    """What is started on a cluster: the workloads, and the witnesses that cost little.

    They are a pod without labels and one with other labels in each namespace of the assignment; a
    client in the grader's own namespace without labels, and with those of each sender that a row
    names; and the witnesses that a row names as senders, or that the assignment wants live.
    """
    assignment = world.assignment
    wanted = {str(witness.ref) for witness in assignment.witnesses if witness.live}
    for space in assignment.namespaces:
        wanted |= {f"{space}/{NO_LABELS}", f"{space}/{OTHER_LABELS}"}
    wanted.add(f"{ELSEWHERE}/{NO_LABELS}")
    for row in assignment.rows:
        if row.want is Want.OPEN:
            wanted |= {text for text in row.sources if not text.startswith(f"{KUBE_SYSTEM}/")}
            wanted |= {f"{ELSEWHERE}/{LIKE}{text.partition('/')[2]}" for text in row.sources}
    pods = world.topology.pods
    added = [pods[name] for name in sorted(wanted - world.deployed) if name in pods]
    declared = {r.name for r in assignment.workloads if r.kind == "Namespace"}
    spaces = sorted({pod.namespace for pod in added} - declared)
    bodies = [_space(name, world.topology.namespaces[name].labels) for name in spaces]
    bodies += map(_pod, added)
    made = (one for body in bodies for one in parse(json.dumps(body), origin="a witness"))
    return (*assignment.workloads, *made)


def got_of(seen: Observation) -> Got:
    """What an observation says of the flow. A refusal by the receiver is OPEN."""
    return Got.CLOSED if seen.reading.outcome in _SHUT else _GOT[verdict(seen)]


class Checks:
    """The questions that show a submission's flows on a cluster, as one CNI enforces policies."""

    def __init__(
        self, world: World, submission: Submission, profile: CniProfile, standing: Standing
    ) -> None:
        self._world, self._standing = world, standing
        self._policies = policies_as_enforced(policies_of(submission.resources), profile)
        self._resources = (*world.resources, *submission.resources)

    @cached_property
    def _scenario(self) -> Scenario:
        """The state on the cluster: what stands there is known, and all else is as it was drawn."""
        drawn = self._world.topology
        pods = dict(drawn.pods)
        for name, live in self._standing.pods.items():
            pods[name] = replace(pods[name], ip=live.ip, labels=live.labels, hidden=frozenset())
        if self._standing.servers:
            for pod in drawn.behind(drawn.services[NAME_SERVERS]):
                if pod.namespace == "kube-system":
                    pods[str(pod)] = replace(pod, ip=self._standing.servers[0])
        found = {n: External(n, ip) for n, ip in (self._standing.outside or {}).items()}
        topology = replace(drawn, pods=pods, external={**drawn.external, **found})
        return Scenario(self._resources, topology=topology, policies=self._policies)

    @cached_property
    def _blocks(self) -> Sequence[IPBlock]:
        return [peer.ip_block for peer in self._peers if peer.ip_block]

    @cached_property
    def _names(self) -> Sequence[str]:
        return [peer.fqdn for peer in self._peers if peer.fqdn]

    @cached_property
    def _peers(self) -> Sequence[Peer]:
        return [
            peer for policy in self._policies for rule in rules_of(policy) for peer in rule.peers
        ]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names outside that the questions look up: those of the assignment that a rule names.

        Any other is asked at its address, so that nobody learns where its name leads.
        """
        assignment = self._world.assignment
        spoken = {*assignment.outside, *(target.name for target in self._world.names)}
        there = spoken & (self._standing.outside or {}).keys()
        return frozenset(filter(self._let_pass, there))

    def _let_pass(self, name: str) -> bool:
        return any(matches(pattern, name) for pattern in self._names)

    def of(self, flow: Heard) -> Check | None:
        """The question that shows a flow; None: the cluster cannot show it."""
        if flow.source not in self._standing.pods or flow.protocol not in _ASKED:
            return None
        target = self._target(flow)
        if target is None:
            return None
        namespace, _, name = flow.source.partition("/")
        ask = Ask(PodRef(namespace, name), target)
        reading = self._scenario.predict(ask).reading
        return None if reading is None else Check(ask, reading)

    def _target(self, flow: Heard) -> Target | None:
        if flow.target.startswith("net/"):
            return self._outside(flow.target.removeprefix("net/"), flow.port, flow.protocol)
        namespace, _, name = flow.target.partition("/")
        if flow.target in self._standing.pods:
            return PodPort(PodRef(namespace, name), flow.port, flow.protocol)
        if flow.target in self._servers and flow.port == DNS_PORT and self._same_servers:
            return DnsQuery("A", KNOWN_NAME, tcp=flow.protocol is Protocol.TCP)
        return None

    @cached_property
    def _servers(self) -> frozenset[str]:
        drawn = self._world.topology
        return frozenset(map(str, drawn.behind(drawn.services[NAME_SERVERS])))

    @cached_property
    def _same_servers(self) -> bool:
        """A lookup goes to any name server, so that none may be told apart from the others."""
        first, *others = self._standing.servers or (None,)
        return first is not None and all(self._alike(first, other) for other in others)

    def _outside(self, name: str, port: int, protocol: Protocol) -> Target | None:
        """Something outside that no ipBlock tells apart from the one that is meant."""
        found = self._standing.outside or {}
        if protocol is not Protocol.TCP:
            return None
        if name in INTERNET:
            if name not in found or not self._alike(ip_address(INTERNET[name]), found[name]):
                return None
            if name in self.names:
                return NamePort(name, port)
            # Only a lookup opens an address that a rule means by its name.
            return None if self._let_pass(name) else ExternalPort(name, port, protocol)
        try:
            meant = ip_address(name)
        except ValueError:
            return None  # a name that nobody has, made up for a pattern
        for spare in self._unnamed:
            if spare in found and self._alike(meant, found[spare]):
                return ExternalPort(spare, port, protocol)
        return None

    @cached_property
    def _unnamed(self) -> Sequence[str]:
        """Names outside whose addresses no row and no rule speaks of by a name."""
        spoken = {*self._world.assignment.outside, *(target.name for target in self._world.names)}
        spoken |= set(filter(self._let_pass, INTERNET))
        taken = {INTERNET[name] for name in spoken}
        return [name for name, address in INTERNET.items() if address not in taken]

    def _alike(self, one: Address, other: Address) -> bool:
        return all(_holds(block, one) == _holds(block, other) for block in self._blocks)


def _holds(block: IPBlock, address: Address) -> bool:
    return address in block.cidr and not any(address in cut for cut in block.except_)


def _space(name: str, labels: Mapping[str, str]) -> Mapping[str, object]:
    own = {key: value for key, value in labels.items() if key != NAME_LABEL}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}


def _pod(pod: Pod) -> Mapping[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": pod.namespace, "labels": dict(pod.labels)},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [prober_container()],
        },
    }
