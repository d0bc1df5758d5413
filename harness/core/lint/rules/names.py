"""Rules about DNS: names that a pod cannot look up, wholly or where the answer is long."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.lint.finding import Finding, Fix, Sure
from harness.core.lint.ground import DNS_PORT, SYSTEM, Ground, means_dns
from harness.core.lint.where import Where
from harness.core.lint.wording import place, selected
from harness.core.model import (
    NETWORK_POLICY,
    Direction,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from harness.core.outcome import Verdict
from harness.core.policy.render import to_yaml
from harness.core.policy.selectors import NAME_LABEL
from harness.core.target.ask import Flow

NARROW = 24
"""An ipBlock of this prefix length or longer names machines, whose addresses the client knows."""

_ASKS_CLUSTER = frozenset({"ClusterFirst", "ClusterFirstWithHostNet"})
"""The dnsPolicies with which a pod asks the cluster's name server."""


def _clients(ground: Ground, policy: NetworkPolicy) -> list[Pod]:
    """The pods of a policy that ask the cluster's name server, one or two of each class."""
    servers = {id(server) for server in ground.name_servers}
    found = ground.members(ground.selected(policy) & ground.classes)
    return [
        pod
        for pod in found
        if isinstance(pod, Pod)
        and id(pod) not in servers
        and not pod.host_network
        and pod.dns.policy in _ASKS_CLUSTER
    ]


def _asked(ground: Ground, pod: Pod, protocol: Protocol) -> tuple[Flow | None, Verdict]:
    """The flow from a pod to a name server that passes, or the first of those that do not."""
    flows = [Flow(pod, server, DNS_PORT, protocol) for server in ground.name_servers]
    found = {ground.oracle.verdict(flow): flow for flow in reversed(flows)}
    for verdict in (Verdict.ALLOW, Verdict.UNDEFINED, Verdict.DENY):
        if verdict in found:
            return found[verdict], verdict
    return None, Verdict.UNDEFINED


def dns_forgotten(ground: Ground) -> Iterator[Finding]:
    """Pods that may send by some rule, and whose questions about names are dropped."""
    told: set[int] = set()
    for policy in ground.policies:
        rule = _first_rule_by_name(policy)
        if rule is None or Direction.EGRESS not in policy.policy_types - policy.adds_only:
            continue
        shut = [
            (pod, flow)
            for pod in _clients(ground, policy)
            if id(pod) not in told
            for flow, verdict in [_asked(ground, pod, Protocol.UDP)]
            if flow and verdict is Verdict.DENY and not _has_dns_rule(ground, pod)
        ]
        if not shut:
            continue
        told |= {id(pod) for pod, _ in shut}
        allow = _allow_dns(policy)
        pods = ground.mask(pod for pod, _ in shut)
        face = ground.face(policy, pods)
        flow = Flow(face, shut[0][1].target, DNS_PORT, Protocol.UDP) if face else shut[0][1]
        yield Finding(
            "dns-forgotten",
            ground.written(policy).rule(Direction.EGRESS, rule),
            # Policies without pods are often a part of those that a cluster has.
            Sure.LIKELY if ground.is_read(shut[0][0]) else Sure.POSSIBLE,
            f"Egress rule {rule} of {policy} lets {selected(ground, policy)} send, but no rule "
            "opens the way to the name server. No name can be looked up, so a connection by name "
            "(of a Service, too) fails before it begins",
            ground.shown(flow, ground.having(allow)),
            Fix("open DNS for these pods, for example with this policy:", to_yaml(allow)),
        )


def _first_rule_by_name(policy: NetworkPolicy) -> int | None:
    """The number of the first egress rule whose peers a client calls by name, not by address."""
    for number, rule in enumerate(policy.egress, 1):
        if not rule.peers or not all(map(_is_address, rule.peers)):
            return number
    return None


def _is_address(peer: Peer) -> bool:
    return peer.ip_block is not None and (
        peer.ip_block.cidr.prefixlen >= NARROW or peer.ip_block.cidr.version != 4  # noqa: PLR2004
    )


def _has_dns_rule(ground: Ground, pod: Pod) -> bool:
    """Whether a rule for this pod is meant for name servers, though perhaps for others than ours.

    Then DNS was not forgotten. If the rule misses, other rules of lint say why.
    """
    bit = ground.crowd.bit(pod)
    return any(
        means_dns(where.rule) and ground.crowd.selected_by(where.policy) & bit
        for where in ground.rules()
        if where.direction is Direction.EGRESS
    )


def _allow_dns(policy: NetworkPolicy) -> NetworkPolicy:
    name = Requirement(NAME_LABEL, Operator.IN, frozenset({SYSTEM}))
    app = Requirement("k8s-app", Operator.IN, frozenset({"kube-dns"}))
    servers = Peer(Selector((app,)), Selector((name,)))
    ports = (PortRule(Protocol.UDP, DNS_PORT), PortRule(Protocol.TCP, DNS_PORT))
    return NetworkPolicy(
        policy.namespace,
        f"{policy.name}-dns",
        policy.pod_selector,
        frozenset({Direction.EGRESS}),
        egress=(Rule((servers,), ports),),
    )


def dns_without_tcp(ground: Ground) -> Iterator[Finding]:
    """A rule that opens DNS over UDP, where no rule opens it over TCP."""
    yield from _one_protocol(ground, Protocol.UDP, Protocol.TCP)


def dns_without_udp(ground: Ground) -> Iterator[Finding]:
    """A rule that opens DNS over TCP, where no rule opens it over UDP."""
    yield from _one_protocol(ground, Protocol.TCP, Protocol.UDP)


def _one_protocol(ground: Ground, opened: Protocol, closed: Protocol) -> Iterator[Finding]:
    told: set[tuple[int, int]] = set()
    asked: set[int] = set()
    for policy in ground.policies:
        if Direction.EGRESS not in policy.policy_types:
            continue
        for pod in _clients(ground, policy):
            if id(pod) in asked:
                continue
            asked.add(id(pod))
            passing, verdict = _asked(ground, pod, opened)
            flow, other = _asked(ground, pod, closed)
            if not passing or verdict is not Verdict.ALLOW or other is not Verdict.DENY:
                continue
            assert flow is not None  # noqa: S101 - both have the same servers
            sides = ground.oracle.decide(passing), ground.oracle.decide(flow)
            for side, shut in (
                (sides[0].egress, sides[1].egress),
                (sides[0].ingress, sides[1].ingress),
            ):
                if shut.verdict is not Verdict.DENY or not side.allowed_by:
                    continue
                by, number = side.allowed_by[0]
                if (id(by), number) not in told:
                    told.add((id(by), number))
                    where = Where(by, side.direction, number, by.rules(side.direction)[number - 1])
                    yield _finding(ground, where, flow, opened)


def _finding(ground: Ground, where: Where, flow: Flow, opened: Protocol) -> Finding:
    covering = (
        count
        for count, entry in enumerate(where.rule.ports, 1)
        if entry.protocol is opened
        and isinstance(entry.port, int)
        and entry.port <= DNS_PORT <= (entry.end_port or entry.port)
    )
    count = next(covering, 0)
    written = ground.written(where.policy)
    spot = (
        written.port(where.direction, where.number, count)
        if count
        else written.rule(where.direction, where.number)
    )
    more = PortRule(flow.protocol, DNS_PORT)
    mended = _with_port(where, more)
    entry = f"{{protocol: {flow.protocol}, port: {DNS_PORT}}}"
    pods = selected(ground, where.policy)
    if opened is Protocol.UDP:
        return Finding(
            "dns-without-tcp",
            spot,
            Sure.LIKELY,
            f"{place(where)} opens DNS over UDP only. If an answer is too long for UDP, the "
            f"client asks again over TCP (RFC 7766), and this question of {pods} is dropped",
            ground.shown(flow, ground.without(where.policy, mended)),
            Fix(f"add `{entry}` to the ports of {where}", f"- {entry}\n"),
        )
    default = " (TCP is the protocol of an entry that names none)" if _unsaid(ground, where) else ""
    return Finding(
        "dns-without-udp",
        spot,
        Sure.CERTAIN,
        f"{place(where)} opens DNS over TCP only{default}. Clients ask over UDP first, and "
        f"every such question of {pods} is dropped",
        ground.shown(flow, ground.without(where.policy, mended)),
        Fix(f"add `{entry}` to the ports of {where}", f"- {entry}\n"),
    )


def _unsaid(ground: Ground, where: Where) -> bool:
    if where.policy.kind != NETWORK_POLICY:
        return False
    rules = ground.written(where.policy).body.get(where.direction.lower()) or []
    entries = (rules[where.number - 1] or {}).get("ports") or []
    return any(not (entry or {}).get("protocol") for entry in entries)


def _with_port(where: Where, port: PortRule) -> NetworkPolicy:
    return where.instead(Rule(where.rule.peers, (*where.rule.ports, port)))
