"""The rule about namespaceSelectors whose label no namespace bears."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.core.lint.finding import Finding, Fix, Sure
from harness.core.lint.ground import SYSTEM, Ground
from harness.core.lint.rules.near import Near, nearest_label, slip
from harness.core.lint.rules.peers import Picks, opened, peers_of, picking_nobody, spaces_of
from harness.core.lint.wording import label, place
from harness.core.model import NETWORK_POLICY, Operator, Requirement, Selector
from harness.core.policy.selectors import NAME_LABEL, selects

NAME_KEYS = frozenset({"name", "namespace", "ns", "metadata.name", "kubernetes.io/name"})
"""Keys under which people expect a namespace's name; the API server sets none of them."""


@dataclass(frozen=True, slots=True)
class _Meant:
    """The requirement that fails, the one that was perhaps meant, and why."""

    old: Requirement
    new: Requirement
    space: str
    why: str


def namespace_label_unset(ground: Ground) -> Iterator[Finding]:
    """Peers that name namespaces by a label which no namespace bears."""
    for picks in picking_nobody(ground):
        selector = picks.peer.namespace_selector
        if selector is None or spaces_of(ground, picks):
            continue
        meant = _meant(ground, selector) or _of_dns(ground, picks, selector)
        if meant is not None:
            yield _finding(ground, picks, selector, meant)
        elif _declared(ground):
            yield _unknown(ground, picks, selector)
    for picks in peers_of(ground):
        selector = picks.peer.namespace_selector
        if selector is not None and (meant := _misspelt(ground, selector)):
            finding = _finding(ground, picks, selector, meant)
            if finding.shown is not None:
                yield finding


def _declared(ground: Ground) -> set[str]:
    """The namespaces that the files declare, or of which pods were read."""
    declared = {r.name for r in ground.resources if r.kind == "Namespace"}
    return (declared | ground.known) - {SYSTEM}


def _what(picks: Picks, selector: Selector) -> str:
    asked = " and ".join(map(label, selector.requirements))
    return f"{place(picks.where)} names namespaces with {asked}"


def _finding(ground: Ground, picks: Picks, selector: Selector, meant: _Meant) -> Finding:
    where = picks.where
    native = where.policy.kind == NETWORK_POLICY
    path = ["namespaceSelector"] if native else []
    mended = Near(meant.old, meant.new, {}).mended(selector)
    policy = picks.instead(replace(picks.peer, namespace_selector=mended))
    shown = opened(ground, picks, policy, ground.crowd.everyone)
    return Finding(
        "namespace-label-unset",
        ground.written(where.policy).peer(where.direction, where.number, picks.count, *path),
        Sure.LIKELY if shown else Sure.POSSIBLE,
        f"{_what(picks, selector)}, and no namespace bears it. {meant.why}",
        shown,
        Fix(f"write {label(meant.new)} for {label(meant.old)}"),
    )


def _unknown(ground: Ground, picks: Picks, selector: Selector) -> Finding:
    where = picks.where
    native = where.policy.kind == NETWORK_POLICY
    path = ["namespaceSelector"] if native else []
    return Finding(
        "namespace-label-unset",
        ground.written(where.policy).peer(where.direction, where.number, picks.count, *path),
        Sure.POSSIBLE,
        f"{_what(picks, selector)}, and no namespace that the files declare bears it",
        None,
        Fix("set the label in the manifest of the namespace"),
    )


def _meant(ground: Ground, selector: Selector) -> _Meant | None:
    spaces = ground.topology.namespaces
    failing = [
        requirement
        for requirement in selector.requirements
        if not any(selects(Selector((requirement,)), s.labels) for s in spaces.values())
    ]
    if len(failing) == 1 and failing[0].operator is Operator.IN and failing[0].key in NAME_KEYS:
        for name in sorted(failing[0].values & spaces.keys()):
            return _Meant(
                failing[0],
                Requirement(NAME_LABEL, Operator.IN, frozenset({name})),
                name,
                f"The namespace is called {name}, but its name is not a label of this key: the API "
                f"server sets `{NAME_LABEL}` only",
            )
    near = nearest_label(selector, (space.labels for space in spaces.values()))
    if near is None or near.new.key == NAME_LABEL != near.old.key:
        return None
    mended = near.mended(selector)
    name = next(n for n, space in sorted(spaces.items()) if selects(mended, space.labels))
    return _Meant(near.old, near.new, name, f"The namespace {name} bears {label(near.new)}")


def _of_dns(ground: Ground, picks: Picks, selector: Selector) -> _Meant | None:
    """The namespace of the name servers, where a peer asks for their labels in another one."""
    pods = picks.peer.pod_selector
    servers = ground.name_servers
    if not pods or not pods.requirements or len(selector.requirements) != 1 or not servers:
        return None
    if not all(selects(pods, server.labels) for server in servers):
        return None
    space = servers[0].namespace
    new = Requirement(NAME_LABEL, Operator.IN, frozenset({space}))
    why = f"The name servers, which bear the labels of the podSelector, are in {space}"
    return _Meant(selector.requirements[0], new, space, why)


def _misspelt(ground: Ground, selector: Selector) -> _Meant | None:
    """A namespace's name that nobody declares, and that is a slip of one that somebody declares."""
    declared = _declared(ground)
    for old in selector.requirements:
        if old.key != NAME_LABEL or old.operator is not Operator.IN or len(old.values) != 1:
            continue
        (name,) = old.values
        if name in declared or name.startswith("kube-"):
            continue
        for there in sorted(declared):
            if slip(name, there):
                new = Requirement(NAME_LABEL, Operator.IN, frozenset({there}))
                return _Meant(old, new, there, f"A namespace {there} is there")
    return None
