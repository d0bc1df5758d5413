"""What the policies of all kinds say about a flow, and why. Pure: no cluster is asked.

The rules, in order (Kubernetes docs, "Network Policies"; API reference, NetworkPolicy v1; Cilium
1.20.2, pkg/policy/repository.go):

1. A pod is isolated for a direction if a policy of that direction selects it. A policy that only
   adds does not isolate. A pod that is not isolated lets every flow pass.
2. An isolated pod lets a flow pass if at least one policy allows it. No rule that allows takes away
   what another one allows.
3. A rule that denies drops the flows that it matches, whether the pod is isolated or not.
4. A flow passes if the sender's egress and the receiver's ingress both let it. Replies pass, and a
   pod's flow to itself passes always. Through a Service such a flow leaves the pod (hairpin), and
   the API does not say whether policies that would block it from elsewhere block it then.
5. Names are enforced by address: an allowed name opens its address outside of the cluster. The pod
   must have looked the name up before, through Cilium's DNS proxy, which sees the lookups of the
   pods that a policy with rules.dns selects; for all others names open nothing.
6. On a port with HTTP rules, or with others that look into the traffic, some of the requests pass
   (SOME), unless a rule for exactly this port does not look into it.

UNDEFINED are the flows that the API leaves open (ICMP where a NetworkPolicy isolates) and the flows
that hang on something unknown: the cases that `harness.core.policy.selectors` lists, and all that
an object could decide which was not read. Such an answer says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from harness.core.model import Direction, External, NetworkPolicy, Pod, Topology
from harness.core.outcome import Verdict
from harness.core.policy.decision import Decision, both
from harness.core.policy.isolation import Isolation, verdict_of
from harness.core.policy.reasons import hairpin_note, node_note, same, to_itself, unread_note
from harness.core.policy.selectors import Crowd, End, Mask
from harness.core.target.ask import Flow


class Oracle:
    """The policies of one state. What does not depend on a flow is worked out once, at first.

    `nodes_apart`, `any_protocol` and `hairpin` settle points that the API leaves open, as a CNI
    does: pods on the host network count as their nodes; a rule without ports is for ICMP as well;
    and the verdict of a pod's flow to itself through a Service, if policies would deny such a flow
    from elsewhere.
    """

    def __init__(
        self,
        topology: Topology,
        policies: Iterable[NetworkPolicy],
        *,
        nodes_apart: bool = False,
        any_protocol: bool = False,
        hairpin: Verdict = Verdict.UNDEFINED,
    ) -> None:
        self.topology = topology
        self._policies = tuple(dict.fromkeys(policies))
        self._hairpin = hairpin
        self._alike = partial(
            Oracle, nodes_apart=nodes_apart, any_protocol=any_protocol, hairpin=hairpin
        )
        self._crowd = Crowd(
            (*topology.pods.values(), *topology.external.values()),
            topology.namespaces,
            topology.services,
            nodes_apart=nodes_apart,
        )
        self._numbers = self._crowd.numbers
        self._known = {_name(end): end for end in self._crowd.ends}
        self._sides = {
            direction: Isolation(self._crowd, self._policies, direction, any_protocol=any_protocol)
            for direction in Direction
        }
        self._egress = self._sides[Direction.EGRESS]
        self._ingress = self._sides[Direction.INGRESS]
        self._crowd.learners = self._egress.learners()
        self._overruled: Mask = 0
        for unread in topology.unread:
            self._overruled |= self._crowd.members(unread.namespace)

    def decide(self, flow: Flow) -> Decision:
        """The verdict of a flow with its reasons."""
        if id(flow.source) not in self._numbers or id(flow.target) not in self._numbers:
            oracle, flow = self._introduced(flow)
            return oracle.decide(flow)
        egress, ingress = self._egress.side(flow), self._ingress.side(flow)
        itself = same(flow.source, flow.target)
        if itself and not flow.translated:
            return Decision(Verdict.ALLOW, egress, ingress, to_itself(flow.source))
        verdict = both(egress.verdict, ingress.verdict)
        pair = self._crowd.bit(flow.source) | self._crowd.bit(flow.target)
        if pair & self._overruled:
            above = [u for u in self.topology.unread if self._crowd.members(u.namespace) & pair]
            return Decision(Verdict.UNDEFINED, egress, ingress, unread_note(above))
        if itself and verdict is Verdict.DENY and self._hairpin is not Verdict.DENY:
            note = hairpin_note(flow.source, self._hairpin)
            return Decision(self._hairpin, egress, ingress, note)
        if pair & self._crowd.doubtful and verdict is not Verdict.ALLOW:
            return Decision(Verdict.UNDEFINED, egress, ingress, node_note(flow))
        return Decision(verdict, egress, ingress)

    def verdict(self, flow: Flow) -> Verdict:
        """The verdict without its reasons, which is far faster."""
        try:
            sender = self._numbers[id(flow.source)]
            receiver = self._numbers[id(flow.target)]
        except KeyError:
            oracle, flow = self._introduced(flow)
            return oracle.verdict(flow)
        itself = same(flow.source, flow.target)
        if itself and not flow.translated:
            return Verdict.ALLOW
        from_bit, to_bit = 1 << sender, 1 << receiver
        if (from_bit | to_bit) & self._overruled:
            return Verdict.UNDEFINED
        verdict, key = Verdict.ALLOW, (flow.port, flow.protocol)
        if self._egress.concerned & from_bit:
            found = self._egress.kept.get((sender, *key)) or self._egress.passing(sender, *key)
            if not found.certain & to_bit:
                verdict = verdict_of(found, to_bit)
        if self._ingress.concerned & to_bit and verdict is not Verdict.DENY:
            found = self._ingress.kept.get((receiver, *key)) or self._ingress.passing(
                receiver, *key
            )
            if not found.certain & from_bit:
                verdict = both(verdict, verdict_of(found, from_bit))
        if itself and verdict is Verdict.DENY:
            verdict = self._hairpin
        if verdict is not Verdict.ALLOW and (from_bit | to_bit) & self._crowd.doubtful:
            return Verdict.UNDEFINED
        return verdict

    def selecting(self, end: End, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate an end for a direction; only pods are ever isolated."""
        number = self._numbers.get(id(end))
        if number is None:
            oracle, flow = self._introduced(Flow(end, end, 0))
            return oracle.selecting(flow.source, direction)
        return self._sides[direction].selecting(number)

    def about(self, end: End, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """The policies that may decide about an end's flows of a direction."""
        number = self._numbers.get(id(end))
        if number is None:
            oracle, flow = self._introduced(Flow(end, end, 0))
            return oracle.about(flow.source, direction)
        return self._sides[direction].about(number)

    def askable(self, flow: Flow) -> tuple[str, ...] | None:
        """The names about which a name server can be asked over this flow; None: every name.

        Only a port with rules.dns sends questions through Cilium's DNS proxy, which refuses every
        other question. The proxy knows only the rules for exactly this port. A rule for it without
        rules.dns lets every name pass; a rule for all ports, a range or a port's name does not
        (Cilium 1.20.2, pkg/policy/rule.go, mergePortProto; pkg/fqdn/dnsproxy/proxy.go,
        CheckAllowed).
        """
        if id(flow.source) not in self._numbers or id(flow.target) not in self._numbers:
            oracle, flow = self._introduced(flow)
            return oracle.askable(flow)
        own, bit = self._numbers[id(flow.source)], self._crowd.bit(flow.target)
        if not self._egress.isolates(own):
            return None
        found = [e.dns for e in self._egress.entries(own, bit, flow.port, flow.protocol)]
        if not any(found) or not all(found):
            return None
        return tuple(sorted({name for names in found for name in names}))

    def _introduced(self, flow: Flow) -> tuple[Oracle, Flow]:
        """The same flow between ends that an oracle knows, with that oracle.

        For an end that this oracle does not know, it is a temporary oracle that does.
        """
        source, target = (self._known.get(_name(end)) for end in (flow.source, flow.target))
        source = source if source == flow.source else None
        target = target if target == flow.target else None
        flow = replace(flow, source=source or flow.source, target=target or flow.target)
        if source and target:
            return self, flow
        pods, external = dict(self.topology.pods), dict(self.topology.external)
        for number, end in enumerate((flow.source, flow.target)):
            match end:
                case Pod():
                    pods[f"stranger {number}"] = end
                case External():
                    external[f"stranger {number}"] = end
        known = replace(self.topology, pods=pods, external=external)
        return self._alike(known, self._policies), flow


def decide(topology: Topology, policies: Iterable[NetworkPolicy], flow: Flow) -> Decision:
    """One flow's decision; for many flows of one state make an `Oracle`."""
    return Oracle(topology, policies).decide(flow)


def _name(end: End) -> tuple[type, str]:
    return type(end), str(end)
