"""A state's policies as one CNI enforces them, by its line of the table of CNI differences.

Where the API leaves a flow open, each CNI has an answer all the same. What is added here to the
table: a pod on the host network is its node, a rule without ports is for every protocol, and a pod
whose address is not known has a private one, as pods have by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, ip_address

from harness.core.lab.profile import CONNECTED, CniProfile
from harness.core.model import (
    CILIUM_POLICY,
    CLUSTERWIDE_POLICY,
    Direction,
    IPBlock,
    NetworkPolicy,
    Pod,
    Rule,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.policy.selectors import End
from harness.core.target.ask import Flow

_PRIVATE = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""The networks from which pods get their addresses (RFC 1918, RFC 6598)."""
_SOME_ADDRESS = ip_address("10.0.0.1")


@dataclass(frozen=True, slots=True)
class Enforced:
    """A state as one CNI enforces it: its oracle knows some ends better than the API's does.

    `departs`: the CNI may have another answer also where the API has one, because it reads a policy
    in another way, or counts a pod as its node. Else it only knows more.
    """

    profile: CniProfile
    oracle: Oracle
    departs: bool
    # By identity, with the end itself: hashing a pod would cost more than the verdict.
    _known: dict[int, tuple[End, End]] = field(default_factory=dict)

    def flow(self, flow: Flow) -> Flow:
        """The same flow between the ends as this oracle has them."""
        source, target = self._mine(flow.source), self._mine(flow.target)
        return replace(flow, source=source, target=target)

    def other_than(self, verdict: Verdict, flows: Sequence[Flow]) -> str:
        """The CNI's verdict of flows in words, if it is known and not this one; else nothing."""
        if verdict is not Verdict.UNDEFINED and not self.departs:
            return ""
        mine = [self.flow(flow) for flow in flows]
        found = {self.oracle.verdict(flow) for flow in mine}
        if len(found) != 1 or found <= {verdict, Verdict.UNDEFINED}:
            return ""
        return in_words(found.pop(), mine, self.profile)

    def _mine(self, end: End) -> End:
        found = self._known.get(id(end))
        if found is None:
            mine = self.oracle.topology.pods.get(str(end), end) if isinstance(end, Pod) else end
            found = self._known[id(end)] = end, mine
        return found[1]


def as_enforced(
    topology: Topology, policies: Iterable[NetworkPolicy], profile: CniProfile
) -> Enforced | None:
    """The state as the CNI enforces it; None if some policy is of a kind that it ignores.

    Then the policies were not written for this CNI, and its answer would tell nothing.
    """
    kinds = profile.kinds | ({CLUSTERWIDE_POLICY} if CILIUM_POLICY in profile.kinds else set())
    policies = tuple(policies)
    found = policies_as_enforced(policies, profile)
    if not {policy.kind for policy in found} <= kinds:
        return None
    oracle = Oracle(
        _addressed(topology, found),
        found,
        nodes_apart=True,
        any_protocol=True,
        hairpin=profile.hairpin_verdict,
    )
    departs = found != tuple(policies) or any(p.host_network for p in topology.pods.values())
    return Enforced(profile, oracle, departs)


def policies_as_enforced(
    policies: Iterable[NetworkPolicy], profile: CniProfile
) -> tuple[NetworkPolicy, ...]:
    """The policies in the words of the API, so that they say what the CNI makes of them."""
    return tuple(_enforced(policy, profile) for policy in policies)


def in_words(verdict: Verdict, flows: Sequence[Flow], profile: CniProfile) -> str:
    """The CNI's answer to flows that come to one verdict; the pod's own node has a way of its own.

    The kubelet must reach the pods of its node, so CNIs let a node in whatever policies say.
    """
    from_node = all(isinstance(f.source, Pod) and f.source.host_network for f in flows)
    if verdict is Verdict.DENY and from_node and profile.host_to_pod == CONNECTED:
        return f"{verdict} from another node, {Verdict.ALLOW} from the pod's own"
    return str(verdict)


def _enforced(policy: NetworkPolicy, profile: CniProfile) -> NetworkPolicy:
    if not profile.ignores_rules_left_out:
        ruled = {direction for direction in Direction if policy.rules(direction)}
        policy = replace(policy, policy_types=policy.policy_types | ruled)
    if not profile.ip_blocks_mean_pods:
        ingress, egress = _outside_only(policy.ingress), _outside_only(policy.egress)
        policy = replace(policy, ingress=ingress, egress=egress)
    return policy


def _outside_only(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    def block(found: IPBlock | None) -> IPBlock | None:
        return replace(found, outside_only=True) if found else None

    return tuple(
        replace(rule, peers=tuple(replace(p, ip_block=block(p.ip_block)) for p in rule.peers))
        for rule in rules
    )


def _addressed(topology: Topology, policies: Iterable[NetworkPolicy]) -> Topology:
    """The topology with some private address for each pod that has none, if any would do.

    It would if every ipBlock means all private addresses or none of them.
    """
    rules = [rule for p in policies for d in Direction for rule in (*p.rules(d), *p.denials(d))]
    blocks = [peer.ip_block for rule in rules for peer in rule.peers if peer.ip_block]
    if not all(_means_all_or_none(block) for block in blocks):
        return topology
    pods = {
        key: pod if pod.ip or pod.host_network else replace(pod, ip=_SOME_ADDRESS)
        for key, pod in topology.pods.items()
    }
    return replace(topology, pods=pods)


def _means_all_or_none(block: IPBlock) -> bool:
    if not isinstance(block.cidr, IPv4Network):
        return True
    inside = [net for net in _PRIVATE if net.overlaps(block.cidr)]
    cut = any(net.overlaps(part) for net in _PRIVATE for part in block.except_)
    whole = all(net.subnet_of(block.cidr) for net in _PRIVATE)
    return not inside or (whole and not cut)
