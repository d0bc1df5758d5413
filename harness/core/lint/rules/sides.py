"""Rules about both ends of a path: a rule that the other end makes void, a wanted flow closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from harness.core.lint.finding import Finding, Fix, Sure
from harness.core.lint.ground import ANY_PORT, Ground, Port, numbers
from harness.core.lint.mended import Mended
from harness.core.lint.places import spot_of
from harness.core.lint.standins import pod_for
from harness.core.lint.where import Where
from harness.core.lint.wording import listed, picked, place, selected
from harness.core.manifests.reader import Resource
from harness.core.manifests.wanted.flows import CONFIG_MAP, wanted_in
from harness.core.model import Direction, Pod, Protocol, Selector
from harness.core.outcome import Verdict
from harness.core.policy.diagnosis import diagnosed
from harness.core.policy.reasons import same
from harness.core.policy.render import to_yaml
from harness.core.policy.selectors import End, Mask
from harness.core.target.ask import Flow

MAX_OWN = 4
"""Ends of a rule's own side that are tried with pods that were not read."""
MAX_SPACES = 20
"""Namespaces of a peer in which such pods are imagined."""


def void_by_other_side(ground: Ground) -> Iterator[Finding]:
    """Rules, or peers of rules, of which the other end lets no flow pass."""
    for where in ground.rules():
        if where.direction in where.policy.adds_only and not ground.isolated(where.direction):
            continue
        found = _void(ground, where)
        if found is not None:
            yield _finding(ground, where, 0, found)
            continue
        if len(where.rule.peers) > 1:
            for count, peer in enumerate(where.rule.peers, 1):
                alone = replace(where, rule=replace(where.rule, peers=(peer,)))
                found = _void(ground, alone)
                if found is not None:
                    yield _finding(ground, where, count, found)


def _void(ground: Ground, where: Where) -> Mask | None:
    """The other ends of a rule, if there are any and the other side lets none of its flows pass."""
    own = ground.selected(where.policy)
    others = ground.peers(where)
    if not own or not others or others & ~ground.crowd.pods or ground.may_mean_more(where):
        return None
    if (
        others & ~ground.isolated(_other_way(where))
        or (own | others) & ground.crowd.on_host_network
    ):
        return None
    flows = ground.flows(where, own, others)
    if not flows or any(ground.oracle.verdict(flow) is not Verdict.DENY for flow in flows):
        return None
    every = ground.every_flow(where, own, others)
    if any(ground.oracle.verdict(flow) is not Verdict.DENY for flow in every):
        return None
    return None if _others_pass(ground, where) else others


def _others_pass(ground: Ground, where: Where) -> bool:
    """Whether a pod that was not read, and that bears the labels of a peer alone, gets through.

    A namespace may have more pods than those that were read, and there may be more namespaces.
    """
    as_is = Mended(ground.topology, ground.policies)
    own = list(islice(ground.members(ground.selected(where.policy) & ground.classes), MAX_OWN))
    for other in _imagined(ground, where):
        if other is None:
            return True
        for mine in own:
            if same(mine, other):
                continue
            flows = [
                ground.flow(where.direction, mine, other, port)
                for port in _ports(ground, where, mine)
            ]
            oracle = as_is.oracle(flows)
            if any(oracle.verdict(flow) is not Verdict.DENY for flow in flows):
                return True
    return False


def _imagined(ground: Ground, where: Where) -> Iterator[Pod | None]:
    """A pod for each peer and namespace, with no more labels than the peer asks for.

    None stands for a pod of a namespace of which nothing is known.
    """
    for peer in where.rule.peers:
        chosen = peer.namespace_selector
        if chosen is not None and not chosen.requirements:
            yield None
        homes = [where.policy.namespace] if chosen is None else ground.spaces(chosen)
        for home in homes[:MAX_SPACES]:
            pod = pod_for(home, peer.pod_selector or Selector())
            if pod is not None:
                yield pod


def _ports(ground: Ground, where: Where, mine: End) -> list[Port]:
    """Ports on which a rule could let a flow pass between an end and an imagined pod."""
    if where.direction is Direction.INGRESS and id(mine) in ground.crowd.numbers:
        return ground.ports(mine, where.rule, thorough=True)
    named = [port for entry in where.rule.ports for port in numbers(entry)]
    return named or [*ground.mentioned, (ANY_PORT, Protocol.TCP)]


def _other_way(where: Where) -> Direction:
    return next(direction for direction in Direction if direction is not where.direction)


def _finding(ground: Ground, where: Where, count: int, others: Mask) -> Finding:
    peers = (where.rule.peers[count - 1],) if count else where.rule.peers
    alone = replace(where, rule=replace(where.rule, peers=peers))
    own = ground.selected(where.policy)
    flow = _closed_flow(ground, alone, own, others)
    diagnosis = diagnosed(ground.oracle, flow)
    other_way = _other_way(where)
    block = next(b for b in diagnosis.blocks if b.direction is other_way)
    closing = ", ".join(str(policy) for policy in block.policies)
    remedies = replace(diagnosis, blocks=(block,)).remedies
    written = ground.written(where.policy)
    spot = (
        written.peer(where.direction, where.number, count)
        if count
        else written.rule(where.direction, where.number)
    )
    egress = where.direction is Direction.EGRESS
    lets = (
        f"lets {selected(ground, where.policy)} send to {picked(ground, alone, others)}"
        if egress
        else f"lets {picked(ground, alone, others)} in to {selected(ground, where.policy)}"
    )
    side = "the receiver's ingress" if egress else "the sender's egress"
    return Finding(
        "void-by-other-side",
        spot,
        Sure.LIKELY,
        f"{place(where)} {lets}, but {side} is closed by {closing}, and no rule opens it. A flow "
        f"needs both ends: {'this peer' if count else 'this rule'} opens none",
        ground.shown(flow, ground.having(*remedies)),
        Fix("open the other end too, for example so:", "---\n".join(map(to_yaml, remedies))),
    )


def _closed_flow(ground: Ground, where: Where, own: Mask, others: Mask) -> Flow:
    """A flow of a void rule: between pods that were read or, without such, imagined ones."""
    found = ground.flows(where, own, others)[0]
    if others & own & ground.read or (own & ground.read and others & ground.read):
        return found
    mine = ground.face(where.policy, own)
    for other in _imagined(ground, where):
        if mine is not None and other is not None and not same(mine, other):
            for port in _ports(ground, where, mine):
                flow = ground.flow(where.direction, mine, other, port)
                side = ground.oracle.decide(flow).side(where.direction)
                if ground.oracle.verdict(flow) is Verdict.DENY and side.verdict is Verdict.ALLOW:
                    return flow
    return found


def wanted_flow_closed(ground: Ground) -> Iterator[Finding]:
    """Flows that the files want (a ConfigMap `wanted-flows`), and that policies deny."""
    resource = _wanted_list(ground)
    wanted = wanted_in(ground.resources, ground.described)
    if resource is None or not wanted:
        return
    groups: dict[tuple[Direction, tuple[str, ...]], list[Flow]] = {}
    for flow in wanted:
        if ground.oracle.verdict(flow) is Verdict.DENY:
            blocks = diagnosed(ground.oracle, flow).blocks
            key = (blocks[0].direction, tuple(map(str, blocks[0].policies)))
            groups.setdefault(key, []).append(flow)
    for (direction, closing), flows in groups.items():
        remedies = diagnosed(ground.oracle, flows[0]).remedies
        yield Finding(
            "wanted-flow-closed",
            spot_of(resource, ("data", "flows")),
            Sure.CERTAIN,
            f"The list {CONFIG_MAP} wants {len(wanted)} flows, and {len(flows)} of them "
            f"{'is' if len(flows) == 1 else 'are'} dropped at the {direction.lower()}, which is "
            f"closed by {' and '.join(closing)}: "
            f"{listed([str(flow) for flow in flows], 'flows')}",
            ground.shown(flows[0], ground.having(*remedies)),
            Fix("open it, for example so:", "---\n".join(map(to_yaml, remedies))),
        )


def _wanted_list(ground: Ground) -> Resource | None:
    return next(
        (r for r in ground.resources if (r.kind, r.name) == ("ConfigMap", CONFIG_MAP)), None
    )
