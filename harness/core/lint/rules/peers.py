"""Rules about peers: whom they pick, and whether one peer or two were meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.core.lint.finding import Finding, Fix, Shown, Sure
from harness.core.lint.ground import SYSTEM, Ground, means_dns
from harness.core.lint.rules.near import nearest_label
from harness.core.lint.rules.selectors import RULE as SELECTS_NOBODY
from harness.core.lint.where import Where
from harness.core.lint.wording import crew, label, listed, place
from harness.core.model import (
    NETWORK_POLICY,
    Direction,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    Requirement,
    Selector,
)
from harness.core.outcome import Verdict
from harness.core.policy.selectors import NAME_LABEL, Mask, selects
from harness.core.predict.surroundings import NAME_SERVERS


@dataclass(frozen=True, slots=True)
class Picks:
    """A peer of a rule, counted from 1."""

    where: Where
    count: int
    peer: Peer

    @property
    def home(self) -> str:
        """The namespace of its policy."""
        return self.where.policy.namespace

    def instead(self, *peers: Peer) -> NetworkPolicy:
        """The policy with these in its place."""
        return self.where.with_peers(self.count, *peers)


def peers_of(ground: Ground) -> Iterator[Picks]:
    """The peers with selectors, of policies that select somebody."""
    for where in ground.rules():
        if ground.selected(where.policy):
            for count, peer in enumerate(where.rule.peers, 1):
                if peer.pod_selector is not None or peer.namespace_selector is not None:
                    yield Picks(where, count, peer)


def picking_nobody(ground: Ground) -> Iterator[Picks]:
    """The peers with selectors that pick no end at all."""
    for picks in peers_of(ground):
        found = ground.crowd.peer(picks.peer, picks.home)
        if not found.certain | found.open:
            yield picks


def spaces_of(ground: Ground, picks: Picks) -> list[str]:
    """The namespaces in which a peer looks for pods."""
    chosen = picks.peer.namespace_selector
    return [picks.home] if chosen is None else ground.spaces(chosen)


def opened(ground: Ground, picks: Picks, mended: NetworkPolicy, others: Mask) -> Shown | None:
    """A flow that is closed now, and that the mended rule lets pass.

    Where the other end of all such flows is closed too, it is one whose own end is opened.
    """
    where = picks.where
    after = ground.without(where.policy, mended)
    rule = mended.rules(where.direction)[where.number - 1]
    new = replace(where, policy=mended, rule=rule)
    flows = ground.flows(new, ground.selected(where.policy), ground.peers(new) & others)
    return ground.flip_of_side(flows, after, where.direction)


# A peer that picks nobody


def peer_picks_nobody(ground: Ground) -> Iterator[Finding]:
    """Peers that pick no pod, in namespaces of which the pods were read."""
    for picks in picking_nobody(ground):
        if not spaces_of(ground, picks) or _split(ground, picks) or _is_joinable(ground, picks):
            continue
        for mend in _mends(ground, picks):
            if shown := opened(ground, picks, mend.policy, mend.pods):
                yield _nobody(ground, picks, mend, shown)
                break
        else:
            if not means_dns(picks.where.rule) and SYSTEM not in spaces_of(ground, picks):
                yield _nobody(ground, picks)


def _nobody(
    ground: Ground, picks: Picks, mend: _Mend | None = None, shown: Shown | None = None
) -> Finding:
    where = picks.where
    native = where.policy.kind == NETWORK_POLICY
    path = ["podSelector"] if native else []
    requirements = (picks.peer.pod_selector or Selector()).requirements
    asked = " and ".join(map(label, requirements))
    spaces = listed(spaces_of(ground, picks), "namespaces")
    them = "it" if len(requirements) == 1 else "them"
    why = f". {mend.why}" if mend else ""
    return Finding(
        SELECTS_NOBODY,
        ground.written(where.policy).peer(where.direction, where.number, picks.count, *path),
        Sure.LIKELY if mend else Sure.POSSIBLE,
        f"{place(where)} names pods with {asked} in the namespace {spaces}, and no pod there bears "
        f"{them}{why}",
        shown,
        Fix(mend.fix if mend else "give the pods these labels, or remove the peer"),
    )


@dataclass(frozen=True, slots=True)
class _Mend:
    """A policy whose peer picks somebody: whom, why that was perhaps meant, and what to write."""

    policy: NetworkPolicy
    pods: Mask
    why: str
    fix: str


def _mends(ground: Ground, picks: Picks) -> list[_Mend]:
    found = (_elsewhere(ground, picks), _mislabelled(ground, picks), _name_server(ground, picks))
    return [mend for mend in found if mend is not None]


def _elsewhere(ground: Ground, picks: Picks) -> _Mend | None:
    """Pods of another namespace, which a podSelector alone never means."""
    if picks.peer.namespace_selector is not None or picks.where.policy.kind != NETWORK_POLICY:
        return None
    anywhere = Peer(picks.peer.pod_selector, Selector())
    there = ground.crowd.peer(anywhere, picks.home).certain & ground.read
    spaces = sorted({end.namespace for end in ground.members(there) if isinstance(end, Pod)})
    if len(spaces) != 1:
        return None
    named = Requirement(NAME_LABEL, Operator.IN, frozenset(spaces))
    return _Mend(
        picks.instead(Peer(picks.peer.pod_selector, Selector((named,)))),
        there,
        f"{crew(ground, there)} bears it, but a podSelector alone means pods of the policy's own "
        "namespace",
        f"add `namespaceSelector: {{matchLabels: {{{NAME_LABEL}: {spaces[0]}}}}}` to this peer, "
        "without a dash before it",
    )


def _mislabelled(ground: Ground, picks: Picks) -> _Mend | None:
    spaces = spaces_of(ground, picks)
    there = [
        end
        for end in ground.crowd.ends
        if isinstance(end, Pod) and end.namespace in spaces and str(end) not in ground.made_up
    ]
    selector = picks.peer.pod_selector or Selector()
    near = nearest_label(selector, (pod.labels for pod in there))
    if near is None:
        return None
    mended = near.mended(selector)
    pods = [pod for pod in there if selects(mended, pod.labels)]
    return _Mend(
        picks.instead(replace(picks.peer, pod_selector=mended)),
        ground.mask(pods),
        f"The pod {pods[0]} bears {label(near.new)}",
        f"write {label(near.new)} for {label(near.old)}",
    )


def _name_server(ground: Ground, picks: Picks) -> _Mend | None:
    """CoreDNS, where a rule for DNS looks in its namespace for other labels than it bears."""
    if not means_dns(picks.where.rule) or picks.where.direction is not Direction.EGRESS:
        return None
    service = ground.topology.services.get(NAME_SERVERS)
    servers = ground.name_servers
    if not servers or SYSTEM not in spaces_of(ground, picks):
        return None
    key, value = next(iter(sorted(service.selector.items()))) if service else ("", "")
    app = Requirement(key, Operator.IN, frozenset({value}))
    read = all(ground.is_read(server) for server in servers)
    who = "CoreDNS" if read else "CoreDNS, as kubeadm installs it,"
    return _Mend(
        picks.instead(replace(picks.peer, pod_selector=Selector((app,)))),
        ground.mask(servers),
        f"{who} bears {label(app)}",
        f"write {label(app)}",
    )


# One peer or two


def one_peer(ground: Ground) -> Iterator[Finding]:
    """A peer with both selectors that picks nobody, where two peers would pick somebody each."""
    for picks in picking_nobody(ground):
        halves = _split(ground, picks)
        if halves is None:
            continue
        at_home = ground.crowd.peer(halves[1], picks.home).certain & ground.read
        shown = opened(ground, picks, picks.instead(*halves), at_home)
        if shown is not None:
            where = picks.where
            yield Finding(
                "one-peer",
                ground.written(where.policy).peer(where.direction, where.number, picks.count),
                Sure.LIKELY,
                f"{place(where)} has a peer with a namespaceSelector and a podSelector. Both must "
                "hold, and no pod of those namespaces bears these labels. "
                f"{crew(ground, at_home)} of the policy's own namespace bears them, so two peers "
                "were probably meant",
                shown,
                Fix("write `- ` before podSelector as well: then there are two peers"),
            )


def _split(ground: Ground, picks: Picks) -> tuple[Peer, Peer] | None:
    """The two peers that one was perhaps meant to be: those namespaces, and those own pods."""
    pods, spaces = picks.peer.pod_selector, picks.peer.namespace_selector
    native = picks.where.policy.kind == NETWORK_POLICY
    if not native or pods is None or spaces is None or not pods.requirements:
        return None
    halves = Peer(namespace_selector=spaces), Peer(pod_selector=pods)
    there, at_home = (ground.crowd.peer(half, picks.home).certain & ground.read for half in halves)
    return halves if there and at_home else None


def two_peers(ground: Ground) -> Iterator[Finding]:
    """Two peers, of namespaces and of pods, where those pods of those namespaces were meant."""
    for where in ground.rules():
        if where.policy.kind == NETWORK_POLICY and ground.selected(where.policy):
            for count in range(1, len(where.rule.peers)):
                found = _joined(ground, where, count)
                if found is not None:
                    yield found


def _halves(where: Where, count: int) -> tuple[Selector, Selector] | None:
    """The selectors of namespaces and of pods of two peers that stand next to each other."""
    pair = where.rule.peers[count - 1 : count + 1]
    spaces = [p.namespace_selector for p in pair if p.namespace_selector and not p.pod_selector]
    pods = [p.pod_selector for p in pair if p.pod_selector and not p.namespace_selector]
    if len(spaces) != 1 or len(pods) != 1 or not pods[0].requirements:
        return None
    return spaces[0], pods[0]


def _is_joinable(ground: Ground, picks: Picks) -> bool:
    """Whether a peer is half of a pair whose other half has pods with its labels."""
    return any(
        (halves := _halves(picks.where, count)) is not None and _both(ground, *halves)
        for count in (picks.count - 1, picks.count)
        if count > 0
    )


def _both(ground: Ground, spaces: Selector, pods: Selector) -> Mask:
    return ground.crowd.peer(Peer(pods, spaces), "").certain & ~ground.mask(ground.made_up.values())


def _joined(ground: Ground, where: Where, count: int) -> Finding | None:
    halves = _halves(where, count)
    if halves is None or not (both := _both(ground, *halves)):
        return None
    spaces, pods = halves
    peers = where.rule.peers
    new = (*peers[: count - 1], Peer(pods, spaces), *peers[count + 1 :])
    after = ground.without(where.policy, where.instead(replace(where.rule, peers=new)))
    wide = ground.crowd.peer(Peer(namespace_selector=spaces), "").certain & ~both
    flows = ground.flows(where, ground.selected(where.policy), wide)
    shown = ground.flip(flows, after, Verdict.ALLOW, Verdict.DENY)
    if shown is None:
        return None
    word = "to" if where.direction is Direction.EGRESS else "from"
    return Finding(
        "two-peers",
        ground.written(where.policy).peer(where.direction, where.number, count + 1),
        Sure.LIKELY,
        f"{place(where)} has two peers, and each of them is enough: every pod of the namespaces "
        f"with {' and '.join(map(label, spaces.requirements)) or 'any label'}, and every pod with "
        f"{' and '.join(map(label, pods.requirements))} of the policy's own namespace. Those pods "
        f"of those namespaces ({crew(ground, both)}) were probably meant, and nobody else",
        shown,
        Fix(f"make one entry of `{word}` of both: remove the dash before the second selector"),
    )
